"""What couriers report later, to be set right by hand."""

from .model import DAY
from .parse import parse_line

LATE_AFTER = 18 * 60  # minutes of a day


def mark_late(scan):
    """Notes on the scan itself that it came after the counter had closed."""
    if scan.minute % DAY > LATE_AFTER:
        scan.extra["flags"].append("late")
        scan.extra["holds"]["address"] += 1


def read_corrections(lines):
    """[parcel, kind, minute, grams, flags, holds] of each line; None for a damaged one."""
    told = []
    for line in lines:
        scan = parse_line(line)
        if scan is None:
            told.append(None)
            continue
        mark_late(scan)
        extra = scan.extra
        told.append([scan.parcel, scan.kind, scan.minute, scan.grams, extra["flags"], extra["holds"]["address"]])
    return told
