"""Five programs that look at an old photograph of the sky, and two questions about each: how often is a tiny function called, and which
stage has most of the time?

One stage makes a million tiny calls, another makes one call that is long and all in C. In some programs the first has most of the
time, in others the second; cProfile names the first in nearly all of them. What a call costs depends on the Python, so measure()
takes each of the two out and sees what is left.
"""
import time

COUNT = 5
PIXELS = (20_000, 32_000)                  # of a photograph
LARGE_MS, SMALL_MS = (180, 195), (54, 58)  # of the stage with most of the time, and of the other one, where the costs below were measured

# Stage: nanoseconds for each call of its tiny function; the function's name; text.
TINY = {
    "count_stars": (115, "is_star", '''
def is_star(level):
    return abs(level - 20) > 200


def count_stars(plate):
    """How many pixels are bright enough for a star, in each exposure; a few are looked at twice."""
    stars = 0
    for exposure in range({passes}):
        for level in plate:
            stars += is_star(level)
    for level in plate[::{step}]:
        stars += is_star(level)
    return stars
'''),
    "measure_grain": (115, "jump", '''
def jump(left, right):
    return abs(left - right)


def measure_grain(plate):
    """How much the levels of neighbours differ, in each exposure; a few are compared with the first."""
    grain = before = 0
    for exposure in range({passes}):
        for level in plate:
            grain += jump(level, before)
            before = level
    for level in plate[::{step}]:
        grain += jump(level, plate[0])
    return grain
'''),
    "draw_letters": (110, "letter", '''
def letter(level):
    return chr(32 + level // 4)


def draw_letters(plate):
    """How many letters of the drawing are blanks, in each exposure and in the small one."""
    blanks = 0
    for exposure in range({passes}):
        for level in plate:
            blanks += letter(level) == " "
    for level in plate[::{step}]:
        blanks += letter(level) == " "
    return blanks
'''),
    "find_borders": (145, "is_border", '''
def is_border(place):
    return divmod(place, {columns})[1] == 0


def find_borders(plate):
    """How many pixels lie at the plate's left border, in each exposure and in the small one."""
    borders = 0
    for exposure in range({passes}):
        for place in range(len(plate)):
            borders += is_border(place)
    for place in range(0, len(plate), {step}):
        borders += is_border(place)
    return borders
'''),
    "develop": (125, "developed", '''
def developed(level):
    return abs(level * 3 // 2 - 40)


def develop(plate):
    """The sum of the levels after development, of each exposure and of the test strip."""
    total = 0
    for exposure in range({passes}):
        for level in plate:
            total += developed(level)
    for level in plate[::{step}]:
        total += developed(level)
    return total
'''),
}

# Stage: nanoseconds for one of {size}; text.
HEAVY = {
    "median_level": (150, '''
def median_level(plate):
    """The level in the middle of all exposures."""
    return sorted((plate * {copies})[:{size}])[{size} // 2]
'''),
    "correlation": (60, '''
def correlation(plate):
    """How well the exposures fit on themselves, moved by a pixel."""
    levels = (plate * {copies})[:{size}]
    return sum(map(operator.mul, levels, levels[1:]))
'''),
    "packed_size": (31, '''
def packed_size(plate):
    """How many bytes the exposures take in the archive."""
    return len(zlib.compress(bytes((plate * {copies})[:{size}]), 9))
'''),
    "fingerprint": (10_500, '''
def fingerprint(plate):
    """A number by which copies of the exposures are told apart."""
    return pow(3, int.from_bytes(bytes((plate * {copies})[:{size}]), "big"), 2**521 - 1) % 10**9
'''),
    "exposure": (80, '''
def exposure(plate):
    """The light that fell on the plate, over all exposures."""
    return int(math.fsum(map(math.sqrt, (plate * {copies})[:{size}])))
'''),
}
PLAIN = {
    "darkest_row": '''
def darkest_row(plate):
    """The row with the least light."""
    sums = [sum(plate[first : first + {columns}]) for first in range(0, len(plate), {columns})]
    return sums.index(min(sums))
''',
    "used_levels": '''
def used_levels(plate):
    """How many levels there are at all."""
    return len(set(plate))
''',
    "scratches": '''
def scratches(plate):
    """How many white pixels stand beside each other."""
    return bytes(plate).count(bytes([255, 255]))
''',
    "turned": '''
def turned(plate):
    """The level in the corner that is below when the plate is turned."""
    return plate[::-1][{columns} - 1]
''',
}

