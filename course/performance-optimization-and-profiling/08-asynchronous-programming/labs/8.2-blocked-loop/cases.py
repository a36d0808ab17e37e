"""Uploads of depots: many small ones, or a large one and two small ones that come with it."""
import hashlib
import hmac

LARGE = 10_000  # records: from here on one upload has them all
ROUNDS = 150_000
DEPOTS = ("Aarhus", "Bremen", "Graz", "Lyon", "Malaga", "Porto", "Turin", "Zwolle")
ZONES = (b"north", b"south", b"isle", b"inland", b"harbour")


def seal_of(depot, rounds, body):
    key = hashlib.pbkdf2_hmac("sha256", b"the depots and we", depot.encode(), rounds)
    return hmac.new(key, body, "sha256").hexdigest()


def body_of(random, size):
    zones = random.choices(ZONES, k=size)
    return [b'{"zone":"%s","grams":%d}' % (zone, random.randrange(50, 30_000)) for zone in zones]


def upload(random, lines, rounds, fault=""):
    """One upload (depot, rounds, body, seal); with a line cut short, a field that is missing, or a seal of something else."""
    depot = random.choice(DEPOTS)
    if lines and fault == "cut":
        place = random.randrange(len(lines))
        lines[place] = lines[place][: random.randrange(10, len(lines[place]))]
    body = b"\n".join(lines)
    seal = seal_of(depot, rounds, body + b" " if fault == "seal" else body)
    return depot, rounds, body + b"\n" if fault == "late" else body, seal


def case(random, size):
    if size >= LARGE:
        uploads = [upload(random, body_of(random, 50), 1000) for _ in range(2)]
        uploads.insert(random.randrange(3), upload(random, body_of(random, size), ROUNDS))
        return (uploads,)
    faults = ("", "", "", "cut", "seal", "late")
    count = random.randrange(min(size, 1), 6)
    uploads = [upload(random, body_of(random, random.randrange(size + 1)), 100, random.choice(faults)) for _ in range(count)]
    if count > 1 and size >= 1000:         # the last one is far smaller, and so the first that could be done
        uploads[0] = upload(random, body_of(random, size), 20_000)
        uploads[-1] = upload(random, body_of(random, 1), 1)
    return (uploads,)


def sealed(depot, lines, rounds=1):
    body = b"\n".join(lines)
    return depot, rounds, body, seal_of(depot, rounds, body)


def edges():
    good = b'{"zone":"isle","grams":1200}'
    large = [good] * 1500
    return [
        ([],),
        ([sealed("Lyon", [])],),
        ([sealed("Lyon", [good]), ("Graz", 1, good, "no seal")],),
        ([sealed("Lyon", large + [b'{"zone":"isle","gra']), sealed("Graz", [good])],),
        ([sealed("Lyon", [b"no record"] + large)],),
        ([sealed("Lyon", large, 30_000), sealed("Lyon", [good])],),
    ]
