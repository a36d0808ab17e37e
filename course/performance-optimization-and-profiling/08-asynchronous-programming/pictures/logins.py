"""Checks passwords beside a heart that beats.  Module 08's example as a program that runs for a moment.

usage: python logins.py in-loop|in-thread
"""
import asyncio
import hashlib
import sys
import time


def check(password):
    return hashlib.pbkdf2_hmac("sha256", password, b"salt", 120_000).hex()


async def log_in(number, in_thread):
    password = b"secret %d" % number
    if in_thread:
        await asyncio.get_running_loop().run_in_executor(None, check, password)
    else:
        check(password)
    await asyncio.sleep(0.02)


async def heart(lags):
    while True:
        asked = time.perf_counter()
        await asyncio.sleep(0.01)
        lags.append(time.perf_counter() - asked - 0.01)


async def main(in_thread):
    lags = []
    beating = asyncio.ensure_future(heart(lags))
    for first in range(0, 20, 2):
        await asyncio.gather(*(log_in(number, in_thread) for number in range(first, first + 2)))
    beating.cancel()
    print("%d beats, the latest one %.0f ms late" % (len(lags), 1000 * max(lags)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] == "in-thread"))
