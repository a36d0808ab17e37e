"""Reads the lines of scanners and couriers.

A scanner's line is complete. A courier's leaves out what is as usual, gives the time as a stamp
and the parcel by the label that the courier printed: COURIER-NNNNN-C, C being a check digit.
"""

import datetime
import json
import re

from .model import Scan

EPOCH = datetime.datetime(2024, 1, 1)
MINUTE = datetime.timedelta(minutes=1)
STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", re.ASCII)
NUMBER = re.compile(r"-(\d{5})-(\d)")


def usual_fields():
    """The values of the fields that couriers leave out: new ones for each scan, which may change them."""
    return {
        "grams": 500,
        "zone": "Z1",
        "extra": {
            "flags": [],
            "care": {"cold": [2, 8], "frost": [-30, -18], "heavy": [20000, 30000]},
            "holds": {"customs": 0, "address": 0, "payment": 0},
        },
    }


def parse_line(line):
    """The scan that a line tells of, or None where the line is damaged."""
    record = read_record(line)
    if record is None:
        return None
    try:
        minute = record["minute"] if "minute" in record else minute_of(record["stamp"])
        parcel = record["parcel"] if "parcel" in record else parcel_of(record["label"], record["courier"])
        return Scan(
            parcel, record["kind"], minute, record["x"], record["y"], record["grams"], record["zone"], record["extra"]
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def read_record(line):
    """The line's fields with the usual values for those left out, or None if it is no JSON object."""
    try:
        given = json.loads(line)
    except ValueError:
        return None
    if not isinstance(given, dict):
        return None
    if "grams" in given and "zone" in given and "extra" in given:
        return given
    record = usual_fields()
    record.update(given)
    return record


def minute_of(stamp):
    """The minute of a stamp like 2024-03-01T12:30:00. Some couriers leave out leading zeros."""
    match = STAMP.fullmatch(stamp)
    if match:
        when = datetime.datetime(*map(int, match.groups()))
    else:
        when = datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S")
    return (when - EPOCH) // MINUTE


def parcel_of(label, courier):
    """The parcel that a courier's label names. ValueError if the label is not this courier's, or mistyped."""
    match = NUMBER.fullmatch(label, len(courier)) if label.startswith(courier) else None
    if match is None:
        raise ValueError("label %r is not one of %s" % (label, courier))
    number, check = match.groups()
    if sum(map(int, number)) % 10 != int(check):
        raise ValueError("label %r has a wrong check digit" % label)
    return "P" + number
