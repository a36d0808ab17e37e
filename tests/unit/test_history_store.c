/*
 * The store under what befalls it: other writers, locks, damage, newer formats, files of someone else. Whatever it is,
 * a result that was added is found again.
 */
#include "history/history.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static const struct history_machine here = {.id = "0123456789abcdef",
                                        .cpu = "a cpu",
                                        .kernel = "Linux 1",
                                        .cores = 2,
                                        .memory = 1u << 30},
                                    there = {.id = "fedcba9876543210", .cpu = "another", .kernel = "Linux 2"};

static struct history_result result(const char *subject, uint64_t time, double value)
{
    return (struct history_result){
        .time_ns = time,
        .kind = "bench",
        .subject = subject,
        .metric = "wall",
        .unit = "s",
        .value = value,
        .low = value * 0.9,
        .high = NAN,
        .runs = 3,
        .verdict = "",
        .machine = &here,
        .python = "CPython 3.13.0",
        .revision = "abc",
    };
}

/* A folder of its own, as the current one. */
static int setup(void **state)
{
    char *folder = strdup("/tmp/pitviper-history-XXXXXX");
    *state = folder;
    return folder == NULL || mkdtemp(folder) == NULL || chdir(folder) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
    free(*state);
    return chdir("/") < 0 || system(command) != 0 ? -1 : 0;
}

static void add_says(const char *path, struct history_result x, const char *says)
{
    struct error note;
    assert_int_equal(history_add(path, &x, 1, &note), 0);
    if (says[0] == '\0')
        assert_string_equal(note.text, "");
    else if (strstr(note.text, says) == NULL)
        fail_msg("'%s' does not say '%s'", note.text, says);
}

/* All series of a store, and the points of the first. */
struct seen {
    struct arena arena;
    struct history_series *series;
    struct history_result *points;
    size_t series_count, count;
};

