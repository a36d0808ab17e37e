/* Readability: what costs and what does not, and sources that were written to break whoever reads them. */
#include "grade/readability.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"

#define PYTHON "/usr/bin/python3"
#define PARTS 7.0

static const char reference[] = "\"\"\"Words.\"\"\"\n"
                                "import collections\n\n\n"
                                "def count_words(lines):\n"
                                "    \"\"\"How often each word comes up in the lines, most often first.\"\"\"\n"
                                "    counts = collections.Counter()\n"
                                "    for line in lines:\n"
                                "        for word in line.split():\n"
                                "            if word.isalpha():\n"
                                "                counts[word.lower()] += 1\n"
                                "    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))\n";

static double share_of_bytes(const char *source, size_t size, char why[256])
{
    double share = -1;
    memset(why, 'x', 256);
    int r = readability_measure(PYTHON, source, size, reference, strlen(reference), &share, why, 256);
    if (r < 0)
        fail_msg("%s", strerror(-r));
    assert_true(share >= 0 && share <= 1);
    assert_true(strnlen(why, 256) < 256);
    return share;
}

static double share_of(const char *source, char why[256])
{
    return share_of_bytes(source, strlen(source), why);
}

/* The reference with one text in it replaced. */
static const char *with(const char *old, const char *replacement)
{
    static char text[16384];
    const char *at = strstr(reference, old);
    assert_non_null(at);
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - reference), reference, replacement, at + strlen(old));
    return text;
}

static void a_good_solution_costs_nothing(void **state)
{
    (void)state;
    char why[256];
    assert_true(share_of(reference, why) == 1);
    assert_string_equal(why, "");
    static const char other[] = "\"\"\"Words.\"\"\"\n"
                                "# a comment, and another layout\n"
                                "def count_words(lines):\n"
                                "    '''How often each word comes up in the lines,\n\n"
                                "    most often first.'''\n\n"
                                "    found = {}\n"
                                "    for line in lines:\n"
                                "        for word in filter(str.isalpha, line.split()):\n"
                                "            word = word.lower()\n\n"
                                "            found[word] = found.get(word, 0) + 1\n"
                                "    return sorted(found.items(),\n"
                                "                  key=lambda pair: (-pair[1],\n"
                                "                                    pair[0]))\n";
    assert_true(share_of(other, why) == 1);
}

static void assert_costs(const char *source, double least, double most, const char *said)
{
    char why[256];
    double share = share_of(source, why);
    if (share < least || share > most || !strstr(why, said))
        fail_msg("%g, not %g to %g: %s", share, least, most, why);
}

static void what_is_worse_is_named(void **state)
{
    (void)state;
    assert_costs(with("    \"\"\"How often each word comes up in the lines, most often first.\"\"\"\n", ""),
        1 - 1 / PARTS - 0.01, 1 - 0.49 / PARTS, "count_words");
    assert_costs("\"\"\"Words.\"\"\"\n"
                 "import collections\n\n\n"
                 "def f(a):\n"
                 "    c = collections.Counter()\n"
                 "    for b in a:\n"
                 "        for w in b.split():\n"
                 "            if w.isalpha():\n"
                 "                c[w.lower()] += 1\n"
                 "    return sorted(c.items(), key=lambda i: (-i[1], i[0]))\n",
        1 - 2 / PARTS, 1 - 0.9 / PARTS, "names of one letter: 100%, the reference 0%");
    assert_costs(with("import collections\n", "import collections\nimport os\nimport re\n"), 1 - 1 / PARTS - 0.01,
        1 - 0.9 / PARTS, "os is imported and not used; re is");
    assert_costs(with("key=lambda item: (-item[1], item[0]))\n",
                     "key=lambda item: (-item[1], item[0]))\n    print(counts)\n    return counts\n"),
        1 - 1 / PARTS - 0.01, 1 - 0.3 / PARTS, "line 13 is never reached");
    assert_costs(with("    counts = ", "    unused = 1\n    counts = "), 1 - 1 / PARTS, 1 - 0.3 / PARTS,
        "unused is set and never read");
    assert_costs(with("import collections\n", "import collections\n\n\ndef helper():\n    pass\n"), 1 - 1 / PARTS,
        1 - 0.3 / PARTS, "helper is never called");
}

/* n copies of a loop in the function, which nest or do not. */
static const char *with_loops(int n, bool nested, const char *separator)
{
    static char text[16384], deep[8192];
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        int indent = 4 * (nested ? i + 1 : 1);
        at += (size_t)snprintf(
            deep + at, sizeof(deep) - at, "%*sfor step%d in range(10):%s", indent, "", i, nested ? "\n" : separator);
    }
    if (nested)
        snprintf(deep + at, sizeof(deep) - at, "%*scounts[step0] = step1\n", 4 * (n + 1), "");
    snprintf(text, sizeof(text), "%s", with("    for line", deep));
    char *end = strstr(text, " in lines:"); /* "for line" was replaced: put it back */
    assert_non_null(end);
    static char whole[20000];
    snprintf(whole, sizeof(whole), "%.*s    for line%s", (int)(end - text), text, end);
    return whole;
}

