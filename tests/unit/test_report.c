/* Reports of recordings made by hand: what they say, and that no text of a stranger's breaks them. */
#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "recording_log.h"

struct fixture {
    char path[64];
    struct record_writer *w;
    struct profile *p;
    struct buffer out;
    uint64_t time;
    uint32_t codes, frames, stacks;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    *state = f;
    buffer_init(&f->out, 64u << 20);
    f->time = UINT64_C(1000000000000);
    return record_writer_open(log_temporary(f->path), &f->w, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    record_writer_close(f->w, NULL);
    profile_free(f->p);
    buffer_release(&f->out);
    unlink(f->path);
    free(f);
    return 0;
}

static const char *text_in(struct fixture *f, enum profile_mode mode, size_t width)
{
    struct error e;
    if (f->w != NULL)
        assert_int_equal(record_writer_close(f->w, &e), 0);
    f->w = NULL;
    profile_free(f->p);
    f->p = NULL;
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(profile_read(fd, f->path, &(struct profile_options){.mode = mode}, &f->p, &e), 0);
    close(fd);
    buffer_clear(&f->out);
    assert_int_equal(report_text(&f->out, f->p, &(struct report_options){.width = width}), 0);
    return buffer_text(&f->out);
}

static uint32_t put_code(struct fixture *f, const char *name, const char *file, uint32_t line)
{
    record_put_code(f->w, &(struct record_code){.id = f->codes, .qualname = name, .file = file, .first_line = line});
    return f->codes++;
}

/* A stack of its parent's frames and one more. */
static uint32_t put_stack(struct fixture *f, uint32_t parent, uint32_t code, uint32_t line)
{
    record_put_frame(f->w, &(struct record_frame){.id = f->frames, .code = code, .line = line, .end_line = line});
    record_put_stack(f->w, ++f->stacks, parent, f->frames++);
    return f->stacks;
}

static void put_ticks(struct fixture *f, uint32_t thread, uint32_t stack, uint32_t state, int ticks)
{
    record_put_state(f->w, thread, stack, state);
    while (ticks-- > 0)
        record_put_tick(f->w, f->time += 1000000);
}

enum { RUNS = RECORD_PRESENT | RECORD_ON_CPU | RECORD_HAS_GIL, WAITS = RECORD_PRESENT };

/* One thread, a thousand ticks of 1 ms: 600 in sort (which main calls on line 12), 300 in read (line 14), waiting, 90
 * in the collector below sort, 10 in main itself. */
static void put_example(struct fixture *f)
{
    static const char source[] = "import sys\n\ndef compare(a, b):\n\treturn a < b\n";
    uint8_t digest[32] = {1};
    record_put_meta(f->w, "command", "python3 app.py --size 10");
    record_put_meta(f->w, "host", "builder");
    record_put_meta(f->w, "python", "3.12.1");
    record_put_meta(f->w, "rate_hz", "1000");
    record_put_meta(f->w, "mode", "wall");
    record_put_meta(f->w, "started", "1700000000");
    record_put_process(f->w, &(struct record_process){.pid = 70, .python = "3.12.1", .command = "python3 app.py"});
    record_put_thread(f->w, &(struct record_thread){.tid = 70, .name = "MainThread"});
    uint32_t main_code = put_code(f, "main", "/home/me/app/app.py", 9);
    uint32_t sort = put_code(f, "Sorter.sort", "/home/me/app/sorter.py", 3);
    uint32_t read_code = put_code(f, "read", "/usr/lib/python3.12/io.py", 100);
    uint32_t in_main = put_stack(f, 0, main_code, 15);
    uint32_t in_sort = put_stack(f, put_stack(f, 0, main_code, 12), sort, 4);
    uint32_t in_read = put_stack(f, put_stack(f, 0, main_code, 14), read_code, 105);
    record_put_frame(f->w, &(struct record_frame){.id = f->frames, .kind = RECORD_FRAME_GC});
    record_put_stack(f->w, ++f->stacks, in_sort, f->frames++);
    put_ticks(f, 0, in_sort, RUNS, 600);
    put_ticks(f, 0, in_read, WAITS, 300);
    put_ticks(f, 0, f->stacks, RUNS | RECORD_IN_GC, 90);
    put_ticks(f, 0, in_main, RUNS | RECORD_REPAIRED, 10);
    record_put_source(f->w, "/home/me/app/sorter.py", digest, source, sizeof(source) - 1, true);
    record_put_source(f->w, "/home/me/app/app.py", digest, NULL, 0, false);
    record_put_meta(
        f->w, "note.core", "the sampler had no core of its own: its CPU time may have been taken from the program");
    record_put_thread_cpu(f->w, &(struct record_thread_cpu){.kernel_cpu_ns = 680000000, .kernel_wait_ns = 20000000});
    record_put_counters(f->w, &(struct record_counters){.ticks_due = 1002,
                                  .ticks_taken = 1000,
                                  .ticks_late = 5,
                                  .ticks_missed = 2,
                                  .samples = 1000,
                                  .repaired = 10,
                                  .rejected = 1,
                                  .longest_gap_ns = 3100000,
                                  .profiler_cpu_ns = 12000000,
                                  .profiler_wall_ns = 1000000000,
                                  .target_cost_ppm = 1500});
    record_put_process_end(f->w, &(struct record_process_end){.time_ns = f->time, .cpu_ns = 700000000});
}

/* The shares are the counts above; the ranges are those of mid-p limits (here checked by the next test against limits
 * that hold whatever the method); the rest is what was put. */
static const char golden[] =
#include "report_golden.h"
    ;

static void reads_as_it_should(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    const char *text = text_in(f, PROFILE_WALL, 80);
    if (getenv("PITVIPER_SHOW") != NULL)
        printf("%s", text);
    assert_string_equal(text, golden);
}

static const struct profile_function *function(const struct profile *p, const char *name)
{
    for (size_t i = 0; i < p->function_count; i++)
        if (strcmp(p->functions[i].name, name) == 0)
            return &p->functions[i];
    fail_msg("no function %s", name);
    return NULL;
}

static void has_ranges_between_wilson_and_exact(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    text_in(f, PROFILE_WALL, 80);
    /* scipy.stats.binomtest(600, 1000).proportion_ci(method="exact"): 0.568873 to 0.630533; a mid-p interval is within
     */
    struct profile_share s = profile_share(f->p, &function(f->p, "Sorter.sort")->self);
    assert_true(s.low > 0.568873 && s.low < 0.5700 && s.high < 0.630533 && s.high > 0.6294);
    /* 1000 of 1000: the exact limit is 0.025 to the power of a thousandth */
    s = profile_share(f->p, &function(f->p, "main")->total);
    assert_true(s.high == 1 && s.low > 0.99631 && s.low < 0.99632);
}

static void names_what_the_cpu_view_leaves_out(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    const char *text = text_in(f, PROFILE_CPU, 80);
    assert_non_null(strstr(text, "100 % is the time that threads were on a CPU"));
    assert_non_null(strstr(text, "700 ms"));
    assert_null(strstr(text, "read  "));
    text = text_in(f, PROFILE_GIL, 80);
    assert_non_null(strstr(text, "held the GIL"));
}

static void says_first_that_a_recording_is_damaged(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    text_in(f, PROFILE_WALL, 80);
    assert_int_equal(truncate(f->path, (off_t)f->p->summary.bytes - 30), 0);
    const char *text = text_in(f, PROFILE_WALL, 80);
    assert_ptr_equal(strstr(text, "this recording is not whole"), text);
    assert_non_null(strstr(text, "truncated in the middle of a chunk"));
}

static void says_that_ticks_were_dropped(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    assert_null(strstr(text_in(f, PROFILE_WALL, 80), "thinned"));
    struct record_writer *w = NULL;
    assert_int_equal(record_writer_open(f->path, &w, NULL), 0);
    record_put_meta(w, "thinned", "4");
    assert_int_equal(record_writer_close(w, NULL), 0);
    assert_non_null(strstr(text_in(f, PROFILE_WALL, 80), "thinned to 1 tick in 4, evenly"));
}

static void says_that_there_was_nothing(void **state)
{
    struct fixture *f = *state;
    const char *text = text_in(f, PROFILE_WALL, 80);
    assert_non_null(strstr(text, "(unknown command)"));
    assert_non_null(strstr(text, "no sample was taken"));
    assert_non_null(strstr(text, "before its first count"));
}

static void says_that_no_stack_was_kept(void **state)
{
    struct fixture *f = *state;
    record_put_process(f->w, &(struct record_process){.pid = 71, .python = "3.13.0", .command = "a"});
    record_put_thread(f->w, &(struct record_thread){.tid = 71, .name = "MainThread"});
    record_put_state(f->w, 0, 0, RECORD_REJECTED);
    record_put_tick(f->w, 1000000);
    record_put_tick(f->w, 2000000);
    const char *text = text_in(f, PROFILE_WALL, 80);
    assert_non_null(strstr(text, "no stack could be believed"));
    assert_null(strstr(text, "no sample was taken"));
}

static void tells_thread_time_from_wall_time(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    record_put_thread(f->w, &(struct record_thread){.id = 1, .tid = 71, .name = ""});
    record_put_state(f->w, 1, 1, WAITS);
    put_ticks(f, 0, 1, RUNS, 1000);
    const char *text = text_in(f, PROFILE_WALL, 80);
    assert_non_null(strstr(text, "100 % is thread time, waiting included: 3.00 s, by 2 threads in 2.00 s"));
    assert_non_null(strstr(text, "threads, by their time on a CPU"));
    assert_non_null(strstr(text, "thread 71"));
}

static void shortens_a_recursion(void **state)
{
    struct fixture *f = *state;
    record_put_process(f->w, &(struct record_process){.pid = 1, .python = "", .command = "c"});
    record_put_thread(f->w, &(struct record_thread){.tid = 1, .name = "t"});
    uint32_t code = put_code(f, "recurse", "/r.py", 1), leaf = put_code(f, "leaf", "/r.py", 5), stack = 0;
    for (int i = 0; i < 20000; i++)
        stack = put_stack(f, stack, code, 2);
    stack = put_stack(f, stack, leaf, 6);
    put_ticks(f, 0, stack, RUNS, 100);
    const char *text = text_in(f, PROFILE_WALL, 80);
    assert_non_null(strstr(text, "recurse (x20,000)"));
    const struct profile_function *r = function(f->p, "recurse");
    assert_int_equal(r->total.y, 100); /* once a stack */
    assert_int_equal(r->self.y, 0);
    assert_int_equal(function(f->p, "leaf")->self.y, 100);
}

/* ---- hostile text ---- */

static const char *const hostile[] = {
    "x",
    "\xe4\xb8\xad\xe6\x96\x87\xe5\x87\xbd\xe6\x95\xb0\xe5\x90\x8d\xe5\xad\x97\xe5\xbe\x88\xe9\x95\xbf\xe5\xbe\x88\xe9"
    "\x95\xbf"
    "\xe5\xbe\x88\xe9\x95\xbf\xe5\xbe\x88\xe9\x95\xbf\xe5\xbe\x88\xe9\x95\xbf\xe5\xbe\x88\xe9\x95\xbf\xe5\xbe\x88\xe9"
    "\x95\xbf",
    "\033[31mred\033]0;title\007\033[2J", "line\nfeed;semi;colon\r\tand tab", "\xff\xfe\x80 not utf-8 \xc3",
    "right\xe2\x80\xae"
    "to left\xe2\x81\xa6",
    "combining e\xcc\x81\xcc\x81\xcc\x81\xcc\x81", "%s%n%d%%", "", NULL, /* a very long one */
};

static void put_hostile(struct fixture *f)
{
    char *text = malloc(70001);
    memset(text, 'w', 70000);
    text[70000] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
        const char *t = hostile[i] != NULL ? hostile[i] : text;
        record_put_process(
            f->w, &(struct record_process){.id = (uint32_t)i, .pid = INT32_MAX, .python = t, .command = t});
        record_put_thread(
            f->w, &(struct record_thread){.id = (uint32_t)i, .process = (uint32_t)i, .tid = -5, .name = t});
    }
    for (size_t n = 0; n < ARRAY_SIZE(hostile); n++) {
        for (size_t k = 0; k < ARRAY_SIZE(hostile); k++) {
            const char *name = hostile[n] != NULL ? hostile[n] : text, *file = hostile[k] != NULL ? hostile[k] : text;
            uint32_t code = put_code(f, name, file, UINT32_MAX);
            uint32_t stack = put_stack(f, put_stack(f, 0, code, (uint32_t)n), code, n % 2 == 0 ? 1 : UINT32_MAX);
            put_ticks(f, (uint32_t)k, stack, n % 3 == 0 ? RUNS : WAITS, 1 + (int)n);
            char key[32];
            uint8_t digest[32] = {0};
            snprintf(key, sizeof(key), "note.%zu", n);
            record_put_meta(f->w, key, name);
            record_put_source(f->w, file, digest, name, strlen(name), true);
        }
        static const char *const keys[] = {"command", "host", "python", "rate_hz", "started", "mode"};
        for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
            record_put_meta(f->w, keys[k], hostile[n] != NULL ? hostile[n] : text);
    }
    record_put_counters(f->w, &(struct record_counters){
                                  .ticks_due = UINT64_MAX,
                                  .ticks_taken = UINT64_MAX,
                                  .ticks_late = UINT64_MAX,
                                  .ticks_missed = UINT64_MAX,
                                  .samples = UINT64_MAX,
                                  .repaired = UINT64_MAX,
                                  .rejected = UINT64_MAX,
                                  .longest_gap_ns = UINT64_MAX,
                                  .profiler_cpu_ns = UINT64_MAX,
                                  .target_cost_ppm = UINT64_MAX,
                                  .children_found = UINT64_MAX,
                                  .bytes_lost = UINT64_MAX,
                              });
    free(text);
}