static struct seen look(const char *path, const struct history_query *q)
{
    struct seen s = {0};
    struct history *h = NULL;
    struct error e = {""};
    static const struct history_query all = {0};
    arena_init(&s.arena, HISTORY_ARENA_MAX);
    if (history_open(path, &h, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(history_list(h, q == NULL ? &all : q, &s.arena, &s.series, &s.series_count, &e), 0);
    if (s.series_count > 0)
        assert_int_equal(history_points(h, &s.series[0], &s.arena, &s.points, &s.count, &e), 0);
    history_close(h);
    return s;
}

static size_t stored(const char *path)
{
    struct seen s = look(path, NULL);
    size_t count = 0;
    for (size_t i = 0; i < s.series_count; i++)
        count += (size_t)s.series[i].count;
    arena_release(&s.arena);
    return count;
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void write_file(const char *path, const void *data, size_t size)
{
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, data, size), 0);
}

static struct buffer read_file(const char *path)
{
    struct buffer b;
    buffer_init(&b, 16u << 20);
    assert_int_equal(file_read_all(AT_FDCWD, path, &b), 0);
    return b;
}

static void gives_back_what_was_added_in_the_order_of_time(void **state)
{
    (void)state;
    const double samples[] = {1.5, 2.5, -0.0};
    struct history_result x = result("app", 2000, 2.25), earlier = result("app", 1000, 0.1);
    x.verdict = "slower";
    x.dirty = true;
    x.samples = samples;
    x.sample_count = ARRAY_SIZE(samples);
    add_says("store", x, "");
    add_says("store", earlier, "");
    struct seen s = look("store", NULL);
    assert_int_equal(s.series_count, 1);
    assert_string_equal(s.series[0].python, "CPython 3.13.0");
    assert_int_equal(s.series[0].first_ns, 1000);
    assert_int_equal(s.series[0].last_ns, 2000);
    assert_int_equal(s.count, 2);
    assert_true(s.points[0].value == 0.1 && s.points[0].sample_count == 0);
    const struct history_result *got = &s.points[1];
    assert_true(got->value == 2.25 && got->low == 2.25 * 0.9 && isnan(got->high) && got->runs == 3 && got->dirty);
    assert_string_equal(got->verdict, "slower");
    assert_string_equal(got->revision, "abc");
    assert_memory_equal(got->samples, samples, sizeof(samples));
    assert_memory_equal(got->machine, &here, sizeof(here));
    arena_release(&s.arena);
}

static void never_mixes_machines_interpreters_and_units(void **state)
{
    (void)state;
    struct history_result x[5];
    for (size_t i = 0; i < ARRAY_SIZE(x); i++)
        x[i] = result("app", 1000, 1);
    x[1].machine = &there;
    x[2].python = "CPython 3.8.18";
    x[3].unit = "ratio";
    x[4].subject = "an app too";
    assert_int_equal(history_add("store", x, ARRAY_SIZE(x), NULL), 0);
    struct seen s = look("store", NULL);
    assert_int_equal(s.series_count, 5);
    assert_int_equal(s.count, 1);
    arena_release(&s.arena);
    s = look("store", &(struct history_query){.subject = "app"});
    assert_int_equal(s.series_count, 4);
    arena_release(&s.arena);
    s = look("store", &(struct history_query){.subject = "app", .partly = true, .machine = here.id});
    assert_int_equal(s.series_count, 4);
    arena_release(&s.arena);
}

static void adds_the_same_result_once(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        add_says("store", result("app", 1000, 1), "");
    add_says("store", result("app", 1001, 1), "");
    assert_int_equal(stored("store"), 2);
}

static void many_processes_add_at_once_and_nothing_is_lost(void **state)
{
    (void)state;
    enum { WRITERS = 8, RESULTS = 20 };
    for (int writer = 0; writer < WRITERS; writer++) {
        if (fork() == 0) {
            int failed = 0;
            for (int i = 0; i < RESULTS; i++) {
                struct history_result x = result("app", (uint64_t)(1000 * writer + i + 1), 1);
                struct error note = {""};
                if (history_add("store", &x, 1, &note) != 0) {
                    fprintf(stderr, "%s\n", note.text);
                    failed = 1;
                }
            }
            _exit(failed);
        }
    }
    for (int writer = 0; writer < WRITERS; writer++) {
        int status;
        assert_true(wait(&status) > 0 && status == 0);
    }
    assert_int_equal(stored("store"), WRITERS * RESULTS);
    assert_int_equal(access("store.pending", F_OK), -1);
}

static void keeps_a_result_beside_a_locked_store_and_takes_it_in_later(void **state)
{
    (void)state;
    add_says("store", result("app", 1000, 1), "");
    sqlite3 *db;
    assert_int_equal(sqlite3_open("store", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    uint64_t before = clock_monotonic_ns();
    add_says("store", result("app", 2000, 2), "locked by another process; kept in store.pending");
    assert_true(clock_monotonic_ns() - before < 10 * HISTORY_WAIT_NS);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(access("store.pending", F_OK), 0);
    assert_int_equal(stored("store"), 2); /* reading takes it in, too */
    assert_int_equal(access("store.pending", F_OK), -1);
}

/* The name of the one file that begins so; "" if there is none. */
static void find_file(const char *prefix, char *into, size_t size)
{
    char command[128];
    snprintf(command, sizeof(command), "ls -d %s* 2>/dev/null", prefix);
    FILE *list = popen(command, "r");
    assert_non_null(list);
    if (fgets(into, (int)size, list) == NULL)
        *into = '\0';
    into[strcspn(into, "\n")] = '\0';
    pclose(list);
}

static void moves_a_damaged_store_aside_and_begins_a_new_one(void **state)
{
    (void)state;
    char aside[128];
    uint8_t garbage[8192];
    for (size_t i = 0; i < sizeof(garbage); i++)
        garbage[i] = (uint8_t)(i * 7);
    assert_int_equal(mkdir(".pitviper", 0777), 0);
    write_file(".pitviper/history.db", garbage, sizeof(garbage));
    add_says(".pitviper/history.db", result("app", 1000, 1), "was damaged: it is now .pitviper/history.db.damaged-");
    assert_int_equal(stored(".pitviper/history.db"), 1);
    find_file(".pitviper/history.db.damaged-", aside, sizeof(aside));
    struct buffer kept = read_file(aside);
    assert_int_equal(kept.size, sizeof(garbage));
    assert_memory_equal(kept.data, garbage, sizeof(garbage));
    buffer_release(&kept);
}

static void knows_its_own_damaged_file_by_its_mark(void **state)
{
    (void)state;
    for (uint64_t i = 1; i < 200; i++) {
        struct history_result x = result("app", i, 1);
        assert_int_equal(history_add("store", &x, 1, NULL), 0);
    }
    struct buffer b = read_file("store");
    assert_true(b.size > 3 * 4096);
    memset(b.data + 4096, 0xa5, b.size - 4096);
    write_file("store", b.data, b.size);
    buffer_release(&b);
    add_says("store", result("app", 1000, 1), "was damaged");
    assert_int_equal(stored("store"), 1);
}

static void leaves_files_of_others_alone(void **state)
{
    (void)state;
    static const char notes[] = "notes of mine, long enough to be more than a header would be";
    struct history_result x = result("app", 1000, 1);
    struct error e;
    write_file("notes", notes, sizeof(notes));
    assert_int_equal(history_check("notes", &e), -EMEDIUMTYPE);
    assert_non_null(strstr(e.text, "no store of pitviper"));
    assert_true(history_add("notes", &x, 1, &e) < 0);
    struct buffer b = read_file("notes");
    assert_memory_equal(b.data, notes, sizeof(notes));
    buffer_release(&b);

    run_sql("other.db", "CREATE TABLE t(x); PRAGMA application_id=5");
    assert_int_equal(history_check("other.db", &e), -EMEDIUMTYPE);
    assert_true(history_add("other.db", &x, 1, &e) < 0);
    assert_int_equal(history_check(".", &e), -EMEDIUMTYPE);
    assert_int_equal(history_check("not-there-yet", &e), 0);
    char left[64];
    find_file("*.damaged-", left, sizeof(left));
    assert_string_equal(left, "");
}

static void refuses_what_it_has_not_made_in_its_own_file(void **state)
{
    (void)state;
    struct history_result x = result("app", 2000, 1);
    struct error e;
    add_says("store", result("app", 1000, 1), "");
    run_sql("store", "CREATE TRIGGER evil AFTER INSERT ON result BEGIN DELETE FROM result; END");
    assert_true(history_add("store", &x, 1, &e) < 0);
    assert_non_null(strstr(e.text, "holds what pitviper has not made"));
}

static void refuses_a_newer_format_and_keeps_the_result_for_it(void **state)
{
    (void)state;
    struct history *h = NULL;
    struct error e;
    add_says("store", result("app", 1000, 1), "");
    run_sql("store", "PRAGMA user_version=2");
    add_says("store", result("app", 2000, 1), "is of format 2, and this pitviper knows 1: use a newer one; kept in");
    assert_int_equal(history_open("store", &h, &e), -ENOTSUP);
    assert_null(strchr(e.text, '\n'));
    run_sql("store", "PRAGMA user_version=1");
    assert_int_equal(stored("store"), 2);
}

static void keeps_lines_that_it_cannot_read(void **state)
{
    (void)state;
    char aside[64];
    static const char lines[] =
        "{\"time_ns\":5,\"kind\":\"bench\",\"subject\":\"a\",\"metric\":\"wall\",\"unit\":\"s\",\"value\":1}\n"
        "{\"time_ns\":5,\"kind\"\nnonsense\n";
    write_file("store.pending", lines, strlen(lines));
    add_says("store", result("app", 1000, 1), "");
    assert_int_equal(stored("store"), 2);
    find_file("store.pending.damaged-", aside, sizeof(aside));
    assert_string_not_equal(aside, "");
    assert_int_equal(access("store.pending", F_OK), -1);
}

static void says_so_where_nothing_can_be_kept(void **state)
{
    (void)state;
    struct history_result x = result("app", 1000, 1);
    struct error e;
    assert_true(history_add("no/such/folder/store", &x, 1, &e) < 0);
    assert_non_null(strstr(e.text, "nor can it be kept beside it"));
    assert_null(strchr(e.text, '\n'));
    assert_int_equal(symlink("/dev/null", "store.pending"), 0); /* planted: it is not followed */
    write_file("store", "", 0);
    add_says("store", x, "");
    assert_int_equal(stored("store"), 1);
}

/* Bytes changed anywhere: an error or an answer, and never more than was there. */
static void survives_changed_bytes(void **state)
{
    (void)state;
    enum { ROUNDS = 300 };
    uint64_t random = 11;
    for (uint64_t i = 1; i < 60; i++) {
        struct history_result x = result(i % 2 ? "one" : "two", i, 1);
        assert_int_equal(history_add("store", &x, 1, NULL), 0);
    }
    struct buffer whole = read_file("store");
    uint8_t *bytes = malloc(whole.size);
    assert_non_null(bytes);
    int failed = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct history *h = NULL;
        struct error e = {""};
        struct arena a;
        struct history_series *series;
        struct history_result *points;
        size_t count = 0, point_count = 0;
        memcpy(bytes, whole.data, whole.size);
        for (uint64_t i = 0; i < 1 + random_next(&random) % 8; i++)
            bytes[random_next(&random) % whole.size] = (uint8_t)random_next(&random);
        write_file("broken", bytes, whole.size - (round % 4 == 0 ? random_next(&random) % whole.size : 0));
        arena_init(&a, HISTORY_ARENA_MAX);
        int r = history_open("broken", &h, &e);
        if (r == 0)
            r = history_list(h, &(struct history_query){0}, &a, &series, &count, &e);
        for (size_t i = 0; r == 0 && i < count; i++)
            r = history_points(h, &series[i], &a, &points, &point_count, &e);
        failed += r < 0;
        assert_true(r == 0 || (e.text[0] != '\0' && strchr(e.text, '\n') == NULL));
        history_close(h);
        arena_release(&a);
    }
    assert_true(failed > ROUNDS / 10 && failed < ROUNDS);
    free(bytes);
    buffer_release(&whole);
}

static void finds_the_root_of_the_project(void **state)
{
    char *path = NULL, *folder = realpath(*state, NULL), expected[256];
    assert_int_equal(system("mkdir -p a/b/c d && touch a/.git && mkdir a/b/c/.pitviper"), 0);
    const char *const cases[][2] = {{"a/b", "/a/.pitviper/history.db"}, {"a/b/c", "/a/b/c/.pitviper/history.db"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snprintf(expected, sizeof(expected), "%s%s", folder, cases[i][1]);
        assert_int_equal(history_place(NULL, cases[i][0], &path), 0);
        assert_string_equal(path, expected);
        free(path);
    }
    assert_int_equal(history_place("asked/for", NULL, &path), 0);
    assert_string_equal(path, "asked/for");
    free(path);
    free(folder);
}

static void makes_a_folder_that_git_does_not_see(void **state)
{
    (void)state;
    add_says(".pitviper/history.db", result("app", 1000, 1), "");
    struct buffer b = read_file(".pitviper/.gitignore");
    assert_string_equal(buffer_text(&b), "*\n");
    buffer_release(&b);
}

static void tells_a_machine_without_its_name(void **state)
{
    (void)state;
    struct history_machine a, b;
    char name[256] = "";
    history_machine_read(&a);
    history_machine_read(&b);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_int_equal(strlen(a.id), 16);
    assert_int_equal(strspn(a.id, "0123456789abcdef"), 16);
    assert_true(a.cores > 0 && a.memory > 0 && a.cpu[0] != '\0');
    assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
    assert_null(strstr(a.kernel, name));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(gives_back_what_was_added_in_the_order_of_time),
        TEST(never_mixes_machines_interpreters_and_units),
        TEST(adds_the_same_result_once),
        TEST(many_processes_add_at_once_and_nothing_is_lost),
        TEST(keeps_a_result_beside_a_locked_store_and_takes_it_in_later),
        TEST(moves_a_damaged_store_aside_and_begins_a_new_one),
        TEST(knows_its_own_damaged_file_by_its_mark),
        TEST(leaves_files_of_others_alone),
        TEST(refuses_what_it_has_not_made_in_its_own_file),
        TEST(refuses_a_newer_format_and_keeps_the_result_for_it),
        TEST(keeps_lines_that_it_cannot_read),
        TEST(says_so_where_nothing_can_be_kept),
        TEST(survives_changed_bytes),
        TEST(finds_the_root_of_the_project),
        TEST(makes_a_folder_that_git_does_not_see),
        TEST(tells_a_machine_without_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
