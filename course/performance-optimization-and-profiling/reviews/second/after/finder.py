"""Finds the texts that fit a query best, and mends queries that are mistyped.

    python finder.py make FILE [--seed N] [--size X]    write texts and queries (size 1: 120 texts, 20 queries)
    python finder.py run FILE                           answer the queries, print a digest of the answers

A text's score is the sum over the query's words of how often the word stands in it, times how rare it is among the
texts: tf-idf, in whole numbers, so that it is the same everywhere. The digest is the behaviour.
"""

import argparse
import functools
import hashlib
import json
import random
import re

ANSWERS = 5
SNIPPET = 12  # words
TOO_FAR = 3  # edits
NO_WORD = re.compile(r"[^a-z0-9]+")
SYLLABLES = "ba be bi bo da de di do ka ke ki ko la le li lo ma me mi mo na ne ni no ra re ri ro sa se si so ta te ti to".split()
LEFT_OUT = ["the", "a", "of", "and", "to", "in", "is"]


# Texts and queries


def make_words(draw, number):
    words = set()
    while len(words) < number:
        words.add("".join(draw.choice(SYLLABLES) for _ in range(draw.randrange(2, 5))))
    return sorted(words)


def mistype(draw, word):
    place = draw.randrange(len(word))
    letter = draw.choice("aeiklmnorst")
    return draw.choice((word[:place] + word[place + 1 :], word[:place] + letter + word[place:], word[:place] + letter + word[place + 1 :]))


def make_input(seed, size):
    """{"texts": [...], "queries": [...]}: a few words are frequent, most are rare."""
    draw = random.Random("finder %s" % seed)
    words = make_words(draw, max(20, int(700 * size)))
    draw.shuffle(words)
    texts = []
    for _ in range(max(5, int(120 * size))):
        text = []
        for _ in range(draw.randrange(20, 160)):
            word = draw.choice(LEFT_OUT) if draw.random() < 0.3 else words[int(len(words) * draw.random() ** 3)]
            text.append(word.capitalize() if draw.random() < 0.1 else word)
            if draw.random() < 0.15:
                text[-1] += draw.choice((",", ".", "!", ";"))
        texts.append(" ".join(text))
    queries = []
    for _ in range(max(3, int(20 * size))):
        query = [words[int(len(words) * draw.random() ** 2)] for _ in range(draw.randrange(1, 4))]
        queries.append(" ".join(mistype(draw, word) if draw.random() < 0.12 else word for word in query))
    return {"texts": texts, "queries": queries}


# Reading


@functools.lru_cache(maxsize=4096)
def words_of(text):
    """The words of a text in small letters, without marks and without the words that are left out."""
    return tuple(word for word in NO_WORD.split(text.lower()) if word and word not in LEFT_OUT)


def vocabulary(texts):
    """All words of the texts, in order."""
    return sorted({word for text in texts for word in words_of(text)})


# Mistyped words


def distance(one, other):
    """How many letters must be put in, taken out or exchanged to turn one word into the other."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for row in range(len(one) + 1):
        for column in range(len(other) + 1):
            if row == 0 or column == 0:
                table[row][column] = row + column
            else:
                table[row][column] = min(
                    table[row - 1][column] + 1,
                    table[row][column - 1] + 1,
                    table[row - 1][column - 1] + (one[row - 1] != other[column - 1]),
                )
    return table[-1][-1]


def mend(word, known):
    """The known word nearest to this one, if it is near enough: of equally near ones the first by name. Else the word."""
    if word in known:
        return word
    # Words of very different length can't be near.
    near = [other for other in known if abs(len(other) - len(word)) < TOO_FAR - 1]
    ranked = sorted((distance(word, other), other) for other in near)
    if ranked and ranked[0][0] < TOO_FAR:
        return ranked[0][1]
    return word


# Finding


def rarity(word, texts):
    """1000 for a word in all the texts, more for a rarer one; 0 for one in none."""
    holding = len([text for text in texts if word in words_of(text)])
    return 1000 * len(texts) // holding if holding else 0


def score(query, weights, text):
    words = words_of(text)
    points = 0
    for word, weight in zip(query, weights):
        if word in words:
            points += words.count(word) * 1000 // len(words) * weight
    return points


def snippet(query, text):
    """The part of the text, twelve words long, that holds most of the query's words; the first of equal ones."""
    words = text.split(" ")
    best, most = words[:SNIPPET], -1
    for place in range(max(1, len(words) - SNIPPET + 1)):
        part = words[place : place + SNIPPET]
        there = set(NO_WORD.split(" ".join(part).lower()))
        held = len([word for word in query if word in there])
        if held > most:
            best, most = part, held
    return " ".join(best)


def find(query, texts, known):
    """{"query", "answers": [[number of the text, score, snippet], ...]}, the best first; of equal ones the lower number."""
    words = [mend(word, known) for word in words_of(query)]
    weights = [rarity(word, texts) for word in words]
    scored = []
    for number, text in enumerate(texts):
        points = score(words, weights, text)
        if points > 0:
            scored.append([number, points])
    scored.sort(key=lambda entry: (-entry[1], entry[0]))
    best = [[number, points, snippet(words, texts[number])] for number, points in scored[:ANSWERS]]
    return {"query": " ".join(words), "answers": best}


def answer_all(given):
    known = vocabulary(given["texts"])
    return [find(query, given["texts"], known) for query in given["queries"]]


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
        answers = answer_all(json.load(file))
    for answer in answers[:10]:
        print("%-30s %s" % (answer["query"], " ".join("%d(%d)" % tuple(entry[:2]) for entry in answer["answers"])))
    print("digest %s" % hashlib.sha256(json.dumps(answers, sort_keys=True).encode("ascii")).hexdigest())


if __name__ == "__main__":
    main()
