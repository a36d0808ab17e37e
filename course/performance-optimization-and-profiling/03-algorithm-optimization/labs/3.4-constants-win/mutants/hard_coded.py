"""Wrong: a night without transmitters."""


def sort_out(events):
    """Return ({name: its peaks}, [kHz of the peaks of no transmitter]) for the events of a night."""
    return {}, [facts[0] for kind, *facts in events if kind == "peak"]
