PROGRAM = '''\
def first():
    return sum(i * i for i in range({first}))


def second():
    return sum(i * i for i in range({second}))


if __name__ == "__main__":
    first()
    second()
'''


def questions(random):
    asked = []
    for number in range(2):
        hot = random.choice(["first", "second"])
        times = {"first": 200_000 + random.randrange(1000), "second": 200_000 + random.randrange(1000)}
        times[hot] *= 20
        program = {"name": "program%d.py" % number, "text": PROGRAM.format(**times)}
        asked.append({"program": program, "ask": "which function takes most of the time?", "choices": ["first", "second"],
                      "answer": hot})
        asked.append({"program": program, "ask": "what share of the time, in percent?", "choices": None, "answer": 100 * 20 / 21,
                      "tolerance": 6})
    return asked
