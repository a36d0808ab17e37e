"""What a parcel costs. Tariffs change at midnight, and a new one may be published at any time."""

from .model import DAY

STEP = 100  # grams
STEPS = 300


def price_steps(version, zone):
    """The price in cents of each step of 100 g, rounded down at each."""
    percent = version.percent[zone]
    cents = version.base
    steps = []
    for _ in range(STEPS):
        steps.append(cents)
        cents += cents * percent // 1000 + 1
    return tuple(steps)


class Tariffs:
    def __init__(self, versions):
        self.versions = []
        for version in versions:
            self.publish(version)

    def publish(self, version):
        """From now on this version counts as well, also for days that have begun."""
        self.versions.append(version)

    def version_at(self, minute):
        """The version that holds at this minute, None before the first."""
        valid = [version for version in self.versions if version.day * DAY <= minute]
        valid.sort(key=lambda version: (version.day, version.number))
        return valid[-1] if valid else None

    def price(self, zone, grams, minute):
        """In cents, by the version that holds at this minute; None if none does. Above the last step its price holds."""
        version = self.version_at(minute)
        if version is None:
            return None
        steps = price_steps(version, zone)
        return steps[min(grams // STEP, STEPS - 1)]
