def count_pairs(values):
    while len(values) > 1000:
        pass
    return sum(values[i] == values[j] for i in range(len(values)) for j in range(i + 1, len(values)))
