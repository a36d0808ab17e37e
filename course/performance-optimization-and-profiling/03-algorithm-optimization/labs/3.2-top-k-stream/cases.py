"""Results of a contest: small streams with many equal points, and a long one of a large meeting."""

LARGE = 2_000  # results; from here on it is a meeting of many classes
NAMES = [f"{first} {last}" for first in ("Ada", "Ben", "Caro", "Deniz", "Eva", "Finn") for last in ("Abt", "Berg", "Cook", "Dahl")]


def case(random, size):
    contests = 110 if size >= LARGE else random.randint(1, 3)
    most = 3_000 if size >= LARGE else random.choice((2, 5, 100))
    lines = [f"class-{random.randrange(contests)} {random.randrange(most)} {random.choice(NAMES)}" for _ in range(size)]
    return "\n".join(lines), 8 if size >= LARGE else random.randint(1, 5)


def edges():
    ties = ["a 10 Zoe", "a 10 Ada", "a 10 Max", "a 10 Bea"]
    return [
        ("", 3),
        ("a 1 Ada", 1),
        ("a 5 Zoe\na 5 Ada", 1),  # an equal result does not push the earlier one out
        ("a 5 Zoe\na 5 Ada", 2),  # nor comes before it, whatever the names
        ("\n".join(ties), 3),
        ("\n".join(["a 9 Kim", *ties, "a 11 Lea", "a 10 Kim"]), 3),
        ("a 5 Kim\na 7 Kim\na 5 Kim\na 7 Kim", 3),  # each result of a climber counts
        ("a 3 Ada\nb 3 Ada\na 0 Ben Berg\nb 4 Cy", 2),
    ]
