"""How many pairs of positions hold equal values."""


def count_pairs(values):
    """The number of pairs i < j with values[i] == values[j]."""
    pairs = 0
    for i in range(len(values)):
        for j in range(i + 1, len(values)):
            if values[i] == values[j]:
                pairs += 1
    return pairs


if __name__ == "__main__":
    print(count_pairs([i * i % 1009 for i in range(5000)]))
