"""The way of each parcel that is under way, and the latest of those that have arrived."""

from collections import deque

KEPT_TRAILS = 50
KEPT_STEPS = 200


class Step:
    __slots__ = ("parcel", "minute", "depot")

    def __init__(self, parcel, minute, depot):
        self.parcel = parcel
        self.minute = minute
        self.depot = depot

    def told(self):
        return [self.parcel, self.minute, self.depot]


class Trail:
    """The steps of one parcel."""

    __slots__ = ("parcel", "steps", "ended")

    def __init__(self, parcel):
        self.parcel = parcel
        self.steps = []
        self.ended = False

    def add_step(self, minute, depot):
        step = Step(self.parcel, minute, depot)
        self.steps.append(step)
        return step

    def end(self):
        self.ended = True

    def told(self):
        return [self.parcel, len(self.steps), self.steps[-1].minute - self.steps[0].minute]


class History:
    def __init__(self):
        self.under_way = {}
        self.arrived = deque(maxlen=KEPT_TRAILS)
        self.latest = deque(maxlen=KEPT_STEPS)
        self.arrivals = 0
        self.minutes = 0

    def add_move(self, parcel, minute, depot):
        trail = self.under_way.get(parcel)
        if trail is None:
            trail = self.under_way[parcel] = Trail(parcel)
        self.latest.append(trail.add_step(minute, depot))

    def end_trail(self, parcel):
        """The parcel has arrived. One that was never seen is ignored."""
        trail = self.under_way.pop(parcel, None)
        if trail is None:
            return
        trail.end()
        self.arrivals += 1
        self.minutes += trail.told()[2]
        self.arrived.append(trail)

    def recent_trails(self):
        """[parcel, steps, minutes] of the 50 that arrived last, the last one last."""
        return [trail.told() for trail in self.arrived]

    def latest_steps(self):
        """[parcel, minute, depot] of the latest 200 steps of all, arrived or not."""
        return [step.told() for step in self.latest]