static void keeps_to_its_columns_whatever_the_names(void **state)
{
    struct fixture *f = *state;
    put_hostile(f);
    static const size_t widths[] = {40, 41, 55, 80, 100, 200};
    for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
        const char *text = text_in(f, PROFILE_WALL, widths[i]);
        size_t lines = 0;
        for (const char *at = text; *at != '\0'; lines++) {
            size_t size = strcspn(at, "\n");
            if (text_width(at, size) > widths[i])
                fail_msg("%zu columns in: %.*s", text_width(at, size), (int)size, at);
            for (size_t k = 0; k < size; k++)
                assert_true((unsigned char)at[k] >= 0x20 && (unsigned char)at[k] != 0x7f);
            at += size + (at[size] == '\n');
        }
        assert_in_range(lines, 40, 400);
        assert_null(strstr(text, "\xe2\x80\xae"));
        assert_null(strstr(text, "\xff"));
    }
}

static void colours_only_when_asked(void **state)
{
    struct fixture *f = *state;
    put_hostile(f);
    assert_null(strchr(text_in(f, PROFILE_WALL, 80), '\033'));
    buffer_clear(&f->out);
    assert_int_equal(report_text(&f->out, f->p, &(struct report_options){.colour = true}), 0);
    /* Only codes of ours, and each line ends plain. */
    const char *text = buffer_text(&f->out);
    bool any = false, on = false;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\033') {
            size_t size = strspn(at + 2, "0123456789;");
            assert_true(at[1] == '[' && at[2 + size] == 'm');
            on = at[2] != '0';
            any = true;
        }
        if (*at == '\n')
            assert_false(on);
    }
    assert_true(any);
}

