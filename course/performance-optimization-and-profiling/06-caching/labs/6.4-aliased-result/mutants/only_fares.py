"""Slow: the fare, which is cheap, is looked up, and the list is made anew.

The tickets of a lake's excursion boats: who goes aboard, who stays ashore, and what it brings in."""

import functools

FIRST = 8 * 60               # minutes since midnight
EVERY = 10
SUMMER = (6, 7, 8)
LAST_SEATS = 4


class Departure:
    """One departure of a day: the fare of one passenger, and the seats that are still free."""

    def __init__(self, cents, cabin, deck):
        self.cents = cents
        self.cabin = cabin
        self.deck = deck

    def sell(self, where, passengers):
        """Return the cents for so many seats "cabin" or "deck"; None if there aren't so many. The last seats become dearer."""
        if passengers > (self.deck if where == "deck" else self.cabin):
            return None
        if where == "deck":
            self.deck -= passengers
        else:
            self.cabin -= passengers
        cents = passengers * self.cents
        if self.cabin + self.deck <= LAST_SEATS:
            self.cents += 100
        return cents


@functools.lru_cache(maxsize=None)
def fare(minute, month, weekday):
    """Cents for one passenger."""
    cents = 900 if month in SUMMER else 700
    if weekday >= 5:
        cents += 150
    if minute < 10 * 60:
        cents -= 200
    return cents


def departures(cabin, deck, month, weekday):
    """Return the departures of such a day, for a boat with so many seats."""
    last = 20 * 60 if month in SUMMER else 18 * 60
    return [Departure(fare(minute, month, weekday), cabin, deck) for minute in range(FIRST, last + 1, EVERY)]


def sell_day(sheet, events):
    """Return (passengers, refused passengers, cents) of a day with these departures.

    An event is ("cabin" or "deck", minute, passengers), or ("storm", minute, 0): nothing leaves from that minute on.
    """
    aboard = ashore = income = 0
    for kind, minute, passengers in events:
        place = (minute - FIRST) // EVERY
        if kind == "storm":
            del sheet[place:]
            continue
        cents = sheet[place].sell(kind, passengers) if place < len(sheet) else None
        if cents is None:
            ashore += passengers
        else:
            aboard += passengers
            income += cents
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
