"""Logs of a gateway: small ones full of failures exactly one window old, and a long one of six hours."""

BUSY = 10_000  # lines; from here on the log is a realistic one
NOISE = ("", "-- rotated --", "9x ok office-1 from 10.4.1.1", "12 locked office-1 from 10.4.1.1", "12 ok office-1")


def log_of(random, lines, accounts, noise):
    moment, text = random.randrange(100), []
    for _ in range(lines):
        if random.random() < noise:
            text.append(random.choice(NOISE))
            continue
        moment += random.randrange(3)
        outcome = random.choice(("ok", "failed", "failed", "failed"))
        text.append(f"{moment} {outcome} office-{random.randrange(accounts)} from 10.4.1.{random.randrange(250)}")
    return "\n".join(text)


def case(random, size):
    if size >= BUSY:
        return log_of(random, size, 22, 0.001), random.randint(20, 26), random.choice((540, 600, 660))
    return log_of(random, size, random.randint(1, 4), 0.1), random.randint(1, 4), random.randint(2, 9)


def edges():
    far = "100 failed a from h\n109 failed a from h\n110 failed a from h\n110 ok a from h\n119 ok a from h\n120 ok a from h"
    return [
        ("", 1, 10),
        ("5 ok a from h", 0, 10),  # nothing failed, and that is enough for a limit of 0
        (far, 2, 10),
        ("\n".join(["7 failed a from h"] * 3 + ["7 ok a from h", "7 ok b from h"]), 3, 1),
        ("100 failed a from h\n110 ok a from h", 1, 10),
        ("rotated\n\n7 ok", 1, 1),
    ]
