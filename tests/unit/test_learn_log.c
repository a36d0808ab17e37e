/*
 * The learner's log under what befalls it: a torn line, a full disk, other writers, another machine's log, lines made
 * by hand. Whatever it is, what was added is found again, and nothing is taken away.
 */
#include "learn/learn.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ID "00000000000000000000000000000001"

static struct learn_course course;

/* A folder of its own, as the current one, with a course in it. */
static int setup(void **state)
{
    char *folder = strdup("/tmp/pitviper-learn-XXXXXX");
    struct error e;
    *state = folder;
    course = (struct learn_course){.machine = "aaaa"};
    return folder == NULL || mkdtemp(folder) == NULL || chdir(folder) < 0 || learn_course_make(NULL, &course, &e) != 0
               ? -1
               : 0;
}

static int teardown(void **state)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
    free(*state);
    return chdir("/") < 0 || system(command) != 0 ? -1 : 0;
}

static void log_path(const struct learn_course *c, char path[LEARN_PATH_MAX])
{
    assert_int_equal(learn_path(c, path, "log.jsonl"), 0);
}

static void add(const struct learn_course *c, const char *lab)
{
    struct learn_event x = {.kind = LEARN_HINT, .lab = lab, .step = 1};
    struct error e;
    if (learn_log_add(c, &x, &e) != 0)
        fail_msg("%s", e.text);
}

static void write_raw(const struct learn_course *c, const char *text, size_t size)
{
    char path[LEARN_PATH_MAX];
    log_path(c, path);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), (ssize_t)size);
    close(fd);
}

static void read_into(const struct learn_course *c, struct learn_log *ret)
{
    struct error e;
    if (learn_course_log(c, ret, &e) != 0)
        fail_msg("%s", e.text);
}

static void expect_counts(const struct learn_course *c, size_t events, size_t damaged)
{
    struct learn_log l;
    read_into(c, &l);
    assert_int_equal(l.count, events);
    assert_int_equal(l.damaged, damaged);
    learn_log_release(&l);
}

static void gives_back_what_was_added(void **state)
{
    (void)state;
    static const double figures[] = {3.25, 2.5, 4.125};
    struct learn_event x = {
        .kind = LEARN_CHECK,
        .lab = "3.1",
        .outcome = GRADE_SLOW,
        .points = 61,
        .right = 24,
        .of = 24,
        .level = 3,
        .seed = 0xfedcba9876543210,
        .spent_ns = 12345678901,
        .receipt = "0123456789abcdef0123456789abcdef",
        .figures = figures,
        .figure_count = 3,
    };
    struct learn_event y = {
        .kind = LEARN_REFLECT, .module = 3, .receipt = "", .text = "said \"no\"\n\tand \\ \x01 \xff"};
    struct learn_log l;
    struct error e;
    assert_int_equal(learn_log_add(&course, &x, &e), 0);
    assert_int_equal(learn_log_add(&course, &y, &e), 0);
    struct learn_event z = {.kind = LEARN_PROJECT,
        .work = "weblog",
        .levels = {-1, -1, 3, 2, 2, -1, -1, 0},
        .most = {3, 0, 3, 2},
        .outcome = GRADE_PASSED,
        .points = 40};
    struct learn_event w = {.kind = LEARN_REVIEW,
        .work = "second",
        .levels = {2, 1, 0, 3, 2, 1, 0, -1},
        .right = 3,
        .of = 9,
        .text = "| a | 1 |\n"};
    assert_int_equal(learn_log_add(&course, &z, &e), 0);
    assert_int_equal(learn_log_add(&course, &w, &e), 0);
    read_into(&course, &l);
    assert_int_equal(l.count, 4);
    assert_string_equal(l.events[2].work, "weblog");
    assert_memory_equal(l.events[2].levels, z.levels, sizeof(z.levels));
    assert_memory_equal(l.events[2].most, z.most, sizeof(z.most));
    assert_int_equal(l.events[2].outcome, GRADE_PASSED);
    assert_string_equal(l.events[3].work, "second");
    assert_memory_equal(l.events[3].levels, w.levels, sizeof(w.levels));
    assert_int_equal(l.events[3].right, 3);
    assert_string_equal(l.events[3].text, w.text);
    const struct learn_event *got = &l.events[0];
    assert_int_equal(got->kind, LEARN_CHECK);
    assert_string_equal(got->id, x.id);
    assert_true(learn_id_valid(got->id));
    assert_string_equal(got->machine, "aaaa");
    assert_string_equal(got->lab, "3.1");
    assert_string_equal(got->receipt, x.receipt);
    assert_int_equal(got->outcome, GRADE_SLOW);
    assert_int_equal(got->seed, x.seed);
    assert_int_equal(got->spent_ns, x.spent_ns);
    assert_int_equal(got->points, 61);
    assert_int_equal(got->figure_count, 3);
    assert_true(got->figures[2] == 4.125);
    assert_string_equal(l.events[1].text, "said \"no\"\n\tand \\ \x01 \xef\xbf\xbd");
    assert_int_equal(l.events[1].module, 3);
    learn_log_release(&l);
}

