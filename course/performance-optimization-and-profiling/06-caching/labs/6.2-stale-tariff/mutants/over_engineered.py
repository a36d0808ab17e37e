"""What a day's parcels bring in, zone by zone, at the prices in force when each of them was handed in."""

import abc
import collections


class Observer(abc.ABC):
    @abc.abstractmethod
    def notify(self, topic, payload):
        """Take notice of a change."""


class Observable:
    def __init__(self):
        self._observers = collections.defaultdict(list)

    def subscribe(self, topic, observer):
        self._observers[topic].append(observer)

    def publish(self, topic, payload):
        for observer in self._observers.get(topic, ()):
            observer.notify(topic, payload)


class EvictionPolicy(abc.ABC):
    @abc.abstractmethod
    def touched(self, key):
        """A key was used."""

    @abc.abstractmethod
    def victim(self):
        """The key to drop next."""

    @abc.abstractmethod
    def forget(self, key):
        """A key is gone."""


class FirstInFirstOut(EvictionPolicy):
    def __init__(self):
        self._order = collections.OrderedDict()

    def touched(self, key):
        if key not in self._order:
            self._order[key] = True

    def victim(self):
        for key in self._order:
            return key
        return None

    def forget(self, key):
        if key in self._order:
            del self._order[key]


class CacheStatistics:
    def __init__(self):
        self.hits = 0
        self.misses = 0
        self.evictions = 0
        self.invalidations = 0

    def hit_rate(self):
        asked = self.hits + self.misses
        if asked:
            return self.hits / asked
        return 0.0

    def as_dictionary(self):
        return {"hits": self.hits, "misses": self.misses, "evictions": self.evictions, "invalidations": self.invalidations}


class CacheBuilder:
    def __init__(self):
        self._capacity = None
        self._policy = None
        self._loader = None
        self._topics = []
        self._source = None

    def with_capacity(self, capacity):
        self._capacity = capacity
        return self

    def with_policy(self, policy):
        self._policy = policy
        return self

    def with_loader(self, loader):
        self._loader = loader
        return self

    def invalidated_by(self, source, *topics):
        self._source = source
        self._topics.extend(topics)
        return self

    def build(self):
        if self._loader is None:
            raise ValueError("a cache needs a loader")
        cache = ManagedCache(self._capacity or 1024, self._policy or FirstInFirstOut(), self._loader)
        for topic in self._topics:
            self._source.subscribe(topic, cache)
        return cache


class ManagedCache(Observer):
    def __init__(self, capacity, policy, loader):
        self._capacity = capacity
        self._policy = policy
        self._loader = loader
        self._generation = 0
        self._entries = {}
        self.statistics = CacheStatistics()

    def notify(self, topic, payload):
        if topic == "tariff":
            self._generation += 1
            for key in list(self._entries):
                if key[0] == payload:
                    self._policy.forget(key)
                    del self._entries[key]
                    self.statistics.invalidations += 1
                elif self._entries[key][0] < self._generation:
                    self._entries[key] = (self._generation, self._entries[key][1])
        elif topic == "fuel":
            self._generation += 1
            for key in list(self._entries):
                self._policy.forget(key)
                self.statistics.invalidations += 1
            self._entries.clear()
        else:
            raise ValueError("unknown topic %r" % topic)

    def get(self, key):
        entry = self._entries.get(key)
        if entry is not None:
            if entry[0] <= self._generation:
                self.statistics.hits += 1
                return entry[1]
        self.statistics.misses += 1
        value = self._loader(key)
        if len(self._entries) >= self._capacity:
            victim = self._policy.victim()
            if victim is not None:
                self._policy.forget(victim)
                del self._entries[victim]
                self.statistics.evictions += 1
        self._entries[key] = (self._generation, value)
        self._policy.touched(key)
        return value


class Tariff(Observable):
    """The price list in force. A rule is (zone, service, grams at most, cents)."""

    def __init__(self, rules, fuel_percent):
        super().__init__()
        self.rules = list(rules)
        self._fuel_percent = fuel_percent
        self.version = 1

    @property
    def fuel_percent(self):
        return self._fuel_percent

    @fuel_percent.setter
    def fuel_percent(self, percent):
        self._fuel_percent = percent
        self.publish("fuel", percent)

    def replace(self, zone, rules):
        self.rules = [rule for rule in self.rules if rule[0] != zone] + rules
        self.version += 1
        self.publish("tariff", zone)


class PriceLoader:
    def __init__(self, tariff):
        self._tariff = tariff

    def __call__(self, key):
        zone, service, grams = key
        grams = int(grams)
        cheapest = None
        for rule_zone, rule_service, most_grams, cents in self._tariff.rules:
            if rule_zone == zone:
                if rule_service == service:
                    if grams <= most_grams:
                        if cheapest is None or cents < cheapest:
                            cheapest = cents
        if cheapest is None:
            return None
        return (cheapest * (100 + self._tariff.fuel_percent) + 99) // 100


class EventHandler(abc.ABC):
    @abc.abstractmethod
    def handle(self, words):
        """Take one event."""


class ParcelHandler(EventHandler):
    def __init__(self, cache, totals):
        self._cache = cache
        self._totals = totals

    def handle(self, words):
        cents = self._cache.get(tuple(words))
        if cents is not None:
            parcels, sum_cents = self._totals.get(words[0], (0, 0))
            self._totals[words[0]] = (parcels + 1, sum_cents + cents)


class TariffHandler(EventHandler):
    def __init__(self, tariff):
        self._tariff = tariff

    def handle(self, words):
        rules = []
        for word in words[1:]:
            service, grams, cents = word.split(":")
            rules.append((words[0], service, int(grams), int(cents)))
        self._tariff.replace(words[0], rules)


class FuelHandler(EventHandler):
    def __init__(self, tariff):
        self._tariff = tariff

    def handle(self, words):
        self._tariff.fuel_percent = int(words[0])


class Dispatcher:
    def __init__(self):
        self._handlers = {}

    def register(self, kind, handler):
        self._handlers[kind] = handler
        return self

    def dispatch(self, line):
        kind, *words = line.split()
        handler = self._handlers.get(kind)
        if handler is not None:
            handler.handle(words)


def revenue(rules, fuel_percent, log):
    """Return {zone: (parcels carried, cents)} for the log of a day, one event a line."""
    tariff = Tariff(rules, fuel_percent)
    builder = CacheBuilder().with_capacity(5000).with_policy(FirstInFirstOut()).with_loader(PriceLoader(tariff))
    cache = builder.invalidated_by(tariff, "tariff", "fuel").build()
    totals = {}
    dispatcher = Dispatcher()
    dispatcher.register("parcel", ParcelHandler(cache, totals))
    dispatcher.register("tariff", TariffHandler(tariff))
    dispatcher.register("fuel", FuelHandler(tariff))
    for line in log.splitlines():
        dispatcher.dispatch(line)
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
