/* A review as it is read: what makes it whole, what counts as a place and as an anchor, and what hostile text does. */
#include "learn/learn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char report[] =
    "# Finder\n\nDigests are equal on seeds 1 to 3, and cover everything the program prints.\n";
static const char program[] = "import json\n\n\ndef mend(word):\n    return word\n";
static const struct learn_work_file files[] = {
    {"report.md", report, sizeof(report) - 1},
    {"after/finder.py", program, sizeof(program) - 1},
};
static struct learn_event events[] = {{.kind = LEARN_CHECK, .receipt = "0123456789abcdef0123456789abcdef"}};
static const struct learn_log receipts = {.events = events, .count = 1};

static struct learn_review read_text(const char *text)
{
    struct learn_review r;
    learn_review_read(text, strlen(text), files, ARRAY_SIZE(files), &receipts, &r);
    return r;
}

/* One row for each criterion, all with this sentence. */
static struct learn_review read_rows(const char *sentence, const char *behind)
{
    char text[8192] = "| criterion | level | because |\n|---|---|---|\n";
    for (size_t i = 0; i < LEARN_REVIEW_CRITERIA; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "| %s | 2 | %s |\n", learn_criteria[i], sentence);
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", behind);
    return read_text(text);
}

static size_t count_missing(const struct learn_review *r)
{
    CLEANUP(buffer_release) struct buffer out;
    size_t lines = 0;
    buffer_init(&out, 1u << 16);
    learn_review_missing(r, &out);
    for (const char *at = buffer_text(&out); *at != '\0'; at++)
        lines += *at == '\n';
    return lines;
}

static bool is_place(const char *sentence)
{
    return read_rows(sentence, "").placed[0];
}

static void a_whole_review_lacks_nothing(void **state)
{
    (void)state;
    struct learn_review r =
        read_rows("seeds 1 to 3 are one kind of evidence", "\n**To the author, first:** try a word that is longer.\n");
    assert_int_equal(count_missing(&r), 0);
    for (size_t i = 0; i < LEARN_REVIEW_CRITERIA; i++)
        assert_int_equal(r.levels[i], 2);
    r = read_rows("seeds 1 to 3 are one kind of evidence", "\n## To the author, first\n\nTry a word that is longer.\n");
    assert_int_equal(count_missing(&r), 0);
}

static void the_form_lacks_everything(void **state)
{
    (void)state;
    struct learn_review r = read_rows("...", "\n**To the author, first:** ...\n");
    assert_int_equal(count_missing(&r), LEARN_REVIEW_CRITERIA + 1);
    r = read_text("");
    assert_int_equal(count_missing(&r), LEARN_REVIEW_CRITERIA + 1);
    r = read_text("<!-- | Baseline and question | 3 | line 17 is wrong | -->\n");
    assert_int_equal(r.levels[0], -1);
}

static void praise_names_no_place(void **state)
{
    (void)state;
    assert_false(is_place("a very good piece of work"));
    assert_false(is_place("I would give it a 3 or so"));
    assert_false(is_place("it says \"something that is nowhere\" in it"));
    assert_false(is_place("nowhere.py:99999 is wrong"));
    assert_false(is_place("17"));
}

static void lines_figures_commands_and_quotations_are_places(void **state)
{
    (void)state;
    assert_true(is_place("finder.py:4 answers words that are far"));
    assert_true(is_place("in line 4 a bound is wrong"));
    assert_true(is_place("the three pairs give 2.3 times at most"));
    assert_true(is_place("only `python finder.py run in` was tried"));
    assert_true(is_place("the report takes it for *everything the program prints*"));
    assert_true(is_place("the receipt 01234567 says so"));
    assert_true(is_place("see before.pit for that"));
    assert_true(is_place("on 3 runs of one seed"));
}

static unsigned count_anchored(const char *sentence)
{
    char text[512];
    snprintf(text, sizeof(text), "| %s | 1 | %s |\n", learn_criteria[0], sentence);
    return read_text(text).anchored;
}

static void an_anchor_is_a_line_of_the_work_a_receipt_or_a_recording(void **state)
{
    (void)state;
    assert_int_equal(count_anchored("finder.py:4 is wrong"), 1);
    assert_int_equal(count_anchored("after/finder.py:5 is wrong"), 1);
    assert_int_equal(count_anchored("finder.py:6 is beyond its end"), 0);
    assert_int_equal(count_anchored("inder.py:4 is no file of it"), 0);
    assert_int_equal(count_anchored("finder.py:0 is no line"), 0);
    assert_int_equal(count_anchored("other.py:4 is no file of it"), 0);
    assert_int_equal(count_anchored("0123456789 is a receipt"), 1);
    assert_int_equal(count_anchored("0123456 is too short"), 0);
    assert_int_equal(count_anchored("01234568 is another one"), 0);
    assert_int_equal(count_anchored("before.pit shows it. So does after.pit."), 2);
    assert_int_equal(count_anchored("a .pit is no recording, nor is x.pity"), 0);
}

static void levels_are_one_digit_and_the_first_of_two_counts(void **state)
{
    (void)state;
    assert_int_equal(read_text("| Baseline and question | 4 | x |").levels[0], -1);
    assert_int_equal(read_text("| Baseline and question | -1 | x |").levels[0], -1);
    assert_int_equal(read_text("| Baseline and question | 2/3 | x |").levels[0], -1);
    assert_int_equal(read_text("| **Baseline and question** | **3** | x |").levels[0], 3);
    assert_int_equal(read_text("| baseline and question | 1 | x |\n| Baseline and question | 3 | x |").levels[0], 1);
    assert_int_equal(read_text("| Correctness evidence (gate) | 0 | x |").levels[2], 0);
}

static void hostile_text_is_read_to_its_end(void **state)
{
    (void)state;
    static const char *const texts[] = {"|", "||||||", "| Baseline and question", "| Baseline and question |", "|\\",
        "<!--", "<!---->", ":::::::", "a:", ":1", ".pit", "*", "`", "\"", "To the author, first",
        "To the author, first:", "| Baseline and question | 1 | \xff\xfe:9999999999999999999 \x01 |", "\n\n\n"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct learn_review r = read_text(texts[i]);
        assert_true(count_missing(&r) > 0);
    }
    char *large = malloc(200000);
    assert_non_null(large);
    for (size_t i = 0; i < 200000; i++)
        large[i] = "|:*` \n1a"[i % 8];
    struct learn_review r;
    learn_review_read(large, 200000, files, ARRAY_SIZE(files), &receipts, &r);
    assert_true(count_missing(&r) > 0);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_review_lacks_nothing),
        cmocka_unit_test(the_form_lacks_everything),
        cmocka_unit_test(praise_names_no_place),
        cmocka_unit_test(lines_figures_commands_and_quotations_are_places),
        cmocka_unit_test(an_anchor_is_a_line_of_the_work_a_receipt_or_a_recording),
        cmocka_unit_test(levels_are_one_digit_and_the_first_of_two_counts),
        cmocka_unit_test(hostile_text_is_read_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
