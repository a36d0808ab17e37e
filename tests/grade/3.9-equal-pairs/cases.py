def case(random, size):
    return ([random.randrange(1 + size * 3 // 2) for _ in range(size)],)


def edges():
    return [([],), ([7, 7, 7],), ([-1, 10**30, -1, 10**30],)]
