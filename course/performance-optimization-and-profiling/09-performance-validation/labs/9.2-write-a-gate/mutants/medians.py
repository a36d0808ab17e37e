"""Whatever runs with what: throttled runs are on both sides, and of one side more than of the other."""

import statistics


def is_slower(base, new):
    return bool(base) and statistics.median(new) > 1.2 * statistics.median(base)


def decisions(recordings):
    return [is_slower(base, new) for _, base, new in recordings]