static void mends_a_torn_last_line(void **state)
{
    (void)state;
    add(&course, "1.1");
    write_raw(&course, "{\"id\":\"" ID "\",\"kind\":\"hi", 48);
    expect_counts(&course, 1, 1);
    add(&course, "1.2");
    expect_counts(&course, 2, 1);
}

static void takes_a_whole_last_line_without_its_end(void **state)
{
    (void)state;
    static const char line[] = "{\"id\":\"" ID "\",\"kind\":\"hint\",\"lab\":\"9.1\",\"time_ns\":5}";
    write_raw(&course, line, sizeof(line) - 1);
    expect_counts(&course, 1, 0);
    add(&course, "1.2");
    expect_counts(&course, 2, 0);
}

static void lives_with_lines_that_are_no_events(void **state)
{
    (void)state;
    static const char lines[] = "\n\nnull\n[]\n{}\n{\"id\":\"" ID "\"}\n{\"id\":\"xyz\",\"kind\":\"hint\"}\n\0\0\0\0\n"
                                "{\"id\":\"" ID "\",\"id\":\"" ID "\",\"kind\":\"hint\"}\n";
    write_raw(&course, lines, sizeof(lines) - 1);
    char *long_line = malloc(LEARN_LINE_MAX + 2);
    assert_non_null(long_line);
    memset(long_line, ' ', LEARN_LINE_MAX + 1);
    long_line[LEARN_LINE_MAX + 1] = '\n';
    write_raw(&course, long_line, LEARN_LINE_MAX + 2);
    free(long_line);
    expect_counts(&course, 0, 8);
    add(&course, "1.1");
    expect_counts(&course, 1, 8);
}

