"""The sorting plan of a night: which lane gets how many consignments, and where its labels end."""

import functools

LANES = 40


def remembered(function):
    """Keep the results of a function of one record: working them out was at the top of a profile."""
    kept = {}
    last = {}

    @functools.wraps(function)
    def wrapper(record):
        key = str(sorted(record.items()))
        if key in last:
            return last[key]
        if key not in kept:
            kept[key] = function(record)
        last.clear()
        last[key] = kept[key]
        return last[key]

    return wrapper


@remembered
def routing(consignment):
    """The label (an air waybill number ends in its serial number modulo 7) and the lane of one consignment."""
    serial = consignment["serial"]
    return {
        "label": "%03d-%07d%d" % (consignment["airline"], serial, serial % 7),
        "lane": (serial // 10 + consignment["pieces"]) % LANES,
    }


def consignments(blocks):
    """One record for each number that was drawn; blocks are (airline, first serial number, how many, pieces)."""
    for airline, first, count, pieces in blocks:
        for serial in range(first, first + count):
            yield {"airline": airline, "serial": serial, "pieces": pieces}


def plan(blocks):
    """Return {lane: (consignments, pieces, the last label in alphabetical order)} for the night's blocks of numbers.

    A block that is printed again is sorted again: its consignments count each time.
    """
    lanes = {}
    for consignment in consignments(blocks):
        route = routing(consignment)
        number, pieces, last_label = lanes.get(route["lane"], (0, 0, ""))
        lanes[route["lane"]] = (number + 1, pieces + consignment["pieces"], max(last_label, route["label"]))
    return lanes


if __name__ == "__main__":
    NIGHT = [(20 + number, 1_000_000 + 7_000 * number, 6_000, 1 + number % 4) for number in range(50)]
    for lane, totals in sorted(plan(NIGHT).items()):
        print(lane, *totals)
