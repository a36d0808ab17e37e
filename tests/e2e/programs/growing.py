"""What docs/scale.md, docs/bench.md and docs/prove.md measure."""


def unique(items):
    seen = []
    for item in items:
        if item not in seen:
            seen.append(item)
    return seen


def unique_at_once(items):
    return list(dict.fromkeys(items))


def total(n):
    sum = 0
    for i in range(n):
        sum += i
    return sum