static void refuses_a_log_that_is_no_file(void **state)
{
    (void)state;
    struct learn_event x = {.kind = LEARN_HINT, .lab = "1.1", .step = 1};
    struct learn_log l;
    struct error e;
    char path[LEARN_PATH_MAX];
    log_path(&course, path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(learn_course_log(&course, &l, &e), -EMEDIUMTYPE);
    assert_int_equal(learn_log_add(&course, &x, &e), -EMEDIUMTYPE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(learn_log_add(&course, &x, &e), -EMEDIUMTYPE);
}

/* What a full disk does: some bytes, and then no more. */
static void leaves_the_log_as_it_was_when_the_disk_is_full(void **state)
{
    (void)state;
    struct learn_event x = {.kind = LEARN_HINT, .lab = "1.2", .step = 1};
    struct rlimit before, now;
    struct stat is, after;
    struct error e;
    char path[LEARN_PATH_MAX];
    add(&course, "1.1");
    log_path(&course, path);
    assert_int_equal(stat(path, &is), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    now = (struct rlimit){.rlim_cur = (rlim_t)is.st_size + 20, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    int r = learn_log_add(&course, &x, &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(r, -EFBIG);
    assert_non_null(strstr(e.text, "as it was"));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_size, is.st_size);
    add(&course, "1.3");
    expect_counts(&course, 2, 0);
}

/* A receipt is whole or not there. */
static void keeps_no_half_receipt(void **state)
{
    (void)state;
    struct grade_result r = {.id = "0123456789abcdef0123456789abcdef"};
    struct rlimit before, now;
    struct error e;
    char path[LEARN_PATH_MAX], text[LEARN_PATH_MAX];
    buffer_init(&r.receipt, 1u << 20);
    buffer_init(&r.recording, 1u << 20);
    for (int i = 0; i < 20000; i++)
        buffer_append_byte(&r.receipt, 'x');
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    now = (struct rlimit){.rlim_cur = 8192, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    int failed = learn_receipt_keep(&course, &r, &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(failed, -EFBIG);
    assert_int_equal(learn_path(&course, path, "receipts/%s.json", r.id), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(learn_path(&course, text, "receipts"), 0);
    assert_int_equal(rmdir(text), 0); /* nothing half-written is left in it either */
    assert_int_equal(learn_receipt_keep(&course, &r, &e), 0);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(r.id, sizeof(r.id), "../../evil");
    assert_int_equal(learn_receipt_keep(&course, &r, &e), -EINVAL);
    buffer_release(&r.receipt);
    buffer_release(&r.recording);
}

static void two_writers_lose_nothing(void **state)
{
    (void)state;
    enum { WRITERS = 4, EACH = 40 };
    pid_t pids[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            struct error e;
            int failed = 0;
            for (int k = 0; k < EACH; k++) {
                struct learn_event x = {.kind = LEARN_HINT, .lab = "1.1", .step = 1};
                failed += learn_log_add(&course, &x, &e) != 0;
            }
            _exit(failed);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = 0;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    expect_counts(&course, WRITERS * EACH, 0);
}

static void expect_same_events(const struct learn_course *a, const struct learn_course *b, size_t count)
{
    struct learn_log left, right;
    read_into(a, &left);
    read_into(b, &right);
    assert_int_equal(left.count, count);
    assert_int_equal(right.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(left.events[i].id, right.events[i].id);
        assert_int_equal(left.events[i].line_size, right.events[i].line_size);
        assert_memory_equal(left.events[i].line, right.events[i].line, left.events[i].line_size);
    }
    learn_log_release(&left);
    learn_log_release(&right);
}

static void merges_to_the_same_in_both_orders(void **state)
{
    (void)state;
    static const char newer[] =
        "{\"id\":\"" ID "\",\"kind\":\"post\",\"time_ns\":7,\"machine\":\"bbbb\",\"body\":{\"to\":[1,2]}}\n";
    struct learn_course other = {.machine = "bbbb"};
    struct learn_merged m;
    struct error e;
    assert_int_equal(learn_course_make("other", &other, &e), 0);
    add(&course, "1.1");
    add(&other, "1.2");
    add(&course, "1.3");
    write_raw(&other, newer, sizeof(newer) - 1);
    write_raw(&other, "torn", 4);
    assert_int_equal(learn_log_merge(&course, "other", &m, &e), 0);
    assert_int_equal(m.events, 2);
    assert_int_equal(m.damaged, 1);
    assert_int_equal(learn_log_merge(&other, "pitviper-course", &m, &e), 0);
    assert_int_equal(m.events, 2);
    expect_same_events(&course, &other, 4);
    assert_int_equal(learn_log_merge(&course, "other/log.jsonl", &m, &e), 0); /* again, and by the file's name */
    assert_int_equal(m.events, 0);
    assert_int_equal(learn_log_merge(&course, "pitviper-course", &m, &e), 0); /* with itself */
    assert_int_equal(m.events, 0);
    expect_same_events(&course, &other, 4);
    assert_int_equal(learn_log_merge(&course, "nowhere", &m, &e), -ENOENT);
}

static void merging_brings_the_receipts(void **state)
{
    (void)state;
    static const char *const name = "other/receipts/0123456789abcdef0123456789abcdef.json";
    struct learn_course other = {.machine = "bbbb"};
    struct learn_merged m;
    struct error e;
    char path[LEARN_PATH_MAX];
    assert_int_equal(learn_course_make("other", &other, &e), 0);
    add(&other, "1.2");
    assert_int_equal(learn_file_write(name, "{}", 2, false, &e), 0);
    assert_int_equal(learn_file_write("other/receipts/evil.json", "{}", 2, false, &e), 0);
    assert_int_equal(learn_log_merge(&course, "other", &m, &e), 0);
    assert_int_equal(m.receipts, 1);
    assert_int_equal(learn_path(&course, path, "receipts/%s", strrchr(name, '/') + 1), 0);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(learn_path(&course, path, "receipts/evil.json"), 0);
    assert_int_equal(access(path, F_OK), -1);
}

/* Two lines of one id that differ: whichever log they are merged into, the same one stays. */
static void one_id_is_one_event(void **state)
{
    (void)state;
    static const char lines[] = "{\"id\":\"" ID "\",\"kind\":\"hint\",\"lab\":\"2.1\",\"time_ns\":9}\n"
                                "{\"id\":\"" ID "\",\"kind\":\"hint\",\"lab\":\"1.1\",\"time_ns\":9}\n"
                                "{\"id\":\"" ID "\",\"kind\":\"hint\",\"lab\":\"2.1\",\"time_ns\":9}\n";
    struct learn_log l;
    write_raw(&course, lines, sizeof(lines) - 1);
    read_into(&course, &l);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.events[0].lab, "1.1");
    learn_log_release(&l);
}

static void is_found_from_below_and_after_a_move(void **state)
{
    (void)state;
    struct learn_course found = {.machine = ""};
    struct error e;
    assert_int_equal(learn_course_find(NULL, &found, &e), 0); /* from the folder above */
    assert_string_equal(found.root, course.root);
    assert_int_equal(rename("pitviper-course", "moved here"), 0);
    assert_int_equal(learn_course_find(NULL, &found, &e), -ENOENT);
    assert_int_equal(mkdir("moved here/a", 0777), 0);
    assert_int_equal(mkdir("moved here/a/b", 0777), 0);
    assert_int_equal(learn_course_find("moved here/a/b", &found, &e), 0);
    assert_string_equal(strrchr(found.root, '/'), "/moved here");
    add(&found, "1.1");
    expect_counts(&found, 1, 0);
}

static void makes_no_course_in_somebody_elses_folder(void **state)
{
    (void)state;
    struct learn_course c = {.machine = ""};
    struct error e;
    assert_int_equal(learn_course_make("pitviper-course", &c, &e), -EEXIST);
    assert_string_equal(c.root, course.root);
    assert_int_equal(mkdir("full", 0777), 0);
    assert_int_equal(mkdir("full/of", 0777), 0);
    assert_int_equal(learn_course_make("full", &c, &e), -ENOTEMPTY);
    assert_int_equal(mkdir("empty", 0777), 0);
    assert_int_equal(learn_course_make("empty", &c, &e), 0);
    assert_int_equal(access("empty/.pitviper-course", F_OK), 0);
}

static void a_newer_course_is_refused(void **state)
{
    (void)state;
    struct learn_course c = {.machine = ""};
    struct error e;
    assert_int_equal(
        learn_file_write("pitviper-course/.pitviper-course", "pitviper course, format 7\n", 26, true, &e), 0);
    assert_int_equal(learn_course_find("pitviper-course", &c, &e), -ENOTSUP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(gives_back_what_was_added),
        TEST(mends_a_torn_last_line),
        TEST(takes_a_whole_last_line_without_its_end),
        TEST(lives_with_lines_that_are_no_events),
        TEST(refuses_a_log_that_is_no_file),
        TEST(leaves_the_log_as_it_was_when_the_disk_is_full),
        TEST(keeps_no_half_receipt),
        TEST(two_writers_lose_nothing),
        TEST(merges_to_the_same_in_both_orders),
        TEST(merging_brings_the_receipts),
        TEST(one_id_is_one_event),
        TEST(is_found_from_below_and_after_a_move),
        TEST(makes_no_course_in_somebody_elses_folder),
        TEST(a_newer_course_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
