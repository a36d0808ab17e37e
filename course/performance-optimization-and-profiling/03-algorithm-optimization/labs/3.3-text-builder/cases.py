"""Hearings as strokes. Sizes up to 1000000 are numbers of strokes; from PHRASES on most of them stand for whole phrases, as growth is
measured. What larger ones are above a million are strokes for single words."""

PHRASES = 500
WORDS = 1_000_000
ENDINGS = {"-G": "^ing", "-D": "^ed", "-R": "^er", "-S": "^s", "HREU": "^ly", "-E": "^e"}
MARKS = {"-FPLT": "^.", "STPH": "^?", "-RBGS": "^,", "R-R": "^\n"}
RARE = ("café", "naïve", "Łódź", "e", "A.", "c/o")


def word_of(random):
    word = "".join(random.choice("abdegilmnorstuvw") for _ in range(random.randrange(2, 9)))
    return word + "e" if random.random() < 0.4 else word


def phrase_of(random):
    return " ".join(word_of(random) for _ in range(random.randrange(8, 16)))


def case(random, size):
    small, phrases, strokes = size < PHRASES, PHRASES <= size <= WORDS, size % WORDS
    write = phrase_of if phrases else word_of
    words = {"%sW%d" % (random.choice("STKP"), number): write(random) for number in range(12 if small else 600)}
    if small:
        words.update(("RA%d" % number, word) for number, word in enumerate(RARE))
    dictionary = {**words, **ENDINGS, **MARKS}
    kinds = random.choices(
        (list(words), list(ENDINGS), list(MARKS), ["TPHOT", "SKWR-"], ["*"]),
        (40, 25, 15, 5, 30) if small else (70, 15, 8, 2, 5), k=strokes)
    return " ".join(random.choice(outlines) for outlines in kinds), dictionary


def edges():
    dictionary = {"PHAEUBG": "make", "KAT": "cat", "THE": "the", **ENDINGS, **MARKS}
    hearings = [
        "",
        "*",
        "KAT",
        "KAT *",
        "THE KAT * *",  # the second one has nothing to take back
        "THE KAT * PHAEUBG *",
        "PHAEUBG -G",
        "PHAEUBG -G *",  # make has its e again
        "PHAEUBG -G * -S",
        "PHAEUBG -S -G * * KAT",
        "KAT -FPLT * KAT",  # no sentence begins
        "KAT -FPLT KAT * KAT",
        "KAT R-R * KAT R-R KAT",
        "-G KAT -E -G *",
        "* -FPLT KAT TPHOT * THE",
    ]
    return [(strokes, dictionary) for strokes in hearings]
