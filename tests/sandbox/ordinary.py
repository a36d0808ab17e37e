"""What a learner's program does on an ordinary day, each as a function that raises where the sandbox is in its way. The
child runs `ordinary.py NAMES...` and answers with {name: "fine" or the exception}."""
import json
import os
import struct
import sys

sys.path[:] = [p for p in sys.path if p != os.path.dirname(os.path.abspath(__file__))] + [os.path.dirname(os.path.abspath(__file__))]


def files():
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/a", "w+") as f:
            f.write("text")
            f.flush()
            os.fsync(f.fileno())
            f.truncate(2)
        os.rename(folder + "/a", folder + "/b")
        os.symlink("b", folder + "/c")
        os.link(folder + "/b", folder + "/d")
        os.mkdir(folder + "/sub")
        os.replace(folder + "/d", folder + "/sub/e")
        os.utime(folder + "/b")
        os.chmod(folder + "/b", 0o600)
        assert sorted(os.listdir(folder)) == ["b", "c", "sub"] and open(folder + "/c").read() == "te"
    import shutil
    shutil.copy2(__file__, os.environ["TMPDIR"])
    open("/dev/null", "w").write("x")


def library():
    import bisect, collections, csv, dataclasses, decimal, fractions, functools, gc, hashlib, heapq, io  # noqa: E401, F401
    import itertools, logging, pickle, platform, random, re, secrets, sqlite3, statistics, string, timeit  # noqa: E401, F401
    import tracemalloc, unittest, uuid, weakref, zlib, cProfile, pstats, mmap, ctypes, email, http.client  # noqa: E401, F401
    tracemalloc.start()
    gc.collect()
    assert os.cpu_count() >= 1 and len(os.sched_getaffinity(0)) >= 1
    platform.platform()
    with sqlite3.connect(os.environ["TMPDIR"] + "/db") as db:
        db.execute("create table t (a)")
        db.execute("insert into t values (1)")
    mmap.mmap(-1, 1 << 20).close()
    profile = cProfile.Profile()
    profile.runcall(sorted, range(10))


def clocks():
    import locale
    import resource
    import signal
    import time
    import zoneinfo
    from datetime import datetime
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    time.tzset()
    time.sleep(0.001)
    assert datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).utcoffset().total_seconds() == 7200
    assert time.process_time() > 0 and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    signal.pause()
    os.kill(os.getpid(), 0)
    os.nice(0)


def event_loop():
    import asyncio

    async def main():
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(10, lambda: None)
        return await asyncio.gather(*(asyncio.sleep(0.001, i) for i in range(3)))
    assert asyncio.run(main(), debug=True) == [0, 1, 2]


def threads():
    import asyncio
    import queue
    import threading
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(abs, range(100))) == 4950
    q = queue.Queue()
    t = threading.Thread(target=q.put, args=(1,), name="worker")
    t.start()
    t.join()
    assert q.get(timeout=5) == 1

    async def main():
        return await asyncio.to_thread(abs, -1)
    assert asyncio.run(main()) == 1


def children():
    import asyncio
    import signal
    import subprocess
    script = ["-S", "-c", "print(1)"]
    assert subprocess.run([sys.executable, *script], capture_output=True, check=True).stdout == b"1\n"
    sleeper = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    sleeper.terminate()
    assert sleeper.wait() == -signal.SIGTERM

    async def main():
        p = await asyncio.create_subprocess_exec(sys.executable, *script, stdout=subprocess.PIPE)
        return (await p.communicate())[0]
    assert asyncio.run(main()) == b"1\n"
    pid = os.fork()
    if pid == 0:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def pools(method):
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import shared_memory
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        assert pool.map(abs, [-1, -2]) == [1, 2]
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(abs, [-3])) == [3]
    lock, values = context.Lock(), context.Queue()
    with lock:
        values.put(1)
    assert values.get(timeout=10) == 1
    block = shared_memory.SharedMemory(create=True, size=4096)
    block.buf[0] = 1
    block.close()
    block.unlink()


def pool_fork():
    pools("fork")


def pool_spawn():
    pools("spawn")


def pool_forkserver():
    pools("forkserver")


def manager():
    import multiprocessing
    with multiprocessing.get_context("spawn").Manager() as manager:
        d = manager.dict()
        d["a"] = 1
        assert d.copy() == {"a": 1}


def main():
    found = {}
    for name in sys.argv[1:]:
        try:
            globals()[name]()
            found[name] = "fine"
        except Exception as e:
            import traceback
            found[name] = "".join(traceback.format_exception(type(e), e, e.__traceback__))[-1500:]
    text = json.dumps(found).encode()
    os.write(3, b"a" + struct.pack("<I", len(text)) + text)


if __name__ == "__main__":
    os.set_inheritable(3, False)
    main()
