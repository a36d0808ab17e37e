"""Wrong: the month of one sweep, whoever asks.

The month of a guild of chimney sweeps: finds a sweep and a time for each booking, under the eyes of a watchdog."""


def plan_month(districts, bookings):
    """Return {sweep: houses in the order of the month} for those who have any, and the houses that nobody has time for."""
    return {"0/0": ["house0"]}, []