static void length_and_tangle_cost(void **state)
{
    (void)state;
    char why[256];
    double two = share_of(with_loops(6, false, " counts[step0] = 1\n"), why);
    assert_true(two > 0.5 && two < 1);
    double many = share_of(with_loops(40, false, " counts[step0] = 1\n"), why);
    assert_true(many == 0); /* three times the tokens */
    assert_non_null(strstr(why, "the reference"));
    double nested = share_of(with_loops(12, true, ""), why);
    assert_true(nested == 0); /* three times the branches, three times the blocks */
    /* One line of many statements is no shorter. */
    double one_line =
        share_of(with("    return", "    lines = 1; lines = 2; lines = 3; lines = 4; lines = 5; lines = 6; "
                                    "lines = 7; lines = 8; lines = 9; lines = 10; lines = 11; lines = 12; "
                                    "lines = 13; lines = 14; lines = 15; lines = 16; lines = 17\n"
                                    "    return"),
            why);
    assert_true(one_line < 1);
    assert_non_null(strstr(why, "tokens"));
    /* elif is no deeper. */
    assert_true(
        share_of(with("                counts[word.lower()] += 1\n", "                counts[word.lower()] += 1\n"
                                                                     "            elif word:\n"
                                                                     "                counts[word] += 1\n"
                                                                     "            elif line:\n"
                                                                     "                counts[line] += 1\n"),
            why) > 0.9);
    assert_null(strstr(why, "blocks"));
}

/* n times a text, between two others. */
static double share_of_many(const char *before, const char *text, size_t n, const char *after, char why[256])
{
    struct buffer b;
    buffer_init(&b, 4 << 20);
    buffer_append_string(&b, before);
    for (size_t i = 0; i < n; i++)
        buffer_append_string(&b, text);
    buffer_append_string(&b, after);
    assert_false(b.failed);
    double share = share_of_bytes((const char *)b.data, b.size, why);
    buffer_release(&b);
    return share;
}

static void hostile_sources_have_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *before, *text;
        size_t n;
        const char *after;
    } sources[] = {
        {"", "", 0, "def count_words(:\n"},
        {"x = ", "(", 60000, ""},
        {"x = ", "(", 150, "1\n"},
        {"x = ", "-", 60000, "1\n"},
        {"x = ", "[", 90, "\n"},
        {"x = a", ".a", 30000, "\n"},
        {"x = 1", "+1", 30000, "\n"},
        {"x = ", "not ", 15000, "1\n"},
        {"x = ", "lambda: ", 8000, "1\n"},
        {"x = f'", "{f'", 50, "\n"},
        {"", "if 1:\n ", 200, "\n"},
        {"# coding: no-such-codec\n", "", 0, "x = 1\n"},
        {"# coding: utf-7\n", "+", 100, "\n"},
        {"x = '\xff\xfe'\n", "", 0, ""},
        {"x = '", "a", READABILITY_SOURCE_MAX, "'\n"},
        {"", "x = 1\n", 10000, ""},
        {"", "\t\f\v\r", 1000, "x"},
        {"while 1: ", "pass;", 12000, "\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        char why[256];
        double share = share_of_many(sources[i].before, sources[i].text, sources[i].n, sources[i].after, why);
        if (share != 0 || why[0] == '\0')
            fail_msg("source %zu: %g, %s", i, share, why);
    }
    char why[256];
    assert_true(share_of_bytes("x = 1\0y = (", 11, why) == 0);
    /* What it is told is not what it may send to a terminal. */
    assert_true(share_of("def \x1b[31m\xe2\x80\xae(: '\x1b]0;title\x07'\n", why) == 0);
    for (const char *c = why; *c; c++)
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
    assert_null(strstr(why, "\xe2\x80\xae"));
}

static void an_empty_source_is_a_short_one(void **state)
{
    (void)state;
    char why[256];
    assert_true(share_of("", why) > 0);
    assert_true(share_of("\xef\xbb\xbf# a mark, and nothing\n", why) > 0);
}

/* Not the learner's fault. */
static void a_bad_reference_is_an_error(void **state)
{
    (void)state;
    char why[256] = "";
    double share = -1;
    assert_int_equal(readability_measure(PYTHON, "x", 1, "def (", 5, &share, why, sizeof(why)), -EBADMSG);
    static char long_text[READABILITY_SOURCE_MAX + 1];
    memset(long_text, '#', sizeof(long_text));
    assert_int_equal(
        readability_measure(PYTHON, "x", 1, long_text, sizeof(long_text), &share, why, sizeof(why)), -EBADMSG);
    assert_true(readability_measure("/nonexistent/python3", "x", 1, "x", 1, &share, why, sizeof(why)) < 0);
    assert_true(share == -1);
}

static int dumpable_again(void **state)
{
    (void)state;
    return prctl(PR_SET_DUMPABLE, 1); /* the leak sanitizer looks at us by ptrace */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_solution_costs_nothing),
        cmocka_unit_test(what_is_worse_is_named),
        cmocka_unit_test(length_and_tangle_cost),
        cmocka_unit_test(hostile_sources_have_nothing),
        cmocka_unit_test(an_empty_source_is_a_short_one),
        cmocka_unit_test(a_bad_reference_is_an_error),
    };
    if (access(PYTHON, X_OK) < 0)
        return 77; /* skipped */
    return cmocka_run_group_tests(tests, NULL, dumpable_again);
}
