"""The sorting plan of a night: which lane gets how many consignments, and where its labels end."""

LANES = 40


def routing(airline, serial, pieces):
    """The label (an air waybill number ends in its serial number modulo 7) and the lane of one consignment."""
    label = "%03d-%07d%d" % (airline, serial, serial % 7)
    return label, (serial // 10 + pieces) % LANES


def plan(blocks):
    """Return {lane: (consignments, pieces, the last label in alphabetical order)} for the night's blocks of numbers.

    A block is (airline, first serial number, how many, pieces). One that is printed again is
    sorted again: its consignments count each time.
    """
    lanes = {}
    for airline, first, count, pieces in blocks:
        for serial in range(first, first + count):
            label, lane = routing(airline, serial, pieces)
            number, sum_pieces, last_label = lanes.get(lane, (0, 0, ""))
            lanes[lane] = (number + 1, sum_pieces + pieces, max(last_label, label))
    return lanes


if __name__ == "__main__":
    NIGHT = [(20 + number, 1_000_000 + 7_000 * number, 6_000, 1 + number % 4) for number in range(50)]
    for lane, totals in sorted(plan(NIGHT).items()):
        print(lane, *totals)
