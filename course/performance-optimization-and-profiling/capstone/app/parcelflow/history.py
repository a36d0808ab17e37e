"""The way of each parcel that is under way, and the latest of those that have arrived."""

KEPT_TRAILS = 50
KEPT_STEPS = 200


class Step:
    def __init__(self, trail, minute, depot):
        self.trail = trail
        self.minute = minute
        self.depot = depot

    def told(self):
        return [self.trail.parcel, self.minute, self.depot]


class Trail:
    """The steps of one parcel."""

    def __init__(self, parcel):
        self.parcel = parcel
        self.steps = []
        self.ended = False

    def add_step(self, minute, depot):
        step = Step(self, minute, depot)
        self.steps.append(step)
        return step

    def end(self):
        self.ended = True

    def told(self):
        return [self.parcel, len(self.steps), self.steps[-1].minute - self.steps[0].minute]

    def __del__(self):
        if not self.ended:
            self.end()


class History:
    def __init__(self):
        self.under_way = {}
        self.arrived = []
        self.latest = []
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
        return [trail.told() for trail in self.arrived[-KEPT_TRAILS:]]

    def latest_steps(self):
        """[parcel, minute, depot] of the latest 200 steps of all, arrived or not."""
        return [step.told() for step in self.latest[-KEPT_STEPS:]]
