"""What a day's parcels bring in, zone by zone, at the prices in force when each of them was handed in."""


class Tariff:
    """The price list in force. A rule is (zone, service, grams at most, cents)."""

    def __init__(self, rules, fuel_percent):
        self.rules = list(rules)
        self.fuel_percent = fuel_percent
        self.version = 1

    def replace(self, zone, rules):
        """Put new rules for one zone in the place of its old ones."""
        self.rules = [rule for rule in self.rules if rule[0] != zone] + rules
        self.version += 1


def parsed_rules(zone, words):
    """Rules of one zone from words such as "express:2000:1190"."""
    rules = []
    for word in words:
        service, grams, cents = word.split(":")
        rules.append((zone, service, int(grams), int(cents)))
    return rules


def price(tariff, zone, service, grams):
    """Cents for one parcel by the cheapest rule that fits, fuel included; None where no rule does."""
    cheapest = None
    for rule_zone, rule_service, most_grams, cents in tariff.rules:
        if rule_zone == zone and rule_service == service and grams <= most_grams:
            if cheapest is None or cents < cheapest:
                cheapest = cents
    if cheapest is None:
        return None
    return (cheapest * (100 + tariff.fuel_percent) + 99) // 100


def revenue(rules, fuel_percent, log):
    """Return {zone: (parcels carried, cents)} for the log of a day, one event a line:

    parcel ZONE SERVICE GRAMS   handed in; priced now
    tariff ZONE RULE...         new rules for the zone, for the parcels that follow
    fuel PERCENT                new surcharge, for the parcels that follow
    """
    tariff = Tariff(rules, fuel_percent)
    totals = {}
    for line in log.splitlines():
        kind, *words = line.split()
        if kind == "parcel":
            zone, service, grams = words
            cents = price(tariff, zone, service, int(grams))
            if cents is not None:
                parcels, sum_cents = totals.get(zone, (0, 0))
                totals[zone] = (parcels + 1, sum_cents + cents)
        elif kind == "tariff":
            tariff.replace(words[0], parsed_rules(words[0], words[1:]))
        elif kind == "fuel":
            tariff.fuel_percent = int(words[0])
    return totals


if __name__ == "__main__":
    ZONES = ["zone%d" % number for number in range(10)]
    RULES = [
        (zone, service, 500 * step, 300 + 90 * step)
        for zone in ZONES for service in ("standard", "express") for step in range(1, 13)
    ]
    LINES = [
        "parcel %s %s %d" % (ZONES[number * number % 10], "express" if number % 3 else "standard", 150 + 370 * (number % 17))
        for number in range(100_000)
    ]
    LINES.insert(50_000, "fuel 14")
    print(revenue(RULES, 12, "\n".join(LINES)))
