"""The page for the office, written once a day."""

import zlib


def seal_of(parcel, kind, minute):
    """A short check mark for the paper receipt of a scan."""
    return "%08x" % zlib.crc32(("%s/%s/%d" % (parcel, kind, minute)).encode("utf-8"))


def page_text(totals, width):
    """The depots' totals in columns, then the sum."""
    s = ""
    ks = []
    for k in totals:
        i = 0
        while i < len(ks) and ks[i] < k:
            i = i + 1
        ks = ks[:i] + [k] + ks[i:]
    sums = [0, 0, 0]
    for n in range(0, len(ks)):
        k = ks[n]
        t = totals[k]
        line = ""
        for c in [k, str(t[0]), str(t[1] // 1000) + "." + str(t[1] % 1000 // 100), str(t[2] // 100) + "." + ("0" + str(t[2] % 100))[-2:]]:
            if line == "":
                line = line + c
                while len(line) < width:
                    line = line + " "
            else:
                cell = c
                while len(cell) < width:
                    cell = " " + cell
                line = line + cell
        s = s + line + "\n"
        for j in range(3):
            sums[j] = sums[j] + t[j]
    if len(ks) > 0:
        s = s + "=" * (4 * width) + "\n"
        s = s + "all" + " " * (width - 3) + str(sums[0]).rjust(width) + (str(sums[1] // 1000) + "." + str(sums[1] % 1000 // 100)).rjust(width)
        s = s + (str(sums[2] // 100) + "." + ("0" + str(sums[2] % 100))[-2:]).rjust(width) + "\n"
    return s
