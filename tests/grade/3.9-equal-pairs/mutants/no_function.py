def count_pears(values):
    return 0