/* One line a stack: frames with no ';' in them, one space before the count. */
static void keeps_collapsed_stacks_in_one_piece(void **state)
{
    struct fixture *f = *state;
    put_hostile(f);
    text_in(f, PROFILE_WALL, 80);
    for (int threads = 0; threads < 2; threads++) {
        buffer_clear(&f->out);
        assert_int_equal(
            report_collapsed(&f->out, f->p, threads != 0 ? REPORT_FIRST_THREAD : REPORT_FIRST_FRAME, NULL, NULL), 0);
        uint64_t hits = 0;
        size_t lines = 0;
        for (const char *at = buffer_text(&f->out); *at != '\0'; lines++) {
            size_t size = strcspn(at, "\n"), separators = 0;
            assert_int_equal(at[size], '\n');
            const char *count = at + size;
            while (count > at && count[-1] >= '0' && count[-1] <= '9')
                count--;
            assert_true(count > at && count[-1] == ' ');
            hits += strtoull(count, NULL, 10);
            for (size_t k = 0; k < size; k++) {
                separators += at[k] == ';';
                assert_true((unsigned char)at[k] >= 0x20);
            }
            assert_int_equal(separators, 1 + threads);
            at += size + 1;
        }
        assert_int_equal(hits, f->p->hits);
        assert_true(lines >= ARRAY_SIZE(hostile));
    }
}

