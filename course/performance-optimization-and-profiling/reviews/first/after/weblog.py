"""Tells what happened on a web site, from its access log.

    python weblog.py make FILE [--seed N] [--size X]    write a log (size 1: about 25,000 lines)
    python weblog.py run FILE                           print the report and a digest of it

The report has the pages asked for most, the time that pages took, the visits, the way that visitors took most often,
and the bursts of errors. Its digest is the behaviour: a faster program prints the same one for the same log.
"""

import argparse
import collections
import datetime
import functools
import hashlib
import json
import random
import re

VISIT_ENDS = 30 * 60  # seconds without a request
BURST = 5  # errors
BURST_SECONDS = 60
TOP = 10
LINE = re.compile(
    r'^(?P<visitor>\S+) \S+ \S+ \[(?P<stamp>[^\]]+)\] "(?P<verb>[A-Z]+) (?P<target>\S+) [^"]*" (?P<status>\d{3}) (?P<size>\d+) (?P<ms>\d+)$'
)
PAGES = ["/", "/search", "/cart", "/pay", "/help", "/login", "/about"] + ["/item/%d" % number for number in range(120)]


# The log


def make_log(file, seed, size):
    """Writes a log: its lines are ordered by time, some are damaged, and errors come in bursts."""
    draw = random.Random("weblog %s" % seed)
    when = datetime.datetime(2024, 5, 1)
    visitors = ["10.%d.%d.%d" % (draw.randrange(4), draw.randrange(256), draw.randrange(256)) for _ in range(max(3, int(120 * size)))]
    trouble = 0
    for _ in range(max(20, int(25000 * size))):
        when += datetime.timedelta(seconds=draw.choice((0, 0, 1, 2, 4, 9, 20)))
        if draw.random() < 0.002:
            trouble = 12
        trouble -= trouble > 0
        status = 500 if trouble and draw.random() < 0.7 else draw.choice((200, 200, 200, 200, 304, 404))
        page = draw.choice(PAGES) if draw.random() < 0.6 else draw.choice(PAGES[:7])
        if draw.random() < 0.3:
            page += "?q=%d" % draw.randrange(50)
        stamp = when.strftime("%d/%b/%Y:%H:%M:%S +0000")
        line = '%s - - [%s] "GET %s HTTP/1.1" %d %d %d' % (
            draw.choice(visitors), stamp, page, status, draw.randrange(200, 90000), int(draw.expovariate(1 / 80)) + 1
        )
        file.write((line[: draw.randrange(len(line))] if draw.random() < 0.005 else line) + "\n")


@functools.lru_cache(maxsize=1024)
def seconds_of(stamp):
    """Seconds since 1970. Lines that follow each other often have the same stamp."""
    return int(datetime.datetime.strptime(stamp, "%d/%b/%Y:%H:%M:%S %z").timestamp())


def parse_line(line):
    """{visitor, when, page, status, size, ms} of a line, or None if it is damaged. when is in seconds since 1970."""
    match = LINE.match(line.rstrip("\n"))
    if match is None:
        return None
    return {
        "visitor": match.group("visitor"),
        "when": seconds_of(match.group("stamp")),
        "page": match.group("target").partition("?")[0],
        "status": int(match.group("status")),
        "size": int(match.group("size")),
        "ms": int(match.group("ms")),
    }


def read_log(path):
    """(requests in the order of the log, number of damaged lines)"""
    with open(path, encoding="utf-8") as file:
        parsed = [parse_line(line) for line in file]
    requests = [request for request in parsed if request is not None]
    return requests, len(parsed) - len(requests)


# What is in it


def top_pages(requests):
    """[page, requests, bytes] of the pages asked for most; of equal ones the first by name."""
    asked = collections.Counter()
    size = collections.Counter()
    for request in requests:
        asked[request["page"]] += 1
        size[request["page"]] += request["size"]
    counted = [[page, asked[page], size[page]] for page in asked]
    counted.sort(key=lambda row: (-row[1], row[0]))
    return counted[:TOP]


def percentile(values, share):
    """The smallest value with at least this share of the values at or below it. share is in per cent."""
    ordered = sorted(values)
    place = -(-len(ordered) * share // 100)
    return ordered[max(place, 1) - 1]


def page_times(requests):
    """{page: [median, 90 %, 99 %]} in milliseconds, failed requests left out."""
    times = {}
    for request in requests:
        if request["status"] < 500:
            times.setdefault(request["page"], []).append(request["ms"])
    return {page: [percentile(values, share) for share in (50, 90, 99)] for page, values in times.items()}


def visits_of(requests):
    """The visits in the order of their beginning: a visitor's requests without a pause of half an hour."""
    visits = []
    latest = {}  # visitor -> the last visit
    for request in requests:
        current = latest.get(request["visitor"])
        if current is None or request["when"] - current["last"] > VISIT_ENDS:
            current = {"visitor": request["visitor"], "first": request["when"], "pages": []}
            visits.append(current)
            latest[request["visitor"]] = current
        current["last"] = request["when"]
        current["pages"].append(request["page"])
    return visits


def top_ways(visits):
    """[way, visits] of the three pages in a row that occur in most visits; of equal ones the first by name."""
    ways = {}
    for visit in visits:
        found = []
        for place in range(len(visit["pages"]) - 2):
            way = " > ".join(visit["pages"][place : place + 3])
            if way not in found:
                found.append(way)
                ways[way] = ways.get(way, 0) + 1
    return [[way, ways[way]] for way in sorted(ways, key=lambda way: (-ways[way], way))][:TOP]


def error_bursts(requests):
    """[begin, errors]: times within a minute of which at least five requests failed. Bursts that touch are one."""
    errors = [request["when"] for request in requests if request["status"] >= 500]
    bursts = []
    for begin in errors:
        within = [when for when in errors if begin <= when < begin + BURST_SECONDS]
        if len(within) < BURST:
            continue
        if bursts and begin < bursts[-1][1]:
            bursts[-1][1] = max(bursts[-1][1], within[-1] + 1)
        else:
            bursts.append([begin, within[-1] + 1])
    return [[begin, len([when for when in errors if begin <= when < end])] for begin, end in bursts]


def report_of(path):
    requests, damaged = read_log(path)
    visits = visits_of(requests)
    lengths = [visit["last"] - visit["first"] for visit in visits]
    return {
        "requests": len(requests),
        "damaged": damaged,
        "top_pages": top_pages(requests),
        "page_times": page_times(requests),
        "visits": len(visits),
        "median_visit": percentile(lengths, 50) if lengths else None,
        "top_ways": top_ways(visits),
        "bursts": error_bursts(requests),
    }


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("verb", choices=["make", "run"])
    parser.add_argument("file")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--size", type=float, default=1.0)
    options = parser.parse_args()
    if options.verb == "make":
        with open(options.file, "w", encoding="utf-8") as file:
            make_log(file, options.seed, options.size)
        return
    report = report_of(options.file)
    for name in ("requests", "damaged", "visits", "median_visit"):
        print("%-14s %s" % (name, report[name]))
    for page, asked, size in report["top_pages"]:
        print("%-14s %6d requests %10d bytes  90 %% in %s ms" % (page, asked, size, report["page_times"].get(page, ["", "-"])[1]))
    print("digest         %s" % hashlib.sha256(json.dumps(report, sort_keys=True).encode("ascii")).hexdigest())


if __name__ == "__main__":
    main()
