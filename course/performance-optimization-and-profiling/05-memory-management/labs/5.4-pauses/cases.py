"""Bookings of a month. A size is a number of bookings; a large month has a district for each 12 of them."""

MINUTES = 9600
LARGE = 1000


def booking(random, number, districts, hurry, longest):
    return "house%d %d %d %d" % (number, random.randrange(districts), random.randrange(hurry), random.randrange(10, longest))


def case(random, size):
    if size >= LARGE:
        districts = size // 12
        return districts, [booking(random, number, districts, MINUTES, 180) for number in range(size)]
    districts = random.randrange(1, 4)
    hurry = random.choice((1, 60, 2000, MINUTES))          # all want to be first, or they are spread over the month
    longest = random.choice((30, 200, 4000))
    return districts, [booking(random, number, districts, hurry, longest) for number in range(size)]


def edges():
    whole = "%s 0 0 9600"
    return [
        (0, []),
        (2, []),
        (1, ["a 0 0 30"]),
        (1, ["a 0 9590 10"]),
        (1, ["a 0 9590 11", "b 0 0 9601"]),                             # no time left in the month
        (1, [whole % name for name in "abcd"]),                         # the fourth finds all three busy
        (1, ["a 0 500 40", "b 0 100 40", "c 0 0 9600", "d 0 0 9600", "e 0 0 100", "f 0 0 1"]),
        (1, ["a 0 44 1", "b 0 0 9600", "c 0 0 9600", "d 0 30 1", "e 0 29 1", "f 0 15 1", "g 0 14 1"]),
        (1, ["a 0 40 5", "b 0 0 9600", "c 0 0 9600", "d 0 30 4", "e 0 36 2", "f 0 34 1"]),  # one quarter, not in their order
        (2, ["a 1 0 30", "a 0 0 30", "a 1 0 30"]),                      # a house may be booked again
    ]
