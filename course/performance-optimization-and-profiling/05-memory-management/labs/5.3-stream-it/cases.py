"""Archives of visits. A size is the number of lines. Large ones draw their lines from a pool, so that they are made, and sent,
quickly; the program under test can't know."""
import gzip

DEPOTS = ("north", "south", "east", "west", "coast", "isle")
CAGES = 700
POOL = 300


def line(random):
    usual = 15 + 5 * random.randrange(6)
    minutes = random.randrange(300, 1440) if random.random() < 0.03 else random.randrange(2 * usual)
    arrived = random.randrange(1440)
    scanner = "scanner=dock-%d firmware=%s-stable battery=%d signal=%s temperature=%d humidity=%d" % (
        random.randrange(1, 12), random.choice(("4.2.1", "4.3.0")), random.randrange(20, 101), random.choice(("good", "weak")),
        random.randrange(-5, 30), random.randrange(30, 80))
    return "C%04d %s %d %d %s" % (random.randrange(CAGES), random.choice(DEPOTS), arrived, (arrived + minutes) % 1440, scanner)


def case(random, size):
    if size <= POOL:
        lines = [line(random) for _ in range(size)]
        for _ in range(size // 10):
            lines.insert(random.randrange(size), random.choice(("# scanner restarted", "", "# clock set")))
        text = "\n".join(lines) + random.choice(("", "\n")) * bool(lines)
    else:
        text = "\n".join(random.choices([line(random) for _ in range(POOL)], k=size)) + "\n"
    return (gzip.compress(text.encode(), 6),)


def packed(*parts):
    """An archive of so many parts, with a scanner at the end of each line "CAGE DEPOT IN OUT;"."""
    return (b"".join(gzip.compress(part.replace(";", " scanner=dock-1").encode()) for part in parts),)


def edges():
    return [
        packed(""),
        packed("# nothing happened\n\n"),
        packed("C0001 north 10 10;\n"),                                           # an average of 0, and nothing above it
        packed("C0001 north 1430 10;\nC0002 north 10 30;"),                       # over midnight; no line end at the end
        packed("C0001 north 0 0;\nC0002 north 0 0;\nC0003 north 0 60;\n"),        # exactly three times the average
        packed("C0001 north 0 0;\nC0002 north 0 0;\nC0004 north 0 0;\nC0003 north 0 60;\nC0003 north 0 0;\n"),
        packed("C0003 north 0 900;\nC0001 north 0 1;\nC0001 north 5 6;\nC0001 north 7 8;\n"),   # the long one is the first
        packed("C0001 north 0 9;\n", "C0002 south 0 9;\nC0002 ", "north 3 5;\n"),  # an archive that was appended to
    ]
