/* Exports of recordings made by hand, against texts worked out by hand from each format's description. */
#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "recording_log.h"

enum { RUNS = RECORD_PRESENT | RECORD_ON_CPU | RECORD_HAS_GIL, WAITS = RECORD_PRESENT };

struct fixture {
    char path[64];
    struct record_writer *w;
    struct profile *p;
    struct report_spans *spans;
    struct buffer out;
    uint64_t time;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    *state = f;
    buffer_init(&f->out, 64u << 20);
    f->time = UINT64_C(5000000000);
    return record_writer_open(log_temporary(f->path), &f->w, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    record_writer_close(f->w, NULL);
    profile_free(f->p);
    report_spans_free(f->spans);
    buffer_release(&f->out);
    unlink(f->path);
    free(f);
    return 0;
}

static void put_code(struct fixture *f, uint32_t id, const char *name, const char *file, uint32_t line)
{
    record_put_code(f->w, &(struct record_code){.id = id, .qualname = name, .file = file, .first_line = line});
}

/* Stack `id`: its parent's frames and one of this code on this line. */
static void put_stack(struct fixture *f, uint32_t id, uint32_t parent, uint32_t code, uint32_t line)
{
    record_put_frame(f->w, &(struct record_frame){.id = id - 1, .code = code, .line = line, .end_line = line});
    record_put_stack(f->w, id, parent, id - 1);
}

static void put_ticks(struct fixture *f, uint32_t stack, uint32_t state, int ticks)
{
    record_put_state(f->w, 0, stack, state);
    while (ticks-- > 0)
        record_put_tick(f->w, f->time += 1000000);
}

static void put_definitions(struct fixture *f)
{
    put_code(f, 0, "main", "/a.py", 1);
    put_code(f, 1, "f", "/a.py", 10);
    put_code(f, 2, "g", "/b.py", 20);
    put_stack(f, 1, 0, 0, 2);  /* main */
    put_stack(f, 2, 1, 1, 11); /* main f */
    put_stack(f, 3, 2, 2, 21); /* main f g */
    put_stack(f, 4, 3, 1, 12); /* main f g f */
    put_stack(f, 5, 4, 2, 22); /* main f g f g */
}

/* Ten ticks of 1 ms: main 1, main f 2, main f g f g 4, main f g 3 of which the last two wait. */
static void put_example(struct fixture *f)
{
    record_put_meta(f->w, "command", "app");
    record_put_process(f->w, &(struct record_process){.pid = 70, .python = "3.12.1", .command = "app"});
    record_put_thread(f->w, &(struct record_thread){.tid = 71, .name = "T"});
    put_definitions(f);
    put_ticks(f, 1, RUNS, 1);
    put_ticks(f, 2, RUNS, 2);
    put_ticks(f, 5, RUNS, 4);
    put_ticks(f, 3, RUNS, 1);
    put_ticks(f, 3, WAITS, 2);
}

static const char *exported(struct fixture *f, const char *name)
{
    const struct report_format *format = report_formats;
    struct error e;
    assert_int_equal(record_writer_close(f->w, &e), 0);
    f->w = NULL;
    assert_int_equal(report_spans_new(&f->spans), 0);
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    const struct profile_options options = {.span = report_spans_add, .span_context = f->spans};
    assert_int_equal(profile_read(fd, f->path, &options, &f->p, &e), 0);
    close(fd);
    while (strcmp(format->name, name) != 0)
        format++;
    assert_int_equal(format->write(&(struct report_export){.out = &f->out, .p = f->p, .spans = f->spans}), 0);
    return buffer_text(&f->out);
}

/* f recurs through g: its stack counts once for it, by the call of main. */
static void callgrind_counts_a_recursion_once(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    const char *text = exported(f, "callgrind");
    assert_non_null(strstr(text, "events: Samples Nanoseconds\nsummary: 10 10000000\n\n"));
    assert_string_equal(strstr(text, "fl="),
        "fl=(1) /a.py\nfn=(2) main\n2 1 1000000\ncfn=(3) f\ncalls=9 10\n2 9 9000000\n\n"
        "fl=(1)\nfn=(3)\n11 2 2000000\n"
        "cfi=(4) /b.py\ncfn=(5) g\ncalls=7 20\n11 7 7000000\n"
        "cfi=(4)\ncfn=(5)\ncalls=4 20\n12 0 0\n\n"
        "fl=(4)\nfn=(5)\n21 3 3000000\n22 4 4000000\ncfi=(1)\ncfn=(3)\ncalls=4 10\n21 0 0\n\n"
        "fl=(0) ~\nfn=(0) <all threads>\ncfi=(1)\ncfn=(2)\ncalls=10 1\n0 10 10000000\n\n");
}

static void callgrind_tells_functions_of_one_name_apart(void **state)
{
    struct fixture *f = *state;
    record_put_process(f->w, &(struct record_process){.pid = 70, .python = "", .command = ""});
    record_put_thread(f->w, &(struct record_thread){.tid = 71, .name = "T"});
    static const char *const names[] = {"fn=(1)\nx", "fn=(1)\tx", "fn=(1)\rx", "", " "};
    for (uint32_t i = 0; i < ARRAY_SIZE(names); i++) {
        put_code(f, i, names[i], "(1)", i == 0 ? 5 : 7);
        put_stack(f, i + 1, 0, i, 8);
        put_ticks(f, i + 1, RUNS, 1);
    }
    const char *text = exported(f, "callgrind");
    assert_non_null(strstr(text, "fl=(1) (1)\nfn=(2) fn=(1)?x\n"));
    assert_non_null(strstr(text, " fn=(1)?x (line 7)\n"));
    assert_non_null(strstr(text, " fn=(1)?x (line 7, function 2)\n"));
    assert_non_null(strstr(text, " <unnamed>\n"));
    assert_non_null(strstr(text, " _\n"));
}

static void json_lines_define_before_use(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    const char *text = exported(f, "jsonl");
    assert_string_equal(strstr(text, "{\"type\":\"process\""),
        "{\"type\":\"process\",\"process\":0,\"parent\":0,\"pid\":70,\"python\":\"3.12.1\",\"command\":\"app\"}\n"
        "{\"type\":\"thread\",\"thread\":0,\"process\":0,\"tid\":71,\"name\":\"T\",\"samples\":10}\n"
#define STACK(id, parent, name, file, first, line)                                                                     \
    "{\"type\":\"stack\",\"stack\":" #id ",\"parent\":" #parent ",\"function\":\"" name "\",\"file\":\"" file          \
    "\",\"kind\":\"python\",\"first_line\":" #first ",\"line\":" #line ",\"column\":0}\n"
#define SPAN(stack, from, to, samples, runs)                                                                           \
    "{\"type\":\"span\",\"thread\":0,\"stack\":" #stack ",\"from_ns\":" #from ",\"to_ns\":" #to                        \
    ",\"samples\":" #samples ",\"on_cpu\":" #runs ",\"has_gil\":" #runs                                                \
    ",\"waits_for_gil\":false,\"in_gc\":false,\"repaired\":false}\n"
        STACK(1, 0, "main", "/a.py", 1, 2) SPAN(1, 0, 0, 1, true)            /* tick 1 */
        STACK(2, 1, "f", "/a.py", 10, 11) SPAN(2, 0, 2000000, 2, true)       /* 2, 3 */
        STACK(3, 2, "g", "/b.py", 20, 21) STACK(4, 3, "f", "/a.py", 10, 12)  /* */
        STACK(5, 4, "g", "/b.py", 20, 22) SPAN(5, 2000000, 6000000, 4, true) /* 4 to 7 */
        SPAN(3, 6000000, 7000000, 1, true) SPAN(3, 7000000, 9000000, 2, false));
}

static void a_restart_does_not_part_a_span(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    record_put_restart(f->w);
    put_definitions(f);
    put_ticks(f, 3, WAITS, 5);
    const char *text = exported(f, "jsonl");
    assert_non_null(strstr(text, SPAN(3, 7000000, 14000000, 7, false)));
    assert_int_equal(f->p->restarts, 1);
}

static void chrome_keeps_a_slice_while_its_stack_goes_on(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    const char *text = strstr(exported(f, "chrome"), "\"traceEvents\":");
#define EVENT(phase, ts) "{\"ph\":\"" phase "\",\"pid\":70,\"tid\":71,\"ts\":" #ts ","
#define SLICE(phase, ts, name) EVENT(phase, ts) "\"name\":\"" name "\",\"cat\":\"python\"}"
#define NAME(what, name) EVENT("M", 0) "\"name\":\"" what "\",\"args\":{\"name\":\"" name "\"}}"
#define STATE(ts, cpu, gil)                                                                                            \
    EVENT("C", ts)                                                                                                     \
    "\"name\":\"state of 71\",\"args\":{\"on cpu\":" #cpu ",\"has gil\":" #gil ",\"waits for gil\":0,\"in gc\":0}}"
#define MAIN "main (/a.py:1)"
#define F "f (/a.py:10)"
#define G "g (/b.py:20)"
    assert_string_equal(
        text, "\"traceEvents\":[" NAME("process_name", "app") "," NAME("thread_name", "T") "," STATE(0, 1, 1) "," SLICE(
                  "B", 0, MAIN) "," SLICE("B", 0, F) "," SLICE("B", 2000, G) "," SLICE("B", 2000, F) "," SLICE("B",
                  2000, G) "," SLICE("E", 6000, G) "," SLICE("E", 6000, F) "," STATE(7000, 0, 0) "," SLICE("E", 9000,
                  G) "," SLICE("E", 9000, F) "," SLICE("E", 9000, MAIN) "]}\n");
}

/* marshal, as Python/marshal.c reads it. Seconds are doubles: 0.001 is fca9f1d24d62503f. */
static void pstats_counts_depth_and_samples(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    exported(f, "pstats");
    static const char main_entry[] = "{(\3\0\0\0u\5\0\0\0/a.pyi\1\0\0\0u\4\0\0\0main"
                                     "(\5\0\0\0i\12\0\0\0i\12\0\0\0g\xfc\xa9\xf1\xd2\x4d\x62\x50\x3fg";
    assert_memory_equal(f->out.data, main_entry, sizeof(main_entry) - 1);
    /* f: in 9 samples, 13 times; g: in 7 and 11 */
    static const char f_entry[] = "u\1\0\0\0f(\5\0\0\0i\11\0\0\0i\15\0\0\0g";
    static const char g_entry[] = "u\1\0\0\0g(\5\0\0\0i\7\0\0\0i\13\0\0\0g";
    /* g calls f in 4, once each; f is not its own caller */
    static const char call[] = "u\1\0\0\0g(\4\0\0\0i\4\0\0\0i\4\0\0\0g\0\0\0\0\0\0\0\0g";
    assert_non_null(memmem(f->out.data, f->out.size, f_entry, sizeof(f_entry) - 1));
    assert_non_null(memmem(f->out.data, f->out.size, g_entry, sizeof(g_entry) - 1));
    assert_non_null(memmem(f->out.data, f->out.size, call, sizeof(call) - 1));
    assert_memory_equal(f->out.data + f->out.size - 2, "00", 2);
}

static void speedscope_holds_the_place_of_a_thread_that_was_away(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    put_ticks(f, 0, 0, 5);
    put_ticks(f, 1, RUNS, 1);
    const char *text = exported(f, "speedscope");
    assert_non_null(
        strstr(text, "\"name\":\"T (pid 70, tid 71)\",\"unit\":\"nanoseconds\",\"startValue\":0,\"endValue\":16000000,"
                     "\"samples\":[[0],[0,1],[0,1,2,3,4],[0,1,2],[0,1,2],[],[0]],"
                     "\"weights\":[1000000,2000000,4000000,1000000,2000000,5000000,1000000]"));
}

static int stop(void *context, struct buffer *out)
{
    (void)out;
    return --*(int *)context < 0 ? -ENOSPC : 0;
}

static void ends_with_what_flush_returns(void **state)
{
    struct fixture *f = *state;
    put_example(f);
    exported(f, "collapsed");
    for (const struct report_format *format = report_formats; format->name != NULL; format++) {
        int flushes = 0;
        buffer_clear(&f->out);
        const struct report_export x = {
            .out = &f->out, .p = f->p, .spans = f->spans, .flush = stop, .context = &flushes};
        assert_int_equal(format->write(&x), -ENOSPC);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(callgrind_counts_a_recursion_once),
        TEST(callgrind_tells_functions_of_one_name_apart),
        TEST(json_lines_define_before_use),
        TEST(a_restart_does_not_part_a_span),
        TEST(chrome_keeps_a_slice_while_its_stack_goes_on),
        TEST(pstats_counts_depth_and_samples),
        TEST(speedscope_holds_the_place_of_a_thread_that_was_away),
        TEST(ends_with_what_flush_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
