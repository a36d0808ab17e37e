"""The tracking pages of a parcel service: visitors open them, and each scan of a parcel goes to those who follow it."""
import weakref
import zlib

MENU = "".join('<a href="/depots/%d">Depot %d</a>' % (number, number) for number in range(50))
LAYOUT = "<!doctype html><title>%s</title><nav>%s</nav><ol>%s</ol>"


class Bus:
    """Tells all who have subscribed, and still exist, of each scan, in the order in which they subscribed."""

    def __init__(self):
        self.listeners = []

    def subscribe(self, listener):
        self.listeners.append(weakref.WeakMethod(listener))

    def publish(self, parcel, place):
        living = []
        for reference in self.listeners:
            listener = reference()
            if listener is not None:
                living.append(reference)
                listener(parcel, place)
        self.listeners = living


class Page:
    """One visitor's page: it follows a parcel until that is delivered, or the visitor leaves."""

    def __init__(self, site, number, parcel):
        self.site = site
        self.number = number
        self.parcel = parcel
        self.places = []
        self.text = LAYOUT % (parcel, MENU, "")
        self.is_open = True
        site.bus.subscribe(self.on_scan)

    def on_scan(self, parcel, place):
        if self.is_open and parcel == self.parcel:
            self.places.append(place)
            self.text = LAYOUT % (parcel, MENU, "".join("<li>" + place for place in self.places))
            self.site.send(self)
            if place == "delivered":
                self.site.close(self)

    def close(self):
        self.is_open = False


class Site:
    """The open pages, and what was sent to them."""

    def __init__(self):
        self.bus = Bus()
        self.pages = {}                    # number: page; only those that are open
        self.opened = self.sent = self.checksum = 0

    def open(self, parcel):
        self.opened += 1
        self.pages[self.opened] = Page(self, self.opened, parcel)

    def send(self, page):
        self.sent += 1
        self.checksum = zlib.crc32(b"%d %s" % (page.number, page.text.encode()), self.checksum)

    def close(self, page):
        del self.pages[page.number]
        page.close()

    def leave(self, count):
        """The visitors who have been here longest leave."""
        for page in list(self.pages.values())[:count]:
            self.close(page)


def replay(days):
    """Return (pages opened, texts sent, checksum of these) after each day of the recorded traffic.

    open COUNT PARCEL     so many visitors begin to follow a parcel
    leave COUNT           so many leave
    scan PARCEL PLACE     a parcel was seen
    """
    site = Site()
    results = []
    for day in days:
        for line in day.splitlines():
            kind, first, *rest = line.split()
            if kind == "open":
                for _ in range(int(first)):
                    site.open(*rest)
            elif kind == "leave":
                site.leave(int(first))
            elif kind == "scan":
                site.bus.publish(first, *rest)
        results.append((site.opened, site.sent, site.checksum))
    return results


if __name__ == "__main__":
    DAY = "\n".join(
        "open 75 parcel%d\nscan parcel%d %s\nleave 70" % (number, number - number % 3, "north" if number % 2 else "delivered")
        for number in range(40)
    )
    for RESULT in replay([DAY] * 15):
        print("%6d pages opened, %6d texts sent, checksum %08x" % RESULT)
