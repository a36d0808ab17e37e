"""Slow: without the second name the text grows in place, but asterisks and a dropped e still copy all of it.

Write the transcript of a hearing from the strokes of the stenographer's machine.

A stroke is the keys that were pressed at once, such as KAET. The dictionary says what it stands for: a word, a stock phrase, or,
with a ^ in front, something that is attached to what is written already. `*` takes back the stroke before it.
"""
import random

VOWELS = "aeiou"


def piece_of(word, text):
    """The word as it has to stand behind the text: with a space before it, and a capital where a line or a sentence begins."""
    begins_line = text == "" or text.endswith("\n")
    if begins_line or text.endswith((".", "?")):
        word = word[0].upper() + word[1:]
    return word if begins_line else " " + word


def transcribe(strokes, dictionary):
    """Return the text that the strokes stand for. A stroke that is not in the dictionary is written as it is."""
    text, length, dropped = "", 0, ""
    for stroke in strokes.split():
        if stroke == "*":
            text = text[:length] + dropped
            length, dropped = len(text), ""
            continue
        word = dictionary.get(stroke, stroke)
        dropped = ""
        if word.startswith("^"):
            piece = word[1:]
            if piece[0] in VOWELS and text.endswith("e"):
                text, dropped = text[:-1], "e"  # make, making
        else:
            piece = piece_of(word, text)
        length = len(text)
        text += piece
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
