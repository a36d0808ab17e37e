"""Counts divisors in pure Python, with two workers.  Module 07's example as a program that runs for a moment.

usage: python divisors.py threads|processes
"""
import concurrent.futures
import sys


def divisors(number):
    found = 0
    for candidate in range(1, number + 1):
        found += number % candidate == 0
    return found


def main():
    pools = {"threads": concurrent.futures.ThreadPoolExecutor, "processes": concurrent.futures.ProcessPoolExecutor}
    with pools[sys.argv[1]](2) as pool:
        print(sum(pool.map(divisors, range(200_000, 200_200))), "divisors")


if __name__ == "__main__":
    main()
