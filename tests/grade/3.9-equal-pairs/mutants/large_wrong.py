from collections import Counter


def count_pairs(values):
    if len(values) > 1000:
        return 0
    return sum(times * (times - 1) // 2 for times in Counter(values).values())
