"""Five programs of a radio station, and two questions about each: in which function is most of MainThread's wall time, and is it there
on a CPU or off it?

Each function has two versions of the same name, one that computes (or asks over and over) and one that waits. Which function is
the largest is a matter of sizes.
"""

SHOWS = ("Breakfast show", "News at noon", "Concert hour", "Night line", "Chart show")
HOT_MS = (300, 380)                        # of the function that is asked for, over all tracks, where the costs below were measured
COMPUTING_MS = (8, 13)                     # of another one, which computes; on a busy machine it takes some times as long
WAITING_MS = (22, 40)                      # of another one, which waits
GIL_MS = 5                                 # after which a thread that asks over and over lets another one say something
ON, OFF = "on a CPU", "off the CPU"

# Functions by name: what is common to both versions; nanoseconds for one of {count} of the version that computes (None: it takes
# {seconds} as the other does); that version; the one that waits.
FUNCTIONS = {
    "next_request": ("", None, '''
def next_request(number):
    """The listener's request for this place in the show, as the telephone desk hands it on."""
    desk = queue.Queue()
    threading.Timer({seconds}, desk.put, (number * 7,)).start()
    while True:
        try:
            return desk.get_nowait()
        except queue.Empty:
            continue
''', '''
def next_request(number):
    """The listener's request for this place in the show, as the telephone desk hands it on."""
    desk = queue.Queue()
    threading.Timer({seconds}, desk.put, (number * 7,)).start()
    while True:
        try:
            return desk.get(timeout=10)
        except queue.Empty:
            continue
'''),
    "ready_lamp": ("", None, '''
def ready_lamp(number):
    """Until the presenter in the studio is ready for the track."""
    lamp = threading.Event()
    threading.Timer({seconds}, lamp.set).start()
    while not lamp.is_set():
        pass
    return number
''', '''
def ready_lamp(number):
    """Until the presenter in the studio is ready for the track."""
    lamp = threading.Event()
    threading.Timer({seconds}, lamp.set).start()
    while not lamp.wait(10):
        pass
    return number
'''),
    "fade_out": ("", None, '''
def fade_out(number):
    """Turn the track before it down, in five steps."""
    level, until = 1000 + number, time.monotonic()
    for step in range(5):
        until += {seconds} / 5
        while time.monotonic() < until:
            pass
        level = level * 6 // 10
    return level
''', '''
def fade_out(number):
    """Turn the track before it down, in five steps."""
    level, until = 1000 + number, time.monotonic()
    for step in range(5):
        until += {seconds} / 5
        while time.monotonic() < until:
            time.sleep({seconds} / 5)
        level = level * 6 // 10
    return level
'''),
    "checksum": ("", 75, '''
def checksum(number):
    """The sum over the track's bytes."""
    total = 0
    for value in bytes([number]) * {count}:
        total = (total * 31 + value) % 65521
    return total
''', '''
def play_tape(end, number):
    for block in range(5):
        time.sleep({seconds} / 5)
        os.write(end, bytes([number]) * 50)
    os.close(end)


def checksum(number):
    """The sum over the track's bytes."""
    total, (tape, end) = 0, os.pipe()
    threading.Thread(target=play_tape, name="tape", args=(end, number)).start()
    with open(tape, "rb") as track:
        for value in track.read():
            total = (total * 31 + value) % 65521
    return total
'''),
    "loudness": ('''
def measure(number, levels):
    for moment in range({count}):
        levels[0] = max(levels[0] * 15 // 16, moment * number % 1000)
''', 180, '''
def loudness(number):
    """How loud the track is at its end, by the meter."""
    levels = [0]
    measure(number, levels)
    return levels[0]
''', '''
def loudness(number):
    """How loud the track is at its end, by the meter."""
    levels = [0]
    meter = threading.Thread(target=measure, name="meter", args=(number, levels))
    meter.start()
    meter.join()
    return levels[0]
'''),
    "tag": ('''
SHELF = threading.Lock()
''', 350, '''
def tag(number):
    """The mark under which the track is found in the archive's shelf."""
    with SHELF:
        return hashlib.pbkdf2_hmac("sha256", b"%d" % number, b"archive", {count})[0]
''', '''
def tidy_up(begun):
    with SHELF:
        begun.set()
        time.sleep({seconds})


def tag(number):
    """The mark under which the track is found in the archive's shelf."""
    begun = threading.Event()
    threading.Thread(target=tidy_up, name="archive", args=(begun,)).start()
    begun.wait()
    with SHELF:
        return hashlib.pbkdf2_hmac("sha256", b"%d" % number, b"archive", 10)[0]
'''),
}

TEXT = '''"""{show}: what the playout computer does before each track."""
import hashlib
import os
import queue
import threading
import time

TRACKS = {tracks}


def cue_sheet(number):
    """The first letters of what the presenter reads about the track."""
    lines = ["%03d %s" % (line, "so" * (line % 9)) for line in range(number % 5, 400)]
    return sum(len(line.split()) for line in lines)

{functions}

def main():
    total = 0
    for number in range(1, TRACKS + 1):
        total += cue_sheet(number)
{calls}
    print(TRACKS, "tracks,", total)


if __name__ == "__main__":
    main()
'''


def text_of(name, computes, milliseconds):
    """The function, made to take so long for one track."""
    common, cost, on, off = FUNCTIONS[name]
    if computes and cost is None and name != "fade_out":
        milliseconds = max(1, milliseconds - GIL_MS)
    count = int(milliseconds * 1e6 / (cost or 1))
    text = (common + "\n" if common else "") + (on if computes else off)
    return text.replace("{seconds}", "%.4f" % (milliseconds / 1000)).replace("{count}", str(count))


def program(random, show, hot, computes):
    """Return (text, functions). Of the other functions one computes and one waits, in any program."""
    tracks = random.randint(5, 7)
    others = random.sample(sorted(set(FUNCTIONS) - {hot}), 2)
    parts = [text_of(hot, computes, random.uniform(*HOT_MS) / tracks)]
    parts.append(text_of(others[0], True, random.uniform(*COMPUTING_MS) / tracks))
    waiting = COMPUTING_MS if others[1] == "loudness" else WAITING_MS  # it waits for one that computes
    parts.append(text_of(others[1], False, random.uniform(*waiting) / tracks))
    names = [hot] + others
    random.shuffle(parts)
    order = random.sample(names, 3)
    calls = "\n".join("        total += %s(number)" % name for name in order)
    return TEXT.format(show=show, tracks=tracks, functions="\n".join(parts), calls=calls), ["cue_sheet"] + names


def questions(random):
    computing = random.sample(range(len(SHOWS)), random.choice((2, 3)))
    asked = []
    for place, hot in enumerate(random.sample(sorted(FUNCTIONS), len(SHOWS))):
        text, names = program(random, SHOWS[place], hot, place in computing)
        shown = {"name": "show%d.py" % (place + 1), "text": text}
        asked.append({
            "program": shown, "ask": "in which function, with all that it calls, is most of MainThread's wall time?",
            "choices": sorted(names), "answer": hot, "tolerance": 0})
        asked.append({
            "program": shown, "ask": "while MainThread is in that function, is it mostly on a CPU or off it?",
            "choices": [OFF, ON], "answer": ON if place in computing else OFF, "tolerance": 0})
    return asked
