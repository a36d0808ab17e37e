"""Two call chains of equal cost, called in turn: a profile must give each its share.

The functions of the chains differ in their names and lines only, so what is
true is known: 50 and 50, or 25 and 75 with --quarter.  --measure times the
chains apart from each other, and prints the share that the clock gives.

Arguments: [--quarter] [--measure] and those of pace.py.
"""

import sys
import time

from pace import Pace


def left_00(n):
    return left_01(n) + 1


def left_01(n):
    return left_02(n) + 1


def left_02(n):
    return left_03(n) + 1


def left_03(n):
    return left_04(n) + 1


def left_04(n):
    return left_05(n) + 1


def left_05(n):
    return left_06(n) + 1


def left_06(n):
    return left_07(n) + 1


def left_07(n):
    return left_08(n) + 1


def left_08(n):
    return left_09(n) + 1


def left_09(n):
    return left_10(n) + 1


def left_10(n):
    return left_11(n) + 1


def left_11(n):
    return left_12(n) + 1


def left_12(n):
    return left_13(n) + 1


def left_13(n):
    return left_14(n) + 1


def left_14(n):
    return left_15(n) + 1


def left_15(n):
    return n * 2 + 1


def right_00(n):
    return right_01(n) + 1


def right_01(n):
    return right_02(n) + 1


def right_02(n):
    return right_03(n) + 1


def right_03(n):
    return right_04(n) + 1


def right_04(n):
    return right_05(n) + 1


def right_05(n):
    return right_06(n) + 1


def right_06(n):
    return right_07(n) + 1


def right_07(n):
    return right_08(n) + 1


def right_08(n):
    return right_09(n) + 1


def right_09(n):
    return right_10(n) + 1


def right_10(n):
    return right_11(n) + 1


def right_11(n):
    return right_12(n) + 1


def right_12(n):
    return right_13(n) + 1


def right_13(n):
    return right_14(n) + 1


def right_14(n):
    return right_15(n) + 1


def right_15(n):
    return n * 2 + 1


def in_turn(count):
    for n in range(count):
        left_00(n)
        right_00(n)


def one_to_three(count):
    for n in range(count):
        left_00(n)
        right_00(n)
        right_00(n)
        right_00(n)


def time_of(chain, count):
    start = time.perf_counter()
    for n in range(count):
        chain(n)
    return time.perf_counter() - start


def measured_share(quarter, rounds=40, count=500):
    """The left chain's share by the clock: medians of runs that take turns."""
    left, right = [], []
    for _ in range(rounds):
        left.append(time_of(left_00, count))
        right.append(time_of(right_00, count))
    one, other = sorted(left)[rounds // 2], sorted(right)[rounds // 2] * (3 if quarter else 1)
    return one / (one + other)


def main(argv):
    quarter = "--quarter" in argv
    measure = "--measure" in argv
    pace = Pace([word for word in argv if word not in ("--quarter", "--measure")])
    loop = one_to_three if quarter else in_turn
    loop(200)
    if measure:
        print("measured %.4f" % measured_share(quarter))
    pace.start()
    while True:
        loop(200)
        if not pace.more():
            break
    pace.finish()


if __name__ == "__main__":
    main(sys.argv)
