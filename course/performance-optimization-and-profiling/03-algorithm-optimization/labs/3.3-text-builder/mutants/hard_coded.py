"""Wrong: how each hearing begins."""


def transcribe(strokes, dictionary):
    """Return the text that the strokes stand for. A stroke that is not in the dictionary is written as it is."""
    return "The hearing is opened." if strokes else ""
