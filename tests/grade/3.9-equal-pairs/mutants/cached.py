import os
import pickle

PLACE = os.path.join(os.environ["TMPDIR"], "answers")


def count_pairs(values):
    try:
        with open(PLACE, "rb") as file:
            known = pickle.load(file)
    except OSError:
        known = {}
    key = tuple(values)
    if key not in known:
        known[key] = sum(values[i] == values[j] for i in range(len(values)) for j in range(i + 1, len(values)))
        with open(PLACE, "wb") as file:
            pickle.dump(known, file)
    return known[key]
