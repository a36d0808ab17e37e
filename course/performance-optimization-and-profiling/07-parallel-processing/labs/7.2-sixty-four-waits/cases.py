"""Lists of parcel numbers as a handheld scanner sends them: in no order, and now and then one twice."""


def case(random, size):
    parcels = ["PX%07d" % random.randrange(10_000_000) for _ in range(size)]
    if size > 2 and random.random() < 0.7:
        parcels[random.randrange(size // 2, size)] = parcels[random.randrange(size // 2)]
    return (parcels,)


def edges():
    return [([],), (["PX0000001"],), (["PX0000001", "PX0000001"],), (["PX%07d" % number for number in range(17)],)]
