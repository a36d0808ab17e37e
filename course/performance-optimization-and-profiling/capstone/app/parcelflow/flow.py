"""What other programs may call: names, arguments and answers here stay as they are.

Arguments and answers are plain data (what JSON can hold), but for the desk and the journal.
"""

import os

from .corrections import read_corrections
from .desk import BackendError, Desk, serve
from .history import History
from .intake import Ledger, drop_repeats, empty_belt, read_scans
from .journal import Journal
from .model import Depot, Version, Window
from .places import assign_depots, join_windows
from .report import page_text, seal_of
from .routes import score_routes
from .tariffs import Tariffs

__all__ = [
    "BackendError", "correct", "follow", "locate", "open_desk", "open_journal", "price", "run_day", "score",
    "serve", "sort_belt", "take_in", "windows_open",
]

COMMIT_EVERY = 50  # records
TO_COLLECT = "cash"  # the flag of a parcel that is paid for on delivery


def locate(points, depots):
    """The code of the depot nearest to each (x, y); depots are [code, x, y]."""
    return assign_depots(points, [Depot(*depot) for depot in depots])


def windows_open(visits, windows):
    """For each (depot, minute) the numbers of the windows open; windows are [number, depot, opens, closes]."""
    return join_windows(visits, [Window(*window) for window in windows])


def take_in(lines, cents):
    """Scanners' lines without repeats, entered at so many cents each: what was kept, and the ledger's totals."""
    scans, damaged = read_scans(lines)
    kept = drop_repeats(scans)
    ledger = Ledger()
    for scan in kept:
        ledger.enter(scan.parcel, scan.zone, scan.minute, scan.grams, cents)
    return {
        "kept": [[scan.parcel, scan.kind, scan.minute] for scan in kept],
        "damaged": damaged,
        "totals": list(ledger.totals().items()),
        "heaviest": ledger.heaviest(20),
    }


def sort_belt(loads):
    """The order in which parcels leave the belt; loads are (parcel, rounds)."""
    return empty_belt(loads)


def correct(lines):
    """What couriers' lines say, None for a damaged one."""
    return read_corrections(lines)


def follow(moves):
    """Follows (parcel, minute, depot, whether it has arrived) in the order given."""
    history = History()
    for parcel, minute, depot, arrived in moves:
        history.add_move(parcel, minute, depot)
        if arrived:
            history.end_trail(parcel)
    return {
        "arrivals": history.arrivals,
        "minutes": history.minutes,
        "recent": history.recent_trails(),
        "latest": history.latest_steps(),
    }


def price(versions, asks):
    """The price for each ("price", zone, grams, minute); a ("publish", version) among them adds a version.

    A version is [number, day, base, {zone: percent}]."""
    tariffs = Tariffs([Version(*version) for version in versions])
    told = []
    for ask in asks:
        if ask[0] == "publish":
            tariffs.publish(Version(*ask[1]))
        else:
            told.append(tariffs.price(ask[1], ask[2], ask[3]))
    return told


def score(routes, legs):
    """The minutes of each (stops, starting hour); legs are [from, to, [minutes for each of 24 hours]]."""
    return score_routes(routes, {(start, end): minutes for start, end, minutes in legs})


def open_desk(forms, backend):
    """Something with `await answer(query)` and `active`, the number of queries under way. Made inside a running loop."""
    return Desk(forms, backend)


def open_journal(path):
    """Something with append(record), commit(), records() and close()."""
    return Journal(path)


def run_day(folder, feed):
    """A whole day: reads the feed, writes journal.jsonl and report.txt into the folder, returns the figures."""
    scans, damaged = read_scans(feed["lines"])
    kept = drop_repeats(scans)
    codes = assign_depots([(scan.x, scan.y) for scan in kept], [Depot(*depot) for depot in feed["depots"]])
    visits = [(code, scan.minute) for code, scan in zip(codes, kept)]
    numbers = join_windows(visits, [Window(*window) for window in feed["windows"]])
    tariffs = Tariffs([Version(*version) for version in feed["versions"]])
    ledger = Ledger()
    history = History()
    log = Journal(os.path.join(folder, "journal.jsonl"))
    owed = 0
    unopened = 0
    for scan, code, opened in zip(kept, codes, numbers):
        history.add_move(scan.parcel, scan.minute, code)
        unopened += not opened
        if scan.kind != "arrive":
            continue
        history.end_trail(scan.parcel)
        cents = tariffs.price(scan.zone, scan.grams, scan.minute)
        ledger.enter(scan.parcel, code, scan.minute, scan.grams, cents)
        seal = seal_of(scan.parcel, scan.kind, scan.minute)
        if TO_COLLECT in scan.extra["flags"]:
            log.append([scan.parcel, cents, seal])
            owed += 1
            if owed % COMMIT_EVERY == 0:
                log.commit()
    log.commit()
    log.close()
    corrections = read_corrections(feed["corrections"])
    with open(os.path.join(folder, "report.txt"), "w", encoding="utf-8") as report:
        report.write(page_text(ledger.totals(), 12))
    return {
        "kept": len(kept),
        "damaged": damaged,
        "owed": owed,
        "unopened": unopened,
        "arrivals": history.arrivals,
        "minutes": history.minutes,
        "recent": history.recent_trails(),
        "latest": history.latest_steps(),
        "heaviest": ledger.heaviest(10),
        "corrections": corrections,
        "belt": empty_belt(feed["loads"]),
        "scores": score_routes(feed["routes"], {(start, end): minutes for start, end, minutes in feed["legs"]}),
    }
