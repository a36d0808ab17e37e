"""Where the parcels of a lost consignment are, asked of the partner carrier one by one."""
import dataclasses
import enum
import queue
import threading
import time

from pitviper_lab import ask

# Our contract: so many requests at a time. The carrier refuses one more than these, and `ask` raises Refused.
AT_ONCE = 8

DEPOTS = ("Aarhus", "Bremen", "Graz", "Lyon", "Malaga", "Porto", "Turin", "Zwolle")
HOPS_MAX = 4


class State(enum.Enum):
    WAITING = "waiting"
    ASKED = "asked"
    MOVED = "moved"
    DONE = "done"
    FAILED = "failed"


@dataclasses.dataclass
class Settings:
    workers: int = AT_ONCE
    retries: int = 3
    pause: float = 0.01
    factor: float = 2.0
    daemon: bool = True


@dataclasses.dataclass
class Job:
    place: int
    parcel: str
    state: State = State.WAITING
    depot: object = None
    hops: int = 0
    tries: int = 0
    error: object = None

    def question(self):
        if self.hops == 0:
            return b"where is %s" % self.parcel.encode()
        return b"where is %s after %s, hop %d" % (self.parcel.encode(), self.depot.encode(), self.hops)

    def take(self, answer):
        unknown, depot, moved = (int(digit, 16) for digit in answer.decode()[:3])
        if unknown == 0:
            self.depot = None
            self.state = State.DONE
        else:
            self.depot = DEPOTS[depot % len(DEPOTS)]
            if moved < 2:
                if self.hops < HOPS_MAX:
                    self.hops += 1
                    self.state = State.MOVED
                else:
                    self.state = State.DONE
            else:
                self.state = State.DONE

    def row(self):
        return self.parcel, self.depot, self.hops


class Events:
    def __init__(self):
        self.listeners = {}
        self.lock = threading.Lock()

    def on(self, name, listener):
        with self.lock:
            self.listeners.setdefault(name, []).append(listener)

    def fire(self, name, *arguments):
        with self.lock:
            listeners = list(self.listeners.get(name, ()))
        for listener in listeners:
            listener(*arguments)


class Worker(threading.Thread):
    def __init__(self, number, jobs, events, settings):
        super().__init__(name="worker-%d" % number, daemon=settings.daemon)
        self.jobs = jobs
        self.events = events
        self.settings = settings

    def run(self):
        while True:
            job = self.jobs.get()
            try:
                if job is None:
                    return
                while job.state not in (State.DONE, State.FAILED):
                    job.state = State.ASKED
                    pause = self.settings.pause
                    while True:
                        try:
                            answer = ask(job.question())
                        except ConnectionError as error:
                            job.tries += 1
                            if job.tries > self.settings.retries:
                                job.state = State.FAILED
                                job.error = error
                                break
                            else:
                                time.sleep(pause)
                                pause *= self.settings.factor
                        else:
                            job.take(answer)
                            break
                if job.state is State.FAILED:
                    self.events.fire("failed", job)
                else:
                    self.events.fire("done", job)
            finally:
                self.jobs.task_done()


class Results:
    def __init__(self, count):
        self.rows = [None] * count
        self.errors = []
        self.lock = threading.Lock()

    def done(self, job):
        with self.lock:
            self.rows[job.place] = job.row()

    def failed(self, job):
        with self.lock:
            self.errors.append(job.error)


class Dispatcher:
    def __init__(self, settings=None):
        self.settings = settings or Settings()
        self.jobs = queue.Queue()
        self.events = Events()
        self.workers = []

    def __enter__(self):
        for number in range(self.settings.workers):
            worker = Worker(number, self.jobs, self.events, self.settings)
            self.workers.append(worker)
            worker.start()
        return self

    def __exit__(self, kind, error, traceback):
        for _ in self.workers:
            self.jobs.put(None)
        for worker in self.workers:
            worker.join()
        return False

    def dispatch(self, parcels):
        results = Results(len(parcels))
        self.events.on("done", results.done)
        self.events.on("failed", results.failed)
        for place, parcel in enumerate(parcels):
            self.jobs.put(Job(place, parcel))
        self.jobs.join()
        if results.errors:
            raise results.errors[0]
        return results.rows


def whereabouts(parcels):
    """Return one row (parcel, depot, hops) for each number in the list, in the order of the list.

    The list comes from a handheld scanner. It may be empty, and a parcel that was scanned twice has two rows.
    """
    with Dispatcher() as dispatcher:
        return dispatcher.dispatch(parcels)
