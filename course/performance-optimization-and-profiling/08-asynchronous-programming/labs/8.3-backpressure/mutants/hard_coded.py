"""Wrong: the first sheet of somebody's herbarium, for each sheet.

Catalogues a herbarium: unpacks the scan of each sheet, and asks a service what grows on it."""


def catalogue(sheets):
    """Return (plant, stamp), or "damaged", for each of the packed sheets, in their order."""
    return [("e3b0c44298fc", 0)] * len(sheets)
