"""Five sets of four programs that look alike. All wait, each as long as it happens to; three of a set compute for some tenths of a
second as well, and one hardly computes at all: leave that one alone.

Each program handles one parcel after the other as it comes, by one innocent function and one ugly one. Which of the two is costly,
or neither, is a matter of what their sizes cost, times the number of parcels. The constants of the text do not tell it: the pauses
of all add up alike, and how long a round is comes of a checksum.
"""

import bisect
import math
import zlib

SETS = 5
WAITING_MS = (200, 500)                    # of every program
COMPUTING_MS = (300, 450)                  # of one that is worth a change, on the machine that the costs below were measured on
REST_MS = (2, 5)                           # of a function that is not, over all parcels
PARCELS = (5, 60)                          # drawn on a logarithmic scale

# How a parcel comes: imports, and the text of parcels(), which yields their numbers. None of them can be hurried from here.
ARRIVALS = {
    "belt": ("import queue\nimport threading\nimport time\nimport zlib\n", '''
def belt(lane):
    """The conveyor: lays one parcel after the other before the scanner."""
    for number in range(PARCELS):
        time.sleep(PAUSE)
        lane.put(number)
    lane.put(None)


def parcels():
    lane = queue.Queue()
    threading.Thread(target=belt, args=(lane,)).start()
    while True:
        number = lane.get()
        if number is None:
            return
        yield number
'''),
    "scales": ("import socket\nimport threading\nimport time\nimport zlib\n", '''
def scales(line):
    """The scales: send a number over the wire for each parcel that was put on them."""
    for number in range(PARCELS):
        time.sleep(PAUSE)
        line.sendall(b"%d\\n" % number)
    line.close()


def parcels():
    ours, theirs = socket.socketpair()
    threading.Thread(target=scales, args=(theirs,)).start()
    with ours, ours.makefile() as lines:
        for line in lines:
            yield int(line)
'''),
    "slots": ("import time\nimport zlib\n", '''
def parcels():
    """The customs office takes one parcel in each slot of its own clock."""
    for number in range(PARCELS):
        time.sleep(PAUSE)
        yield number
'''),
}

# Functions: name: (nanoseconds for one of `size`, and for its square), text.
INNOCENT = {
    "known_addresses": ((350, 4.5), '''
def known_addresses(lines):
    """How many of the lines are addresses that we have delivered to?"""
    known = ["%05d Mill Lane" % (number * 3) for number in range(len(lines) // 2)]
    return sum(line in known for line in lines)
'''),
    "repeated": ((50, 12.0), '''
def repeated(lines):
    """How many of the lines occur more than once?"""
    return sum(lines.count(line) > 1 for line in lines)
'''),
    "busiest": ((250, 0.25), '''
def busiest(lines):
    """The largest sum of house numbers in a window of the street."""
    numbers = [int(line[:5]) for line in lines]
    width = 1 + len(numbers) // 30
    return max(sum(numbers[first : first + width]) for first in range(len(numbers)))
'''),
    "without_blanks": ((250, 0.5), '''
def without_blanks(lines):
    """How long is the text of the lines, without its blanks?"""
    rest, length = "\\n".join(lines), 0
    while rest:
        word, _, rest = rest.partition(" ")
        length += len(word)
    return length
'''),
}
UGLY = {
    "zones": ((190, 0), '''
def zones(lines):
    r = [0, 0, 0, 0]
    for i in range(0, len(lines)):
        l = lines[i]
        if l[0] == "0":
            if l[1] < "3":
                z = 0
            else:
                z = 1
        else:
            if l[0] == "1" or l[0] == "2":
                z = 2
            else:
                z = 3
        r[z] = r[z] + 1
    return r[0] * 1 + r[1] * 3 + r[2] * 5 + r[3] * 7
'''),
    "checksum": ((2000, 0), '''
def checksum(lines):
    t = 0
    for i in range(0, len(lines)):
        for j in range(0, len(lines[i])):
            c = lines[i][j]
            if c != " ":
                t = (t * 31 + ord(c)) % 65521
    return t
'''),
    "crossings": ((2200, 0), '''
def crossings(lines):
    n = 0
    for i in range(0, len(lines)):
        for j in range(max(0, i - 5), i):
            for k in range(0, 3):
                if lines[i][k] == lines[j][4 - k]:
                    n = n + 1
    return n
'''),
}

