/* What a learner writes by hand, project.json and report.md: what is taken, and what is refused with its reason. */
#include "project/project.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1u << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void refuses(const char *text, const char *why)
{
    struct project_manifest m = {.program = "untouched"};
    struct error e = {""};
    assert_int_equal(project_manifest_parse(text, strlen(text), &arena, &m, &e), -EBADMSG);
    if (strstr(e.text, why) == NULL)
        fail_msg("'%s' does not say '%s'", e.text, why);
    assert_string_equal(m.program, "untouched");
}

static struct project_manifest take(const char *text)
{
    struct project_manifest m;
    struct error e = {""};
    if (project_manifest_parse(text, strlen(text), &arena, &m, &e) < 0)
        fail_msg("%s", e.text);
    return m;
}

static void takes_what_is_laid_down(void **state)
{
    (void)state;
    struct project_manifest m =
        take("{\"program\": \"weblog\", \"command\": [\"weblog.py\", \"run\", \"day.log\"], \"make\": [\"weblog.py\", "
             "\"make\", "
             "\"day.log\", \"--seed\", \"1\", \"--size\", \"1\"], \"python\": \"3.12\", \"dependencies\": [], "
             "\"metric\": \"cpu\","
             "\"check\": [\"check.py\"], \"gate\": \"gate.py\", \"second_tool\": [\"cprofile.txt\"]}");
    assert_string_equal(m.program, "weblog");
    assert_int_equal(m.command.count, 3);
    assert_string_equal(m.command.items[2], "day.log");
    assert_null(m.command.items[3]);
    assert_int_equal(m.make.count, 7);
    assert_int_equal(m.metric, PROVE_CPU);
    assert_int_equal(m.gate.count, 1);
    assert_string_equal(m.gate.items[0], "gate.py");
    assert_int_equal(m.dependencies.count, 0);
}

static void takes_a_program_of_ones_own(void **state)
{
    (void)state;
    struct project_manifest m = take("{\"program\": \"own\", \"command\": [\"lib/app.py\"], \"inputs\": [\"a.csv\"], "
                                     "\"behaviour\": [\"out/result.txt\"], \"redacted\": true}");
    assert_true(m.redacted);
    assert_int_equal(m.metric, PROVE_WALL);
    assert_int_equal(m.make.count, 0);
    assert_int_equal(m.behaviour.count, 1);
    m = take("{\"program\": \"own\", \"command\": [\"app.py\"], \"behaviour\": \"stdout\"}");
    assert_int_equal(m.behaviour.count, 0);
}

static void refuses_what_cannot_be_run(void **state)
{
    (void)state;
    refuses("", "no JSON");
    refuses("[]", "no object");
    refuses("{\"program\": \"own\", \"program\": \"own\"}", "no JSON");
    refuses("{}", "'program'");
    refuses("{\"program\": \"other\"}", "'program'");
    refuses("{\"program\": \"own\"}", "'command'");
    refuses("{\"program\": \"own\", \"command\": [\"/bin/sh\"]}", "'command'");
    refuses("{\"program\": \"own\", \"command\": [\"../app.py\"]}", "'command'");
    refuses("{\"program\": \"own\", \"command\": [\"lib/../../app.py\"]}", "'command'");
    refuses("{\"program\": \"own\", \"command\": [\"-c.py\"]}", "'command'");
    refuses("{\"program\": \"own\", \"command\": [1]}", "'command'");
    refuses("{\"program\": \"own\", \"command\": {\"a\": 1}}", "'command'");
    refuses("{\"program\": \"own\", \"command\": [\"a\\u0000.py\"]}", "no JSON");
    refuses("{\"program\": \"own\", \"command\": [\"app.py\"], \"metric\": \"memory\"}", "'metric'");
    refuses("{\"program\": \"own\", \"command\": [\"app.py\"], \"inputs\": [\"../../etc/passwd\"]}", "'inputs'");
    refuses("{\"program\": \"own\", \"command\": [\"app.py\"], \"behaviour\": [\"/etc/passwd\"]}", "'behaviour'");
    refuses("{\"program\": \"own\", \"command\": [\"app.py\"], \"second_tool\": [\"..\"]}", "'second_tool'");
    refuses("{\"program\": \"own\", \"command\": [\"app.py\"], \"check\": [\"sh\"]}", "'check'");
    refuses("{\"program\": \"weblog\", \"command\": [\"weblog.py\"]}", "'make'");
    refuses(
        "{\"program\": \"weblog\", \"command\": [\"weblog.py\"], \"make\": [\"weblog.py\"], \"behaviour\": [\"a\"]}",
        "behaviour");
    refuses("{\"program\": \"weblog\", \"command\": [\"weblog.py\"], \"make\": [\"weblog.py\"], \"redacted\": true}",
        "redacted");
}

