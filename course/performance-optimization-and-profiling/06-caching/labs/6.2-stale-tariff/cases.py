"""Days with parcels and with changes of the tariff between them."""

SERVICES = ("standard", "express")


def zone_rules(random):
    """[(service, grams at most, cents)] for one zone: bands by weight, and now and then a campaign below them."""
    rules = []
    for service in SERVICES:
        cents = random.randrange(250, 900)
        for step in range(1, 13):
            cents += random.randrange(20, 150)
            rules.append((service, 500 * step, cents))
        if random.random() < 0.3:
            rules.append((service, random.choice((800, 1500, 2500)), random.randrange(240, 500)))
    return rules


def change(random, zones):
    """One line of the log that changes prices."""
    if random.random() < 0.4:
        return "fuel %d" % random.randrange(5, 25)
    rules = zone_rules(random)
    if random.random() < 0.1:
        rules = []                         # the zone is not served any more
    return " ".join(["tariff", random.choice(zones)] + ["%s:%d:%d" % rule for rule in rules])


def case(random, size):
    zones = ["%s%d" % (random.choice(("north", "south", "isle", "inland")), number) for number in range(min(10, 2 + size // 4))]
    rules = [(zone, *rule) for zone in zones for rule in zone_rules(random)]
    random.shuffle(rules)
    weights = [random.randrange(50, 6300) for _ in range(min(16, 2 + size // 8))]
    often = [1 / (1 + place) for place in range(len(weights))]
    lines = [
        "parcel %s %s %d" % (random.choice(zones), random.choice(SERVICES), grams)
        for grams in random.choices(weights, often, k=size)
    ]
    # Small days change as often as large ones: that is where an answer from before is seen.
    for _ in range(min(6, size // 3)):
        lines.insert(random.randrange(len(lines) + 1), change(random, zones))
    return rules, random.randrange(5, 20), "\n".join(lines)


def edges():
    rules = [("north", "standard", 1000, 500), ("north", "express", 1000, 900), ("isle", "standard", 1000, 700)]
    ask = "parcel north standard 400"
    return [
        (rules, 10, ""),
        (rules, 10, ask),
        (rules, 10, "\n".join([ask, "fuel 20", ask])),
        (rules, 10, "\n".join([ask, "tariff north standard:1000:600", ask])),
        (rules, 10, "\n".join(["tariff north standard:300:600", ask, "tariff north standard:400:610", ask])),
        (rules, 10, "\n".join([ask, "fuel 20", ask, "fuel 10", ask])),
        (rules, 10, "\n".join([ask, "fuel 20", "tariff north standard:1000:450", ask])),
        (rules, 10, "\n".join([ask, "tariff north", ask, "parcel isle standard 1000", "parcel isle standard 1001"])),
    ]
