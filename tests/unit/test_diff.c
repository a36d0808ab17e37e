/*
 * Comparisons of made-up programs whose truth is known: what moved is matched, what is slower is found, and what is not
 * is shown no more often than the error rate allows.
 */
#include "diff/diff.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "recording_log.h"

enum { FUNCTIONS = 8, RUNS = 6, COMPARISONS = 250, LINES_APART = 10 };

static double uniform(uint64_t *state)
{
    return (double)(random_next(state) >> 11) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
    return sqrt(-2 * log(1 - uniform(state))) * cos(2 * M_PI * uniform(state));
}

static int poisson(uint64_t *state, double mean)
{
    int count = -1;
    for (double left = mean; left > 0; count++)
        left += log(1 - uniform(state));
    return count;
}

/* ---- a program and its runs ---- */

struct version {
    double ms[FUNCTIONS]; /* mean time a run */
    double spread;        /* the standard deviation between runs, of that */
    uint32_t first_line;  /* of the file's first function */
    const char *file, *text;
};

static struct profile *profile_of(const struct version *v, size_t runs, uint64_t *random)
{
    char path[64];
    struct record_writer *w;
    struct profile *p = NULL;
    struct error e;
    uint8_t digest[32];
    uint64_t time = 0;
    assert_int_equal(record_writer_open(log_temporary(path), &w, &e), 0);
    sha256(v->text, strlen(v->text), digest);
    for (uint32_t run = 0; run < runs; run++) {
        if (run > 0)
            record_put_restart(w);
        time += 5000000000; /* that nothing counts */
        record_put_process(w, &(struct record_process){.id = run, .parent = run, .start_ns = time, .run = run});
        record_put_thread(w, &(struct record_thread){.id = run, .process = run, .tid = 9});
        for (uint32_t i = 0; i < FUNCTIONS; i++) {
            char name[16];
            uint32_t line = v->first_line + i * LINES_APART, at = line + (v->ms[i] > 0 ? 1 : 2);
            snprintf(name, sizeof(name), "f%u", i);
            record_put_code(w,
                &(struct record_code){.id = i, .process = run, .qualname = name, .file = v->file, .first_line = line});
            record_put_frame(w, &(struct record_frame){.id = i, .code = i, .line = at, .end_line = at});
            record_put_stack(w, i + 1, 0, i);
            record_put_state(w, run, i + 1, RECORD_PRESENT);
            for (int left = poisson(random, v->ms[i] * fmax(0, 1 + v->spread * normal(random))); left > 0; left--)
                record_put_tick(w, time += 1000000);
        }
    }
    record_put_source(w, v->file, digest, v->text, strlen(v->text), true);
    assert_int_equal(record_writer_close(w, &e), 0);
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(profile_read(fd, path, &(struct profile_options){0}, &p, &e), 0);
    unlink(path);
    return p;
}

struct comparison {
    struct profile *a, *b;
    struct diff *d;
};

static struct comparison compare(
    const struct version *a, size_t a_runs, const struct version *b, size_t b_runs, uint64_t *random)
{
    struct comparison c = {.a = profile_of(a, a_runs, random), .b = profile_of(b, b_runs, random)};
    assert_int_equal(
        diff_make((const struct profile *const *)&c.a, 1, (const struct profile *const *)&c.b, 1, &c.d), 0);
    return c;
}

static void comparison_release(struct comparison *c)
{
    diff_free(c->d);
    profile_free(c->a);
    profile_free(c->b);
}

static const struct version first = {
    .ms = {40, 30, 20, 10, 5, 3, 2, 1}, .spread = 0.08, .first_line = 1, .file = "/v/a.py", .text = ""};

/* ---- rates ---- */

