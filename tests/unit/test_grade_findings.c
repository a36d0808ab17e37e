/* Findings against a key: right ones, guesses, recordings that are of something else, and sheets that are none. */
#include "grade/findings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/record.h"

#define PLACES "def nearest_depot():\n    pass\n"
#define INTAKE "class Ledger:\n    pass\n"

/* Four bottlenecks, of which three have to be named; the first has two places. */
static const char key[] =
    "{\"plants\": [{\"id\": \"B1\", \"scenario\": \"places\", \"function\": \"places.nearest_depot\", \"also\": "
    "[\"places.assign_depots\"]}, {\"id\": \"B1\", \"scenario\": \"places\", \"function\": \"places.join_windows\", "
    "\"also\": []}, {\"id\": \"B2\", \"scenario\": \"intake\", \"function\": \"intake.Ledger.enter\", \"also\": "
    "[\"intake.Ledger\"]}, {\"id\": \"B3\", \"scenario\": \"history\", \"function\": \"places.keep\", \"also\": []}, "
    "{\"id\": \"B4\", \"scenario\": \"intake\", \"function\": \"intake.belt\", \"also\": []}], \"decoys\": [{\"id\": "
    "\"D1\", \"kind\": \"leave\", \"scenario\": \"day\", \"function\": \"intake.ugly\", \"also\": []}, {\"id\": "
    "\"D2\", "
    "\"kind\": \"remove\", \"scenario\": \"day\", \"function\": \"intake.seal\", \"also\": []}]}";
static const char names[] =
    "[\"places.nearest_depot\", \"places.assign_depots\", \"places.join_windows\", \"places.keep\", "
    "\"places.innocent\", "
    "\"places.cold\", \"intake.Ledger\", \"intake.Ledger.enter\", \"intake.Ledger.totals\", \"intake.belt\", "
    "\"intake.ugly\", \"intake.seal\", \"intake.busy\", \"intake.idle\"]";
static const char rules[] =
    "{\"scoring\": {\"recall\": 0.75, \"precision\": 0.75, \"evidence\": {\"share\": 0.02, \"recording_is_enough\": "
    "[\"history\"]}, \"scenario_gates\": 6}, \"plants\": [{\"scenario\": \"places\"}, {\"scenario\": \"intake\"}, "
    "{\"scenario\": \"history\"}], \"decoys\": [{\"scenario\": \"day\"}]}";
static const struct source_file variant[] = {
    {"parcelflow/intake.py", INTAKE, sizeof(INTAKE) - 1}, {"parcelflow/places.py", PLACES, sizeof(PLACES) - 1}};

/* What is innermost in so many ticks; below it is always play() of run.py. */
struct seen {
    const char *function, *file;
    unsigned ticks;
};

static char folder[64];

static void put_source(struct record_writer *w, const char *path, const char *text)
{
    uint8_t digest[32];
    sha256(text, strlen(text), digest);
    record_put_source(w, path, digest, text, strlen(text), true);
}

static void record(
    const char *name, const char *command, const char *python, const char *intake, const struct seen *seen)
{
    char path[128];
    struct record_writer *w = NULL;
    struct error e = {""};
    uint64_t now = 1000000000;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(record_writer_open(path, &w, &e), 0);
    record_put_process(w, &(struct record_process){.pid = 100, .python = python, .command = command});
    record_put_thread(w, &(struct record_thread){.tid = 100, .name = "main"});
    put_source(w, "/home/x/app/parcelflow/places.py", PLACES);
    put_source(w, "/home/x/app/parcelflow/intake.py", intake);
    put_source(w, "/home/x/run.py", "anything");
    record_put_code(w, &(struct record_code){.id = 0, .qualname = "play", .file = "/home/x/run.py", .first_line = 1});
    record_put_frame(w, &(struct record_frame){.id = 0, .code = 0, .line = 1, .end_line = 1});
    record_put_stack(w, 1, 0, 0);
    for (uint32_t i = 1; seen[i - 1].function; i++) {
        record_put_code(
            w, &(struct record_code){
                   .id = i, .qualname = seen[i - 1].function, .file = seen[i - 1].file, .first_line = i * 10});
        record_put_frame(w, &(struct record_frame){.id = i, .code = i, .line = i * 10, .end_line = i * 10});
        record_put_stack(w, i + 1, 1, i);
        record_put_state(w, 0, i + 1, RECORD_PRESENT | RECORD_ON_CPU);
        for (unsigned k = 0; k < seen[i - 1].ticks; k++)
            record_put_tick(w, now += 1000000);
    }
    assert_int_equal(record_writer_close(w, &e), 0);
}

