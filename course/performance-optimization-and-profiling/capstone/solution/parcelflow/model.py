"""What the modules hand to each other."""

from dataclasses import dataclass
from typing import NamedTuple

DAY = 24 * 60  # minutes; time is counted in minutes from the start of the year


class Depot(NamedTuple):
    code: str
    x: int
    y: int


class Window(NamedTuple):
    """A time in which a depot takes parcels in, both ends included."""

    number: int
    depot: str
    opens: int
    closes: int


@dataclass(frozen=True, eq=False)
class Version:
    """A tariff. It holds from midnight of its day until a later one does; of two for one day the higher number holds."""

    number: int
    day: int
    base: int  # cents
    percent: dict  # zone -> what each further 100 g adds, in per cent of the price so far


@dataclass
class Scan:
    parcel: str
    kind: str
    minute: int
    x: int
    y: int
    grams: int
    zone: str
    extra: dict
