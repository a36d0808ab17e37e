"""Typed addresses and candidates for them. Most candidates are other streets: neither their ends nor their beginnings agree."""

KIND = ("Obere", "Untere", "Am Alten", "Lange", "Neue", "Sankt Veiter", "Am Grossen", "Hintere", "Zum Kleinen", "Innere")
FIRST = ("Linden", "Kirchen", "Muehlen", "Bahnhof", "Rosen", "Schiller", "Weinberg", "Garten", "Donau", "Brunnen", "Obst", "Lager")
SECOND = ("gasse", "strasse", "weg", "platz", "allee", "ufer", "steig", "ring", "markt", "zeile")
TOWNS = ("Neustadt", "Altenburg", "Seekirchen", "Mariahilf", "Waldegg", "Steinfeld", "Hallein", "Ottensheim")
LETTERS = "abcdefghijklmnopqrstuvwxyz -/"


def address(random):
    street = "%s %s%s" % (random.choice(KIND), random.choice(FIRST), random.choice(SECOND))
    return "%s %d, %d %s" % (street, random.randrange(1, 200), random.randrange(1010, 9993), random.choice(TOWNS))


def mistyped(random, text):
    """The text with some slips of the hand, at least one of them at its beginning."""
    letters = list(text)
    for place in (0, *(random.randrange(len(letters)) for _ in range(random.randrange(4)))):
        letters[place:place + random.randrange(2)] = random.choice(LETTERS)
    return "".join(letters)


def case(random, size):
    pairs = []
    for _ in range(size):
        typed = address(random)
        pairs.append((typed, mistyped(random, typed) if random.random() < 0.1 else address(random)))
    return (pairs,)


def edges():
    long = "Donaudampfschifffahrtsgesellschaftsplatz " * 20
    return [
        ([],),
        ([("", "")],),
        ([("", "Kirchenweg 4"), ("Kirchenweg 4", ""), ("Kirchenweg 4", "Kirchenweg 4")],),
        ([("kitten", "sitting"), ("sitting", "kitten"), ("ab", "ba")],),
        # The first takes longer than all others together: answers must still come in the order of the questions.
        ([(long, long[::-1])] + [("Rosenweg %d" % number, "Rosenweg 7") for number in range(40)],),
    ]