#define AT_PLACES "/home/x/app/parcelflow/places.py"
#define AT_INTAKE "/home/x/app/parcelflow/intake.py"
static const struct seen in_places[] = {{"nearest_depot", AT_PLACES, 60},
    {"join_windows.<locals>.<listcomp>", AT_PLACES, 30}, {"innocent", AT_PLACES, 9}, {"cold", AT_PLACES, 1},
    {NULL, NULL, 0}};
static const struct seen in_intake[] = {
    {"Ledger.enter", AT_INTAKE, 40}, {"belt", AT_INTAKE, 40}, {"busy", AT_INTAKE, 20}, {NULL, NULL, 0}};
static const struct seen in_old[] = {{"enter", AT_INTAKE, 50}, {"busy", AT_INTAKE, 50}, {NULL, NULL, 0}};
static const struct seen in_history[] = {{"innocent", AT_PLACES, 100}, {NULL, NULL, 0}};
static const struct seen in_day[] = {{"busy", AT_INTAKE, 99}, {"seal", AT_INTAKE, 1}, {NULL, NULL, 0}};
static const struct seen in_short[] = {{"nearest_depot", AT_PLACES, 20}, {NULL, NULL, 0}};

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/pitviper-findings-XXXXXX");
    assert_non_null(mkdtemp(folder));
    record("places.pit", "/usr/bin/python3 /home/a b/run.py --seed 2 places", "3.12.1", INTAKE, in_places);
    record("intake.pit", "python3 run.py intake --size 1", "3.12.1", INTAKE, in_intake);
    record("old.pit", "python3 run.py intake", "3.10.13", INTAKE, in_old);
    record("history.pit", "python3 run.py history", "3.12.1", INTAKE, in_history);
    record("day.pit", "python3 run.py day", "3.12.1", INTAKE, in_day);
    record("changed.pit", "python3 run.py intake", "3.12.1", INTAKE "x = 1\n", in_intake);
    record("other.pit", "python3 other.py intake", "3.12.1", INTAKE, in_intake);
    record("short.pit", "python3 run.py places", "3.12.1", INTAKE, in_short);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    return system(command);
}

static struct findings judge(const char *sheet)
{
    struct findings f;
    struct error e = {""};
    const struct findings_task task = {.sheet = {sheet, sheet ? strlen(sheet) : 0},
        .key = {key, sizeof(key) - 1},
        .names = {names, sizeof(names) - 1},
        .rules = {rules, sizeof(rules) - 1},
        .variant = {variant, ARRAY_SIZE(variant)},
        .folder = folder};
    if (findings_judge(&task, &f, &e) < 0)
        fail_msg("%s", e.text);
    return f;
}

#define FINDING(function, kind, scenario, recording)                                                                   \
    "{\"function\": \"" function "\", \"kind\": \"" kind "\", \"scenario\": \"" scenario                               \
    "\", \"recording\": \"" recording "\"}"
#define NEAREST FINDING("places.nearest_depot", "repair", "places", "places.pit")
#define ENTER FINDING("intake.Ledger.enter", "repair", "intake", "intake.pit")
#define KEEP FINDING("places.keep", "repair", "history", "history.pit")
#define BELT FINDING("intake.belt", "repair", "intake", "intake.pit")
#define INNOCENT FINDING("places.innocent", "repair", "places", "places.pit")
#define BUSY FINDING("intake.busy", "repair", "intake", "intake.pit")

static void expect(const char *sheet, unsigned found, unsigned right, unsigned named, unsigned refused, bool pass)
{
    struct findings f = judge(sheet);
    if (f.found != found || f.repair.right != right || f.repair.named != named || f.refused != refused ||
        f.pass != pass)
        fail_msg("%s: found %u, right %u of %u, refused %u, %s: %s%s", sheet, f.found, f.repair.right, f.repair.named,
            f.refused, f.pass ? "pass" : "no pass", f.why, buffer_text(&f.told));
    findings_release(&f);
}

static void counts_what_is_planted(void **state)
{
    (void)state;
    struct findings f = judge("[]");
    assert_int_equal(f.plants, 4);
    assert_int_equal(f.found_wanted, 3);
    assert_int_equal(f.scenarios_wanted, 6);
    findings_release(&f);
}

static void three_of_four_are_enough(void **state)
{
    (void)state;
    expect("[" NEAREST "," ENTER "]", 2, 2, 2, 0, false);
    expect("[" NEAREST "," ENTER "," KEEP "]", 3, 3, 3, 0, true);
    expect("[" NEAREST "," ENTER "," KEEP "," BELT "]", 4, 4, 4, 0, true);
}

