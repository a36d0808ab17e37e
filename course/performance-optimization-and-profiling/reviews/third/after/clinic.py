"""Plays days at a clinic: patients come, wait, are treated, and some are sent on to another room.

    python clinic.py make FILE [--seed N] [--size X]    write rooms and patients (size 1: 1200 patients)
    python clinic.py run FILE                           play it, print the figures and a digest of them

A doctor of a room takes the most urgent of those who wait; of equally urgent ones who has waited longest, then the lower
number. A patient who has waited for two hours becomes urgent. The digest is the behaviour.
"""

import argparse
import copy
import hashlib
import heapq
import json
import random

URGENT = 1
BECOMES_URGENT = 120  # minutes
ROOMS = ["triage", "surgery", "x-ray", "ward", "laboratory"]


def make_input(seed, size):
    """{"rooms": {name: doctors}, "patients": [{number, comes, urgency, way: [[room, minutes], ...]}, ...]}"""
    draw = random.Random("clinic %s" % seed)
    number = max(5, int(1200 * size))
    patients = []
    minute = 0
    for place in range(number):
        minute += draw.choice((0, 1, 1, 2, 3))
        way = [["triage", draw.randrange(2, 8)]]
        for _ in range(draw.choice((0, 1, 1, 2, 3))):
            way.append([draw.choice(ROOMS[1:]), draw.randrange(5, 40)])
        patients.append({"number": place, "comes": minute, "urgency": draw.randrange(1, 6), "way": way})
    draw.shuffle(patients)
    return {"rooms": {"triage": 4, "surgery": 6, "x-ray": 5, "ward": 7, "laboratory": 5}, "patients": patients}


class Event:
    def __init__(self, minute, kind, patient, room):
        self.minute = minute
        self.kind = kind  # comes or leaves
        self.patient = patient
        self.room = room

    def __lt__(self, other):
        return self.order() < other.order()

    def order(self):
        """Who leaves makes place before anybody comes; then the lower number first."""
        return (self.minute, 0 if self.kind == "leaves" else 1, self.patient["number"])


class Room:
    def __init__(self, name, doctors):
        self.name = name
        self.free = doctors
        self.waiting = []  # [patient, minute since when, urgency]
        self.longest = 0

    def raise_urgency(self, minute):
        """Who has waited for two hours becomes urgent."""
        for entry in self.waiting:
            if minute - entry[1] >= BECOMES_URGENT:
                entry[2] = URGENT

    def next_patient(self, minute):
        """Takes the next one from those who wait: (patient, minutes waited)"""
        self.raise_urgency(minute)
        self.waiting.sort(key=lambda entry: (entry[2], entry[1], entry[0]["number"]))
        patient, since, _ = self.waiting.pop(0)
        return patient, minute - since


class Clinic:
    def __init__(self, rooms, patients):
        self.rooms = {name: Room(name, doctors) for name, doctors in rooms.items()}
        self.patients = {patient["number"]: patient for patient in patients}
        self.events = []
        self.log = []  # [minute, what, patient, room]
        self.waits = []  # [patient, room, minutes]
        self.states = []  # for each hour: who waited where

    def room(self, name):
        return self.rooms[name]

    def patient(self, number):
        return self.patients[number]

    def add_event(self, event):
        heapq.heappush(self.events, event)

    def play(self):
        for patient in self.patients.values():
            self.add_event(Event(patient["comes"], "comes", copy.deepcopy(patient), patient["way"][0][0]))
        while self.events:
            event = heapq.heappop(self.events)
            self.keep_state(event.minute)
            room = self.room(event.room)
            if event.kind == "leaves":
                room.free += 1
                self.send_on(event)
            else:
                room.waiting.append([event.patient, event.minute, event.patient["urgency"]])
            self.log.append([event.minute, event.kind, event.patient["number"], event.room])
            room.longest = max([room.longest, len(room.waiting)])
            self.treat(room, event.minute)

    def keep_state(self, minute):
        """Notes for each full hour that has begun who is waiting where."""
        while len(self.states) <= minute // 60:
            waiting = {room.name: copy.deepcopy(room.waiting) for room in self.rooms.values()}
            self.states.append({name: sorted(entry[0]["number"] for entry in entries) for name, entries in waiting.items()})

    def treat(self, room, minute):
        while room.free and room.waiting:
            patient, waited = room.next_patient(minute)
            room.free -= 1
            self.waits.append([patient["number"], room.name, waited])
            stay = patient["way"].pop(0)[1]
            self.add_event(Event(minute + stay, "leaves", patient, room.name))

    def send_on(self, event):
        if event.patient["way"]:
            self.add_event(Event(event.minute, "comes", event.patient, event.patient["way"][0][0]))

    def waits_in(self, name):
        return [minutes for _, room, minutes in self.waits if room == name]

    def way_of(self, number):
        """[minute, what, room] of a patient, in order."""
        return [[minute, what, room] for minute, what, patient, room in self.log if patient == number]

    def figures(self):
        """What the office wants to know."""
        stays = {}
        for patient in self.patients.values():
            way = self.way_of(patient["number"])
            stays[patient["number"]] = way[-1][0] - way[0][0]
        by_urgency = {}
        for number, minutes in stays.items():
            by_urgency.setdefault(str(self.patient(number)["urgency"]), []).append(minutes)
        return {
            "rooms": {
                room.name: {
                    "treated": len(self.waits_in(room.name)),
                    "longest_queue": room.longest,
                    "mean_wait": round(sum(self.waits_in(room.name)) / max(1, len(self.waits_in(room.name))), 3),
                    "longest_wait": max(self.waits_in(room.name), default=0),
                }
                for room in self.rooms.values()
            },
            "stays": {urgency: sorted(minutes)[len(minutes) // 2] for urgency, minutes in by_urgency.items()},
            "longest_stays": sorted(stays, key=lambda number: (-stays[number], number))[:10],
            "states": self.states,
            "waits": self.waits,
        }


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("verb", choices=["make", "run"])
    parser.add_argument("file")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--size", type=float, default=1.0)
    options = parser.parse_args()
    if options.verb == "make":
        with open(options.file, "w", encoding="utf-8") as file:
            json.dump(make_input(options.seed, options.size), file)
        return
    with open(options.file, encoding="utf-8") as file:
        given = json.load(file)
    clinic = Clinic(given["rooms"], given["patients"])
    clinic.play()
    figures = clinic.figures()
    for name, room in figures["rooms"].items():
        print("%-12s %s" % (name, "  ".join("%s %s" % (key.replace("_", " "), value) for key, value in room.items())))
    print("digest %s" % hashlib.sha256(json.dumps(figures, sort_keys=True).encode("ascii")).hexdigest())


if __name__ == "__main__":
    main()
