/* The self-check: five minutes, before the first module, on what the course takes for granted. Nothing depends on it.
 */
#include "learn/inside.h"

const struct learn_question learn_questions[] = {
    {"What does {word: len(word) for word in ['ab', 'c', 'ab']} make?",
        {"{'ab': 2, 'c': 1}", "{'ab': 2, 'c': 1, 'ab': 2}", "an error: 'ab' comes twice", NULL}, 0,
        "dictionaries and comprehensions (the Python tutorial, Data Structures)"},
    {"After a = [1, 2]; b = a; b.append(3): what is a?", {"[1, 2]", "[1, 2, 3]", "3", NULL}, 1,
        "names and objects (the Python tutorial, A Word About Names and Objects)"},
    {"What does calling a function that has a yield in its body do first?",
        {"runs it to its end", "runs it to the first yield", "makes a generator, and runs nothing yet", NULL}, 2,
        "generators (the Python tutorial, Generators)"},
    {"A binary search in a million sorted items looks at how many of them, at most, about?",
        {"20", "1,000", "500,000", NULL}, 0, "binary search, and what a logarithm counts"},
    {"A function has two nested loops over the same list. The list becomes 10 times as long. The work becomes about",
        {"10 times as much", "20 times as much", "100 times as much", NULL}, 2, "growth: O(n), O(n log n), O(n^2)"},
    {"'x in s', where s has a million items. What is s, if the answer takes about as long as with ten items?",
        {"a list", "a set", "a tuple", NULL}, 1, "how sets and dictionaries find a key: hashing"},
    {"A traceback ends with a line KeyError: 'id'. Where was it raised?",
        {"in the first entry below 'Traceback'", "in the last entry above that line", "a traceback does not tell",
            NULL},
        1, "reading tracebacks (the Python tutorial, Errors and Exceptions)"},
};
const size_t learn_question_count = ARRAY_SIZE(learn_questions);