static void places_of_one_bottleneck_count_once(void **state)
{
    (void)state;
    const char *windows = "," FINDING("places.join_windows", "repair", "places", "places.pit") "]";
    char sheet[1024];
    snprintf(sheet, sizeof(sheet), "[" NEAREST "%s", windows); /* its samples are in a comprehension of it */
    expect(sheet, 1, 2, 2, 0, false);
    expect("[" NEAREST "," NEAREST "]", 1, 1, 1, 0, false);
    expect("[" FINDING("intake.Ledger", "repair", "intake", "intake.pit") "]", 1, 1, 1, 0, false);
    expect("[" FINDING("parcelflow.places.nearest_depot", "repair", "places", "places.pit") "]", 1, 1, 1, 0, false);
}

static void a_guess_costs_and_what_is_refused_does_not(void **state)
{
    (void)state;
    expect("[" NEAREST "," ENTER "," KEEP "," FINDING("places.cold", "repair", "places", "places.pit") "]", 3, 3, 3, 1,
        true);
    expect("[" NEAREST "," ENTER "," KEEP "," BUSY "]", 3, 3, 4, 0, true);
    expect("[" NEAREST "," ENTER "," KEEP "," BUSY "," INNOCENT "]", 3, 3, 5, 0, false);
}

static void naming_everything_fails_by_precision(void **state)
{
    (void)state;
    expect("[" NEAREST "," ENTER "," KEEP "," BELT "," BUSY "," INNOCENT "," FINDING("places.cold", "repair", "places",
               "places.pit") "," FINDING("intake.idle", "repair", "history", "history.pit") "]",
        4, 4, 7, 1, false);
}

static void recordings_of_something_else_do_not_count(void **state)
{
    (void)state;
    static const struct {
        const char *sheet, *said;
    } cases[] = {
        {"[" FINDING("places.nearest_depot", "repair", "places", "intake.pit") "]", "of the scenario intake"},
        {"[" FINDING("intake.belt", "repair", "intake", "changed.pit") "]", "untouched copy"},
        {"[" FINDING("intake.belt", "repair", "intake", "other.pit") "]", "run.py"},
        {"[" FINDING("intake.belt", "repair", "intake", "none.pit") "]", "cannot be opened"},
        {"[" FINDING("intake.belt", "repair", "intake", "") "]", "names no recording"},
        {"[" FINDING("intake.belt", "repair", "intake", "../../etc/passwd") "]", "recording is none"},
        {"[" FINDING("intake.belt", "repair", "intake", "/dev/zero") "]", "recording is none"},
        {"[" FINDING("places.nearest_depot", "repair", "places", "short.pit") "]", "too few samples"},
        {"[" FINDING("places.assign_depots", "repair", "places", "places.pit") "]", "0.0 % of the samples"},
        {"[" FINDING("places.cold", "repair", "places", "places.pit") "]", "1.0 % of the samples; at least 2 %"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct findings f = judge(cases[i].sheet);
        if (f.found != 0 || f.repair.right != 0 || f.repair.named != 0 || f.refused != 1 ||
            !strstr(buffer_text(&f.told), cases[i].said))
            fail_msg("%s: found %u, refused %u: %s", cases[i].sheet, f.found, f.refused, buffer_text(&f.told));
        findings_release(&f);
    }
}

/* Where a recording is enough it is so for what is planted there: not for what belongs to another scenario. */
static void memory_needs_no_samples_but_its_own_scenario(void **state)
{
    (void)state;
    expect("[" KEEP "]", 1, 1, 1, 0, false);
    expect("[" FINDING("intake.belt", "repair", "history", "history.pit") "]", 0, 0, 1, 0, false);
}

static void old_pythons_tell_last_parts_of_names(void **state)
{
    (void)state;
    expect("[" FINDING("intake.Ledger.enter", "repair", "intake", "old.pit") "]", 1, 1, 1, 0, false);
    expect("[" FINDING("intake.Ledger", "repair", "intake", "old.pit") "]", 1, 1, 1, 0, false);
    expect("[" FINDING("intake.belt", "repair", "intake", "old.pit") "]", 0, 0, 0, 1, false);
}

static void what_costs_nothing_is_scored_apart(void **state)
{
    (void)state;
    struct findings f = judge("[" FINDING("intake.ugly", "leave", "day", "day.pit") "," FINDING(
        "intake.seal", "remove", "day", "day.pit") "," FINDING("intake.busy", "leave", "day", "day.pit") "]");
    assert_int_equal(f.repair.named, 0);
    assert_int_equal(f.remove.right, 1);
    assert_int_equal(f.remove.named, 1);
    assert_true(findings_precise(&f.remove, f.precision_wanted));
    assert_int_equal(f.leave.right, 1);
    assert_int_equal(f.leave.named, 1); /* the last one is in most samples, so that it does not count */
    assert_int_equal(f.refused, 1);
    findings_release(&f);
    f = judge("[" FINDING("intake.seal", "leave", "day", "day.pit") "]"); /* the other kind */
    assert_int_equal(f.leave.right, 0);
    assert_int_equal(f.leave.named, 1);
    assert_false(findings_precise(&f.leave, f.precision_wanted));
    findings_release(&f);
}

static void a_sheet_that_is_none_counts_for_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *sheet, *said;
    } cases[] = {{NULL, "no findings.json"}, {"", "no JSON"}, {"[", "no JSON"}, {"{}", "no list"}, {"7", "no JSON"},
        {"[{\"kind\": \"repair\", \"kind\": \"leave\"}]", "no JSON"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct findings f = judge(cases[i].sheet);
        if (f.pass || f.repair.named != 0 || !strstr(f.why, cases[i].said))
            fail_msg("%s: %s", cases[i].sheet ? cases[i].sheet : "-", f.why);
        findings_release(&f);
    }
}