static int count_flushes(void *context, struct buffer *out)
{
    ++*(int *)context;
    buffer_clear(out);
    return 0;
}

static int refuse(void *context, struct buffer *out)
{
    (void)context;
    (void)out;
    return -EPIPE;
}

static void collapses_the_example(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    text_in(f, PROFILE_WALL, 80);
    buffer_clear(&f->out);
    assert_int_equal(report_collapsed(&f->out, f->p, REPORT_FIRST_FRAME, NULL, NULL), 0);
    assert_string_equal(buffer_text(&f->out),
        "main (/home/me/app/app.py:15) 10\n"
        "main (/home/me/app/app.py:12);Sorter.sort (/home/me/app/sorter.py:4) 600\n"
        "main (/home/me/app/app.py:14);read (/usr/lib/python3.12/io.py:105) 300\n"
        "main (/home/me/app/app.py:12);Sorter.sort (/home/me/app/sorter.py:4);<garbage collector> 90\n");
    buffer_clear(&f->out);
    assert_int_equal(report_collapsed(&f->out, f->p, REPORT_FIRST_THREAD, NULL, NULL), 0);
    assert_ptr_equal(strstr(buffer_text(&f->out), "MainThread;main (/home/me/app/app.py:15) 10\n"), f->out.data);
    int flushes = 0;
    buffer_clear(&f->out);
    assert_int_equal(report_collapsed(&f->out, f->p, REPORT_FIRST_THREAD, count_flushes, &flushes), 0);
    assert_int_equal(flushes, 1);
    assert_int_equal(report_collapsed(&f->out, f->p, REPORT_FIRST_THREAD, refuse, NULL), -EPIPE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(reads_as_it_should),
        TEST(has_ranges_between_wilson_and_exact),
        TEST(names_what_the_cpu_view_leaves_out),
        TEST(says_first_that_a_recording_is_damaged),
        TEST(says_that_ticks_were_dropped),
        TEST(says_that_there_was_nothing),
        TEST(says_that_no_stack_was_kept),
        TEST(tells_thread_time_from_wall_time),
        TEST(shortens_a_recursion),
        TEST(keeps_to_its_columns_whatever_the_names),
        TEST(colours_only_when_asked),
        TEST(keeps_collapsed_stacks_in_one_piece),
        TEST(collapses_the_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
