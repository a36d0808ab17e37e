def count_pairs(values):
    return {value: values.count(value) for value in values}[max(values)] and 0