TEXT = '''"""Plate {plate} of the observatory, {year}: what can be told from its levels, 0 to 255.

Give names of stages as arguments to leave those out.
"""
import math
import operator
import sys
import zlib

ROWS, COLUMNS = {rows}, {columns}


def read_plate():
    """The levels of the pixels, row by row. Here they are made up."""
    return [number * number * 7919 % 65521 % 256 for number in range(ROWS * COLUMNS)]

{stages}

STAGES = ({names})


def main(left_out):
    unknown = set(left_out) - {{stage.__name__ for stage in STAGES}}
    if unknown:
        sys.exit("no such stage: " + ", ".join(sorted(unknown)))
    plate = read_plate()
    for stage in STAGES:
        if stage.__name__ not in left_out:
            print("%-14s %d" % (stage.__name__, stage(plate)))


if __name__ == "__main__":
    main(sys.argv[1:])
'''


def questions(random):
    flipped = random.sample(range(COUNT), random.choice((2, 3)))  # cProfile names the wrong stage
    asked = []
    for place, (tiny, heavy) in enumerate(zip(random.sample(sorted(TINY), COUNT), random.sample(sorted(HEAVY), COUNT))):
        columns = random.randrange(140, 190)
        rows = random.randint(*PIXELS) // columns
        cost, function, tiny_text = TINY[tiny]
        large, small = random.uniform(*LARGE_MS) * 1e6, random.uniform(*SMALL_MS) * 1e6
        size = int((large if place in flipped else small) / HEAVY[heavy][0])
        passes, step = round((small if place in flipped else large) / cost / (rows * columns)), random.randrange(3, 40)
        plain = random.sample(sorted(PLAIN), 2)
        names, texts = [tiny, heavy] + plain, [tiny_text, HEAVY[heavy][1]] + [PLAIN[name] for name in plain]
        copies = 1 + size // (rows * columns)
        for name, value in (("passes", passes), ("step", step), ("columns", columns), ("size", size), ("copies", copies)):
            texts = [text.replace("{%s}" % name, str(value)) for text in texts]
        random.shuffle(names)
        random.shuffle(texts)
        program = {"name": "plate%d.py" % (place + 1), "text": TEXT.format(
            plate=random.randrange(100, 1000), year=random.randrange(1888, 1935), rows=rows, columns=columns,
            stages="\n".join(texts), names=", ".join(names))}
        asked.append({
            "program": program, "ask": "how often is %s called?" % function,
            "choices": None, "answer": passes * rows * columns + -(-rows * columns // step), "tolerance": 0.5, "stage": tiny})
        asked.append({
            "program": program, "ask": "which stage has most of the time, when no profiler is in the program?",
            "choices": sorted(["read_plate"] + names), "answer": None, "planned": heavy if place in flipped else tiny,
            "tolerance": 0, "suspects": [tiny, heavy]})
    return asked


def measure(question):
    """The suspect without which the program takes least."""
    namespace = {"__name__": "program", "print": lambda text: None}
    seconds = dict.fromkeys(question["suspects"], float("inf"))
    exec(compile(question["program"]["text"], question["program"]["name"], "exec"), namespace)
    for suspect in question["suspects"] * 2:
        start = time.process_time()
        namespace["main"]([suspect])
        seconds[suspect] = min(seconds[suspect], time.process_time() - start)
    return min(seconds, key=seconds.get)
