"""Slow: comparing is several times as cheap, and there are as many comparisons as before.

What the bikes of a hire scheme have ridden: riders type in a plate, the workshop knows a bike by its chip."""


def spelled(plate):
    """Return a plate as it is printed, however somebody typed it: "c 204" and "C-204" are one plate."""
    return plate.replace("-", "").replace(" ", "").upper()


class Bike:
    """A bike of the fleet, or one that a rider names. Two are equal if their plates are."""

    def __init__(self, plate):
        self.plate = plate
        self.key = spelled(plate)

    def __eq__(self, other):
        return self.key == other.key

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
            fleet[name].key = spelled(value)
    return {chip: (bike.plate, *totals[bike]) for chip, bike in fleet.items()}, unknown
