"""The tickets of a lake's excursion boats: who goes aboard, who stays ashore, and what it brings in."""

import collections
import functools

FIRST = 8 * 60               # minutes since midnight
EVERY = 10
SUMMER = (6, 7, 8)
LAST_SEATS = 4


class Departure(collections.namedtuple("Departure", "cents cabin deck")):
    """One departure of a day: the fare of one passenger, and the seats that are still free. It can't be changed."""

    __slots__ = ()

    def after(self, where, passengers):
        """Return the departure when so many seats "cabin" or "deck" are sold; None if there aren't so many. The last seats are dearer."""
        cents, cabin, deck = self
        if where == "deck":
            deck -= passengers
        else:
            cabin -= passengers
        if cabin < 0 or deck < 0:
            return None
        if cabin + deck <= LAST_SEATS:
            cents += 100
        return Departure(cents, cabin, deck)


def fare(minute, month, weekday):
    """Cents for one passenger."""
    cents = 900 if month in SUMMER else 700
    if weekday >= 5:
        cents += 150
    if minute < 10 * 60:
        cents -= 200
    return cents


@functools.lru_cache(maxsize=1000)
def departures(cabin, deck, month, weekday):
    """Return the departures of such a day, for a boat with so many seats. All such days share them."""
    last = 20 * 60 if month in SUMMER else 18 * 60
    return tuple(Departure(fare(minute, month, weekday), cabin, deck) for minute in range(FIRST, last + 1, EVERY))


def sell_day(sheet, events):
    """Return (passengers, refused passengers, cents) of a day with these departures.

    An event is ("cabin" or "deck", minute, passengers), or ("storm", minute, 0): nothing leaves from that minute on.
    """
    today = list(sheet)      # its departures are shared: they are replaced here, and never changed
    aboard = ashore = income = 0
    for kind, minute, passengers in events:
        place = (minute - FIRST) // EVERY
        if kind == "storm":
            del today[place:]
            continue
        departure = today[place].after(kind, passengers) if place < len(today) else None
        if departure is None:
            ashore += passengers
        else:
            aboard += passengers
            income += passengers * today[place].cents
            today[place] = departure
    return aboard, ashore, income


def season(boats, days):
    """Return {landing: (passengers, refused passengers, cents)}.

    `boats` is {landing: (seats in the cabin, seats on deck)}, and a day is (landing, month, weekday, events).
    """
    totals = {landing: (0, 0, 0) for landing in boats}
    for landing, month, weekday, events in days:
        sheet = departures(*boats[landing], month, weekday)
        day = sell_day(sheet, events)
        totals[landing] = tuple(total + more for total, more in zip(totals[landing], day))
    return totals


if __name__ == "__main__":
    BOATS = {"landing%d" % number: (8 + number % 4, 6 + number % 3) for number in range(40)}
    DAYS = []
    for DATE in range(180):
        for NUMBER, LANDING in enumerate(BOATS):
            SOLD = [("deck" if (DATE + TURN) % 3 else "cabin", FIRST + (DATE * 7 + NUMBER + TURN // 2) * EVERY % 550, 2 + TURN)
                    for TURN in range(4)]
            DAYS.append((LANDING, 4 + DATE // 30, DATE % 7, SOLD))
    RESULT = season(BOATS, DAYS)
    print("%d aboard, %d ashore, %d cents" % tuple(map(sum, zip(*RESULT.values()))))