static void shows_nothing_where_nothing_changed(void **state)
{
    uint64_t random = 4711;
    int alarms = 0, held = 0, measured = 0;
    (void)state;
    for (int i = 0; i < COMPARISONS; i++) {
        struct comparison c = compare(&first, RUNS, &first, RUNS, &random);
        uint32_t *changed = NULL;
        size_t count = 0;
        assert_int_equal(c.d->claim, DIFF_BETWEEN_VERSIONS);
        assert_int_equal(diff_functions_changed(c.d, false, &changed, &count), 0);
        alarms += count > 0;
        free(changed);
        for (size_t k = 0; k < c.d->function_count; k++) {
            held += c.d->functions[k].self.low <= 0 && c.d->functions[k].self.high >= 0;
            measured++;
        }
        comparison_release(&c);
    }
    if (getenv("PITVIPER_SHOW") != NULL)
        print_message(
            "alarms %.1f %%, intervals with zero %.1f %%\n", 100.0 * alarms / COMPARISONS, 100.0 * held / measured);
    assert_true(alarms <= COMPARISONS * 8 / 100); /* 5 %, and what chance adds to that */
    assert_true(held >= measured * 93 / 100 && held <= measured * 992 / 1000);
}

static void finds_what_is_slower_and_that_alone(void **state)
{
    uint64_t random = 99;
    struct version second = first;
    int found = 0, others = 0, held = 0;
    (void)state;
    second.ms[2] *= 2.2;
    second.first_line = 7;
    for (int i = 0; i < COMPARISONS; i++) {
        struct comparison c = compare(&first, RUNS, &second, RUNS, &random);
        bool other = false;
        for (size_t k = 0; k < c.d->function_count; k++) {
            const struct diff_function *f = &c.d->functions[k];
            bool slower = strcmp(f->name, "f2") == 0;
            found += slower && f->self.changed && f->self.low > 0;
            held += slower && f->self.low <= 24 * 1e6 && 24 * 1e6 <= f->self.high;
            other = other || (!slower && f->self.changed);
            assert_int_equal(f->line_b, f->line_a + 6);
        }
        others += other;
        comparison_release(&c);
    }
    if (getenv("PITVIPER_SHOW") != NULL)
        print_message("found %.1f %%, others shown %.1f %%, intervals with the truth %.1f %%\n",
            100.0 * found / COMPARISONS, 100.0 * others / COMPARISONS, 100.0 * held / COMPARISONS);
    assert_true(found >= COMPARISONS * 90 / 100);
    assert_true(others <= COMPARISONS * 8 / 100);
    assert_true(held >= COMPARISONS * 92 / 100);
}

static void claims_nothing_between_versions_with_one_run_a_side(void **state)
{
    uint64_t random = 5;
    struct version second = first;
    (void)state;
    second.ms[0] = 400;
    struct comparison c = compare(&first, 1, &second, 1, &random);
    assert_int_equal(c.d->claim, DIFF_WITHIN_RUNS);
    assert_true(c.d->functions[0].self.changed);
    comparison_release(&c);
    c = compare(&first, 4, &second, 1, &random);
    assert_int_equal(c.d->claim, DIFF_WITHIN_RUNS);
    comparison_release(&c);
}

static void counts_no_time_between_runs(void **state)
{
    uint64_t random = 3;
    (void)state;
    struct profile *p = profile_of(&first, 3, &random);
    assert_int_equal(p->run_count, 3);
    assert_true(p->wall_ns < 1000000000); /* 5 s lie between each */
    assert_int_equal(p->runs[0].hits + p->runs[1].hits + p->runs[2].hits, p->hits);
    for (uint32_t i = 0; i < p->function_count; i++) {
        const struct profile_run_hits *hits;
        size_t count = profile_function_runs(p, i, &hits);
        uint64_t self = 0;
        for (size_t k = 0; k < count; k++)
            self += hits[k].self;
        assert_int_equal(self, p->functions[i].self.y);
    }
    profile_free(p);
}

/* ---- matching ---- */

