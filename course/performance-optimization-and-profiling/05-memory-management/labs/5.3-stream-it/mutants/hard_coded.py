"""Wrong: the report of one archive, for any."""


def report(archive):
    """Return {depot: (visits, minutes, forgotten cages)} for a gzipped log."""
    return {"north": (2, 40, ["C0001"])}
