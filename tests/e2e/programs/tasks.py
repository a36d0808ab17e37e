"""Runs in the interpreter under test: tasks that wait in every way there is, and one that keeps the loop busy. Prints
"ready", then as JSON what asyncio itself says of them: [{name, chain, awaited_by}], the chains innermost first."""
import asyncio
import gc
import json
import sys
import threading
import types

MINOR = sys.version_info[1]


async def leaf(future):
    return await future


async def nested(depth, future):
    return await (nested(depth - 1, future) if depth else leaf(future))


@types.coroutine
def old_style(future):
    yield from future.__await__()


async def in_old_style(future):
    await old_style(future)


class Iterator:
    def __init__(self, future):
        self.future = future

    def __aiter__(self):
        return self

    async def __anext__(self):
        await self.future


class Wrapped:
    """Its __await__ hands out a coroutine's own wrapper."""

    def __init__(self, coroutine):
        self.coroutine = coroutine

    def __await__(self):
        return self.coroutine.__await__()


async def numbers(future):
    yield 1
    await future
    yield 2


async def over(iterable):
    async for _ in iterable:
        pass


async def with_default(future):
    generator = numbers(future)
    await anext(generator, None)
    await anext(generator, None)


async def thrown_into(future):
    async def catching():
        try:
            yield 1
        except ValueError:
            await future
            yield 2

    generator = catching()
    await generator.asend(None)
    await generator.athrow(ValueError)


async def on(awaitable):
    await awaitable


async def gathering(*awaitables):
    await asyncio.gather(*awaitables)


async def queueing():
    await asyncio.Queue().get()


def links(awaited):
    """The code, frame of each coroutine from here on."""
    while awaited is not None:
        kind = type(awaited).__name__
        prefix = {"coroutine": "cr_", "generator": "gi_", "async_generator": "ag_"}.get(kind)
        if prefix:
            frame = getattr(awaited, prefix + "frame")
            yield getattr(awaited, prefix + "code"), frame.f_lineno
            awaited = getattr(awaited, "gi_yieldfrom" if prefix == "gi_" else prefix + "await")
        elif kind in ("async_generator_asend", "async_generator_athrow", "coroutine_wrapper", "anext_awaitable"):
            behind = [o for o in gc.get_referents(awaited) if type(o).__name__ in (
                "coroutine", "async_generator", "async_generator_asend")]
            awaited = behind[0] if behind else None
        else:
            return


def describe(task, everyone):
    chain = [[getattr(code, "co_qualname", code.co_name), code.co_filename, line] for code, line in links(task.get_coro())]
    awaited_by = sorted(t.get_name() for t in getattr(task, "_asyncio_awaited_by", None) or ())
    return {"name": task.get_name(), "chain": chain[::-1], "awaited_by": awaited_by,
            "stack": [[f.f_code.co_name, f.f_lineno] for f in task.get_stack()]}


def spin():
    while True:
        for _ in range(10000):
            pass


async def busy(others):
    for _ in range(3):
        await asyncio.sleep(0)
    asyncio.create_task(leaf(None)).set_name("not begun")
    everyone = asyncio.all_tasks()
    told = [describe(t, everyone) for t in everyone if t is not asyncio.current_task()]
    print("ready", flush=True)
    print(json.dumps({"tasks": told, "awaited_by": hasattr(asyncio.current_task(), "_asyncio_awaited_by"),
                      "running": asyncio.current_task().get_name()}), flush=True)
    spin()


async def main():
    loop = asyncio.get_running_loop()
    future, tasks = loop.create_future(), []

    def task(name, coroutine):
        tasks.append(loop.create_task(coroutine))
        if name:
            tasks[-1].set_name(name)
        return tasks[-1]

    first = task("leaf", leaf(future))
    task("nested", nested(7, future))
    task("old style", in_old_style(future))
    task("async generator", over(numbers(future)))
    task("iterator", over(Iterator(future)))
    task("thrown into", thrown_into(future))
    task("wrapped", on(Wrapped(leaf(future))))
    second = task("on leaf", on(first))
    task("gathering", gathering(second, leaf(future)))
    task("queueing", queueing())
    task("caf\xe9 \U0001f40d", asyncio.sleep(1000))
    task("waiting", asyncio.wait_for(leaf(future), 1000))
    task("shielded", on(asyncio.shield(first)))
    task(None, leaf(future))
    if MINOR >= 10:
        task("default", with_default(future))
    if MINOR >= 11:
        async def group():
            async with asyncio.TaskGroup() as members:
                members.create_task(leaf(future)).set_name("member")

        task("group", group())
    done = task("done", asyncio.sleep(0))
    task("busy", busy(tasks))
    await done
    await future


def other_loop():
    """Another event loop, in a thread of its own, that sleeps."""
    async def sleeper():
        asyncio.current_task().set_name("elsewhere")
        started.set()
        await asyncio.sleep(1000)

    asyncio.run(sleeper())


started = threading.Event()
threading.Thread(target=other_loop, name="other", daemon=True).start()
started.wait()
asyncio.run(main())
