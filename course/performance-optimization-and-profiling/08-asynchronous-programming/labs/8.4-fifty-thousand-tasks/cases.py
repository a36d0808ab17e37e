"""Meters of a town, and what they and the watchdog answer."""
import hashlib


def litres_of(meter):
    """None if the watchdog cancels who asks."""
    answer = hashlib.sha256(b"%d" % meter).digest()
    return None if answer[0] < 16 else int.from_bytes(answer[1:4], "big")


def case(random, size):
    meters = [random.randrange(10**6) for _ in range(size)]
    if size > 2 and random.random() < 0.5:
        meters[size - 1] = meters[0]       # some houses are on two rounds
    return (meters,)


def some(count, silent):
    """So many meters that are silent, or aren't."""
    return [meter for meter in range(40 * count) if (litres_of(meter) is None) == silent][:count]


def edges():
    silent, good = some(1500, True), some(150, False)
    return [
        ([],),
        (good[:1],),
        (silent[:1],),
        (good[:1] + silent[:1] + good[:1],),
        (silent + good[:20],),             # more of them than a pool has workers
        (good + silent[:2] + good[:3],),
    ]


def judge(args, answer):
    (meters,) = args
    if type(answer) is not list:
        return "a list is wanted, of type %s it is" % type(answer).__name__
    if len(answer) != len(meters):
        return "%d readings for %d meters" % (len(answer), len(meters))
    for place, (meter, found) in enumerate(zip(meters, answer)):
        wanted = litres_of(meter)
        if type(found) is not type(wanted) or found != wanted:
            return "meter %d, at place %d of %d: %r, not %r" % (meter, place, len(meters), found, wanted)
    return None