static void entries_that_are_none_are_told_and_cost_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *sheet, *said;
    } cases[] = {
        {"[7]", "no \"function\""},
        {"[null]", "no \"function\""},
        {"[{\"function\": [], \"kind\": \"repair\"}]", "no \"function\""},
        {"[{\"function\": \"places.keep\", \"kind\": \"guess\"}]", "\"kind\""},
        {"[{\"function\": \"places.keep\", \"kind\": \"repair\", \"scenario\": \"night\"}]", "\"scenario\""},
        {"[" FINDING("places.gone", "repair", "places", "places.pit") "]", "nothing of this name"},
        {"[" FINDING("\\u001b[2J\\nnext: passed", "repair", "places", "places.pit") "]", "nothing of this name"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct findings f = judge(cases[i].sheet);
        const char *told = buffer_text(&f.told);
        if (f.repair.named != 0 || f.refused != 1 || !strstr(told, cases[i].said) || strchr(told, '\033') ||
            strchr(told, '\n') != told + strlen(told) - 1)
            fail_msg("%s: named %u, refused %u: %s", cases[i].sheet, f.repair.named, f.refused, told);
        findings_release(&f);
    }
}

static void caps_hold(void **state)
{
    (void)state;
    static char sheet[FINDINGS_BYTES_MAX + 16];
    size_t size = 0;
    for (unsigned i = 0; i < FINDINGS_MAX + 1; i++)
        size += (size_t)snprintf(sheet + size, sizeof(sheet) - size, "%s%s", i ? "," : "[", BUSY);
    snprintf(sheet + size, sizeof(sheet) - size, "]");
    struct findings f = judge(sheet);
    assert_non_null(strstr(f.why, "more than"));
    findings_release(&f);
    memset(sheet, ' ', sizeof(sheet));
    memcpy(sheet, "[]", 2);
    sheet[sizeof(sheet) - 1] = '\0';
    f = judge(sheet);
    assert_non_null(strstr(f.why, "larger than"));
    findings_release(&f);
    size = 0;
    for (unsigned i = 0; i < 20; i++)
        size += (size_t)snprintf(sheet + size, sizeof(sheet) - size, "%s7", i ? "," : "[");
    snprintf(sheet + size, sizeof(sheet) - size, "]");
    f = judge(sheet);
    assert_int_equal(f.refused, 20);
    assert_non_null(strstr(buffer_text(&f.told), "and 15 more"));
    findings_release(&f);
}

/* Nobody is told what is planted and was not named. */
static void nothing_of_the_key_is_told(void **state)
{
    (void)state;
    struct findings f = judge("[" INNOCENT "," FINDING("places.cold", "repair", "places", "places.pit") "]");
    assert_null(strstr(buffer_text(&f.told), "nearest_depot"));
    assert_null(strstr(buffer_text(&f.told), "Ledger"));
    assert_null(strstr(buffer_text(&f.told), "innocent")); /* it is backed, and wrong: that is counted only */
    findings_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_is_planted),
        cmocka_unit_test(three_of_four_are_enough),
        cmocka_unit_test(places_of_one_bottleneck_count_once),
        cmocka_unit_test(a_guess_costs_and_what_is_refused_does_not),
        cmocka_unit_test(naming_everything_fails_by_precision),
        cmocka_unit_test(recordings_of_something_else_do_not_count),
        cmocka_unit_test(memory_needs_no_samples_but_its_own_scenario),
        cmocka_unit_test(old_pythons_tell_last_parts_of_names),
        cmocka_unit_test(what_costs_nothing_is_scored_apart),
        cmocka_unit_test(a_sheet_that_is_none_counts_for_nothing),
        cmocka_unit_test(entries_that_are_none_are_told_and_cost_nothing),
        cmocka_unit_test(caps_hold),
        cmocka_unit_test(nothing_of_the_key_is_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
