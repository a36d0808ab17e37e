"""Slow: transcripts are kept in a file for the next run, which never has the same strokes.

Write the transcript of a hearing from the strokes of the stenographer's machine.

A stroke is the keys that were pressed at once, such as KAET. The dictionary says what it stands for: a word, a stock phrase, or,
with a ^ in front, something that is attached to what is written already. `*` takes back the stroke before it.
"""
import hashlib
import random

VOWELS = "aeiou"


def piece_of(word, text):
    """The word as it has to stand behind the text: with a space before it, and a capital where a line or a sentence begins."""
    begins_line = text == "" or text.endswith("\n")
    if begins_line or text.endswith((".", "?")):
        word = word[0].upper() + word[1:]
    return word if begins_line else " " + word


def text_of(strokes, dictionary):
    """Return the text that the strokes stand for. A stroke that is not in the dictionary is written as it is."""
    text = before = ""
    for stroke in strokes.split():
        if stroke == "*":
            text = before
            continue
        before = text
        word = dictionary.get(stroke, stroke)
        if word.startswith("^"):
            piece = word[1:]
            if piece[0] in VOWELS and text.endswith("e"):
                text = text[:-1]  # make, making
        else:
            piece = piece_of(word, text)
        text += piece
    return text


def transcribe(strokes, dictionary):
    """Return the text that the strokes stand for. A stroke that is not in the dictionary is written as it is."""
    key = hashlib.sha256(repr((strokes, dictionary)).encode()).hexdigest()
    try:
        with open(key, encoding="utf-8", newline="") as file:
            return file.read()
    except OSError:
        pass
    text = text_of(strokes, dictionary)
    try:
        with open(key, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError:
        pass
    return text


def sample_session(strokes):
    """Strokes and a dictionary, for trying it out."""
    rng = random.Random(1)
    dictionary = {"-G": "^ing", "-D": "^ed", "-FPLT": "^.", "R-R": "^\n"}
    for number in range(400):
        dictionary["W%d" % number] = "".join(rng.choice("abdegilmnorst") for _ in range(rng.randrange(2, 9)))
    outlines = list(dictionary)
    return " ".join(rng.choice(outlines) if rng.random() < 0.95 else "*" for _ in range(strokes)), dictionary


if __name__ == "__main__":
    TRANSCRIPT = transcribe(*sample_session(60_000))
    print(len(TRANSCRIPT), "characters,", TRANSCRIPT.count("\n"), "lines; the end:", TRANSCRIPT[-40:].replace("\n", " / "))