static void refuses_what_is_too_much(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, 1u << 20);
    buffer_append_string(&text, "{\"program\": \"own\", \"command\": [\"app.py\"");
    for (unsigned i = 0; i < PROJECT_WORDS_MAX; i++)
        buffer_append_string(&text, ", \"x\"");
    buffer_append_string(&text, "]}");
    refuses(buffer_text(&text), "no list");
    buffer_clear(&text);
    buffer_append_string(&text, "{\"program\": \"own\", \"command\": [\"app.py\", \"");
    for (unsigned i = 0; i <= PROJECT_WORD_MAX; i++)
        buffer_append_byte(&text, 'x');
    buffer_append_string(&text, "\"]}");
    refuses(buffer_text(&text), "too long");
    buffer_clear(&text);
    for (unsigned i = 0; i <= PROJECT_MANIFEST_MAX; i++)
        buffer_append_byte(&text, ' ');
    refuses(buffer_text(&text), "larger");
}

/* ---- the report ---- */

static struct project_report read_report(const char *text)
{
    struct project_report r;
    project_report_read(text, strlen(text), &r);
    return r;
}

static void reads_headings_words_and_figures(void **state)
{
    (void)state;
    struct project_report r =
        read_report("# Mine\n\n## Question\nTwenty words, less than 2 s.\n\n## Baseline\n1.5 s and 1.7 s, five "
                    "runs.\n## What it cost in clarity?\nNothing.\n## Something else\n3.5 s\n");
    assert_true(r.there[0] && r.there[1] && r.there[7]);
    assert_false(r.there[2] || r.there[5]);
    assert_int_equal(r.figures[0], 1);
    assert_int_equal(r.figures[1], 2);
    assert_int_equal(r.section_words[7], 1);
}

static void code_and_comments_are_no_words(void **state)
{
    (void)state;
    assert_int_equal(
        read_report("## Question\n<!-- who waits?\nhow long? -->\none two\n```\nthree four\n```\n").words, 2);
    assert_int_equal(read_report("<!-- one two").words, 0);
    assert_int_equal(read_report("```\none two\n").words, 0);
}

static void sees_what_the_verdict_needs(void **state)
{
    (void)state;
    static const char whole[] =
        "## How much faster?\n```text\n  cpu  516 ms -> 259.6 ms  -49.34 %   (-62.61 to -31.37)  faster\n"
        "```\nAt size 1 and at size 0.5; memory did not change. That is 2.1 times as fast.\n";
    struct project_report r = read_report(whole);
    assert_true(r.interval && r.memory && r.sizes);
    assert_int_equal(r.claim_count, 1);
    assert_true(r.claims[0] > 2.09 && r.claims[0] < 2.11);
    r = read_report("## How much faster?\nfrom 17.4 s to 2.3 s: **7.4 times as fast** (really) at size 1 and size 1\n");
    assert_false(r.interval || r.memory || r.sizes);
    assert_int_equal(r.claim_count, 1);
    r = read_report("## Question\n(-1 to 2), memory, size 1, size 2\n");
    assert_false(r.interval || r.memory || r.sizes);
}

static void lists_each_recording_once(void **state)
{
    (void)state;
    struct project_report r = read_report("before.pit, `after-1.pit` (before.pit) and x.pity, .pit, ../../other.pit\n");
    assert_int_equal(r.recording_count, 3);
    assert_string_equal(r.recordings[0], "before.pit");
    assert_string_equal(r.recordings[1], "after-1.pit");
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, 1u << 20);
    for (unsigned i = 0; i < 1000; i++)
        buffer_printf(&text, "a%u.pit ", i);
    assert_int_equal(read_report(buffer_text(&text)).recording_count, PROJECT_RECORDINGS_MAX);
}

static void hostile_reports_are_read_to_their_end(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "#", "##", "## ", "```", "(", "(1", "(1 to", "## How much faster?\n(", "1.",
        "1..2", "\xff\xff\xff", "99999999999999999999999999999999999999999 times as fast", "<!--", "size ",
        "## How much faster?\nsize 1"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_true(read_report(texts[i]).words < 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(takes_what_is_laid_down),
        TEST(takes_a_program_of_ones_own),
        TEST(refuses_what_cannot_be_run),
        TEST(refuses_what_is_too_much),
        TEST(reads_headings_words_and_figures),
        TEST(code_and_comments_are_no_words),
        TEST(sees_what_the_verdict_needs),
        TEST(lists_each_recording_once),
        TEST(hostile_reports_are_read_to_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