static void follows_a_line_that_moved(void **state)
{
    uint64_t random = 8;
    struct version second = first;
    struct version old = first;
    (void)state;
    /* f0's line is the second of the file, and in the second version the fourth. */
    old.text = "def f0():\n    work()\n";
    second.text = "import os\n\ndef f0():\n    work()\n";
    second.first_line = 3;
    second.file = "/other/checkout/v/a.py";
    for (int met = 1; met >= 0; met--) { /* also where the second version was never met there */
        second.ms[0] *= met;
        struct comparison c = compare(&old, 2, &second, 2, &random);
        assert_int_equal(c.d->function_count, FUNCTIONS); /* one file, in two folders */
        size_t seen = 0;
        for (size_t i = 0; i < c.d->line_count; i++) {
            const struct diff_line *line = &c.d->lines[i];
            if (line->line_a != 2)
                continue;
            seen++;
            assert_int_equal(line->line_b, 4 * met);
            assert_int_equal(line->place, 4);
            assert_int_equal(line->size, strlen("    work()"));
        }
        assert_int_equal(seen, 1);
        comparison_release(&c);
    }
}

static void check_alignment(const char *a, const char *b, const uint32_t *expected, size_t lines)
{
    uint32_t *to = NULL;
    size_t count;
    assert_int_equal(diff_align(a, strlen(a), b, strlen(b), &to, &count), 0);
    assert_int_equal(count, lines);
    for (size_t i = 1; i <= lines; i++)
        assert_int_equal(to[i], expected[i]);
    free(to);
}

static void aligns_texts(void **state)
{
    (void)state;
    check_alignment("", "a\n", NULL, 0);
    check_alignment("a\nb\nc\n", "a\nb\nc\n", (const uint32_t[]){0, 1, 2, 3}, 3);
    check_alignment("a\nb\nc\n", "x\na\nb\ny\nc", (const uint32_t[]){0, 2, 3, 5}, 3);
    check_alignment("a\nb\nc\nd\n", "a\nd\n", (const uint32_t[]){0, 1, 0, 0, 2}, 4);
    check_alignment("a\r\nb\r\n", "a\nb\n", (const uint32_t[]){0, 1, 2}, 2);
    /* Myers' own example, ABCABBA and CBABAC, has more than one answer of length 4. */
    uint32_t *to = NULL;
    size_t count, kept = 0;
    const char *a = "A\nB\nC\nA\nB\nB\nA\n", *b = "C\nB\nA\nB\nA\nC\n";
    assert_int_equal(diff_align(a, strlen(a), b, strlen(b), &to, &count), 0);
    for (size_t i = 1, last = 0; i <= count; i++) {
        if (to[i] == 0)
            continue;
        assert_true(to[i] > last);
        assert_int_equal(a[2 * (i - 1)], b[2 * (to[i] - 1)]);
        last = to[i];
        kept++;
    }
    assert_int_equal(kept, 4);
    free(to);
}

static void survives_texts_that_have_nothing_in_common(void **state)
{
    struct buffer a, b;
    uint32_t *to = NULL;
    size_t count;
    (void)state;
    buffer_init(&a, 1u << 20);
    buffer_init(&b, 1u << 20);
    buffer_append_string(&a, "same\n");
    buffer_append_string(&b, "same\n");
    for (int i = 0; i < 5000; i++) {
        buffer_printf(&a, "a%d\n", i);
        buffer_printf(&b, "b%d\n", i);
    }
    assert_int_equal(diff_align(buffer_text(&a), a.size, buffer_text(&b), b.size, &to, &count), 0);
    assert_int_equal(count, 5001);
    assert_int_equal(to[1], 1);
    assert_int_equal(to[2], 0);
    free(to);
    buffer_release(&a);
    buffer_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_nothing_where_nothing_changed),
        cmocka_unit_test(finds_what_is_slower_and_that_alone),
        cmocka_unit_test(claims_nothing_between_versions_with_one_run_a_side),
        cmocka_unit_test(counts_no_time_between_runs),
        cmocka_unit_test(follows_a_line_that_moved),
        cmocka_unit_test(aligns_texts),
        cmocka_unit_test(survives_texts_that_have_nothing_in_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
