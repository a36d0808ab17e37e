"""Wrong: what a usual day brings in, for each landing."""


def season(boats, days):
    """Return {landing: (passengers, refused passengers, cents)}."""
    return {landing: (len(days), 0, 900 * len(days)) for landing in boats}
