"""What the bikes of a hire scheme have ridden: riders type in a plate, the workshop knows a bike by its chip."""


def spelled(plate):
    """Return a plate as it is printed, however somebody typed it: "c 204" and "C-204" are one plate."""
    return plate.replace("-", "").replace(" ", "").upper()


class Bike:
    """A bike of the fleet, or one that a rider names. Two are equal if their plates are."""

    def __init__(self, plate):
        self.plate = plate

    def __eq__(self, other):
        return spelled(self.plate) == spelled(other.plate)

    def __hash__(self):
        return ord(self.plate[0].upper())      # a bike that gets a new plate keeps its letter


def ridden(log):
    """Return ({chip: (plate, rides, metres)}, rides with a plate that no bike had) for the log of a season, one event a line:

    join;CHIP;PLATE     a bike joins the fleet
    ride;PLATE;METRES   somebody brings it back, and types in its plate
    plate;CHIP;PLATE    the workshop gives it another plate, of the same letter
    """
    fleet = {}                                 # {chip: Bike}
    totals = {}                                # {Bike: [rides, metres]}
    unknown = 0
    for line in log:
        kind, name, value = line.split(";")
        if kind == "ride":
            total = totals.get(Bike(name))
            if total is None:
                unknown += 1
            else:
                total[0] += 1
                total[1] += int(value)
        elif kind == "join":
            fleet[name] = Bike(value)
            totals[fleet[name]] = [0, 0]
        else:
            fleet[name].plate = value
    return {chip: (bike.plate, *totals[bike]) for chip, bike in fleet.items()}, unknown


if __name__ == "__main__":
    LOG = ["join;chip-%04d;%s-%04d" % (number, "CELT"[number % 4], number) for number in range(1600)]
    for NUMBER in range(6_000):
        BIKE = NUMBER * NUMBER % 1627
        if NUMBER % 40 == 0:
            LOG.append("plate;chip-%04d;%s-%05d" % (BIKE % 1600, "CELT"[BIKE % 1600 % 4], 10_000 + NUMBER))
        LOG.append("ride;%s %04d;%d" % ("celt"[BIKE % 4], BIKE, 400 + NUMBER % 7000))
    FLEET, UNKNOWN = ridden(LOG)
    for CHIP in sorted(FLEET, key=lambda chip: FLEET[chip][2])[-3:]:
        print("%s, now %s: %d rides, %d metres" % (CHIP, *FLEET[CHIP]))
    print("%d rides with plates that no bike had" % UNKNOWN)