SHORTEST_ROUND, ROUNDS_RATIO = 10, 20000     # the longest one is so many times as long
NEAR = 0.03                                # of the length that is wanted, the one that a route has

TEXT = '''"""What station {letter} of the {hall} does with each parcel as it comes."""
{imports}
PARCELS = {parcels}
PAUSE = {pause}


def length(route):
    """How many addresses a round has: the planning department's number of the route, as it comes."""
    return round({shortest} * {ratio} ** (zlib.crc32(b"%d" % route) / 2**32))


def address_list(number, size):
    """The addresses on the round that the parcel goes with."""
    return ["%05d Mill Lane" % ((number + 7919 * place) % 30011) for place in range(size)]

{functions}{arrival}

def main():
    total = 0
    for number in parcels():
        total += {innocent}(address_list(number, length({innocent_route})))
        total += {ugly}(address_list(number, length({ugly_route})))
    print("station {letter}:", total)


if __name__ == "__main__":
    main()
'''
HALLS = ("sorting hall", "customs shed", "return desk", "night shift", "depot gate")
LINE = 200                                 # nanoseconds for a line of address_list


def size_for(costs, milliseconds):
    """How large a list costs a function so much, the making of the list included."""
    single, square = costs[0] + LINE, costs[1]
    wanted = milliseconds * 1e6
    if square == 0:
        return max(4, int(wanted / single))
    return max(4, int(((single * single + 4 * square * wanted) ** 0.5 - single) / (2 * square)))


def length(route):
    """As in the programs."""
    return round(SHORTEST_ROUND * ROUNDS_RATIO ** (zlib.crc32(b"%d" % route) / 2**32))


ROUTES = sorted((length(route), route) for route in range(1000, 10000))


def route_for(random, size):
    """The number of a route that is about so long."""
    wanted = min(max(size, SHORTEST_ROUND), SHORTEST_ROUND * ROUNDS_RATIO)
    near = max(2, NEAR * wanted)
    first, end = bisect.bisect(ROUTES, (wanted - near,)), bisect.bisect(ROUTES, (wanted + near,))
    return random.choice(ROUTES[first:end])[1]


def program(random, name, hall, waits):
    innocent, ugly = random.choice(sorted(INNOCENT)), random.choice(sorted(UGLY))
    arrival = random.choice(sorted(ARRIVALS))
    count = round(math.exp(random.uniform(*map(math.log, PARCELS))))
    small, large = random.uniform(*REST_MS) / count, random.uniform(*COMPUTING_MS) / count
    hot = None if waits else random.choice((innocent, innocent, ugly))
    routes = {
        function: route_for(random, size_for(costs, large if function == hot else small))
        for function, costs in ((innocent, INNOCENT[innocent][0]), (ugly, UGLY[ugly][0]))
    }
    idle = random.uniform(*WAITING_MS) / count / 1000
    parts = [INNOCENT[innocent][1], UGLY[ugly][1]]
    random.shuffle(parts)
    imports, text = ARRIVALS[arrival]
    return TEXT.format(
        letter=name[-4].upper(), hall=hall, shortest=SHORTEST_ROUND, ratio=ROUNDS_RATIO, imports=imports, parcels=count, pause=round(idle, 4), arrival="\n" + text,
        functions="\n".join(parts), innocent=innocent, ugly=ugly, innocent_route=routes[innocent], ugly_route=routes[ugly])


def questions(random):
    asked = []
    for number in range(SETS):
        names = ["set%d_%s.py" % (number + 1, letter) for letter in "abcd"]
        alone = random.choice(names)
        asked.append({
            "programs": [{"name": name, "text": program(random, name, HALLS[number], name == alone)} for name in names],
            "ask": "which of the four should be left alone, since no change of its functions could make it a tenth faster?",
            "choices": names, "answer": alone, "tolerance": 0})
    return asked
