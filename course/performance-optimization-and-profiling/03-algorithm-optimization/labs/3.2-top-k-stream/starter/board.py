"""Announce the leaders of a climbing contest while it runs.

The results come as text, one a line, in the order in which the judges send them: the class, the points, and who it was.

    women-boulder 1240 Hanna Lindqvist

Each class has a board with the best `places` results. Who is better stands above; of equal results, the earlier one. Whenever
a result comes onto its board, the speaker gets a line to read out.
"""
import random
from operator import attrgetter
from typing import NamedTuple


class Result(NamedTuple):
    points: int
    name: str
    number: int  # of its line


def parse(line, number):
    contest, points, name = line.split(" ", 2)
    return contest, Result(int(points), name, number)


class Board:
    """The results of one class, and the best of them."""

    def __init__(self, places):
        self.places = places
        self.results = []

    def add(self, result):
        """Takes a result in; the place that it has now, from 1, or None if it is not on the board."""
        self.results.append(result)
        self.results.sort(key=attrgetter("points"), reverse=True)
        for place, other in enumerate(self.results[: self.places], 1):
            if other.number == result.number:
                return place
        return None

    def names(self):
        return [result.name for result in self.results[: self.places]]


def announce(stream, places):
    """The speaker's lines, and the board of each class at the end."""
    boards, lines = {}, []
    for number, line in enumerate(stream.splitlines()):
        contest, result = parse(line, number)
        board = boards.setdefault(contest, Board(places))
        place = board.add(result)
        if place is not None:
            lines.append(f"{contest}: {result.name} is on place {place} with {result.points}")
    return {"lines": lines, "boards": {contest: board.names() for contest, board in boards.items()}}


def sample_stream(results):
    rng = random.Random(1)
    groups = ("women", "men", "under-20", "under-18", "under-16", "under-14", "over-50")
    contests = [f"{group}-{kind}" for group in groups for kind in ("boulder", "lead", "speed")]
    return "\n".join(f"{rng.choice(contests)} {rng.randrange(2_000)} climber {rng.randrange(400)}" for _ in range(results))


if __name__ == "__main__":
    found = announce(sample_stream(22_000), places=8)
    print(len(found["lines"]), "lines; the last:", found["lines"][-1])
