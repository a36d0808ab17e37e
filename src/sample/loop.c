/* The loop: wait for the tick, sample every process, keep house in the time that is left. */
#include "sample/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    REAL_TIME_RATE = 25000, /* above, the loop spins all the time, which real-time throttling would punish */
    REJECTED_PART = 20,     /* above such a part of the stacks, it is said */
    COST_PER_READ_NS = 750, /* what one read costs the target, by bench/slowdown.py at 100 kHz: docs/results.md */
};

int sampler_new(const struct sample_options *options, struct target *first, struct record_writer *writer,
    struct sampler **ret, struct error *e)
{
    struct sampler *s = calloc(1, sizeof(*s));

    if (!s) {
        target_close(first);
        return error_set(e, ENOMEM, "out of memory");
    }
    s->options = *options;
    s->writer = writer;
    s->busy_core = s->avoided_core = -1;
    map_init(&s->pids);
    fold_init(&s->fold);
    s->started_ns = clock_monotonic_ns();
    s->cpu_started_ns = clock_process_cpu_ns();
    int r = sources_init(&s->sources);
    if (r == 0)
        r = watch_add(s, first, 0);
    if (r < 0) {
        target_close(first);
        sampler_free(s);
        return error_set(e, -r, "out of memory");
    }
    children_init(s);
    *ret = s;
    return 0;
}

void sampler_free(struct sampler *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        watch_release(&s->watched[i]);
    free(s->watched);
    map_release(&s->pids);
    fold_release(&s->fold);
    sources_release(&s->sources);
    free(s);
}

static bool any_python(const struct sampler *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->watched[i].python)
            return true;
    return false;
}

int sampler_wait_ready(struct sampler *s, uint64_t for_ns, struct error *e)
{
    uint64_t until = clock_monotonic_ns() + for_ns;
    const struct timespec nap = {0, 500000};

    for (;;) {
        uint64_t now = clock_monotonic_ns();
        struct watched *first = &s->watched[0];
        int r = watch_try(s, first, now, e);
        if (r == 0 && s->options.mode == SAMPLE_GIL && python_info(first->python)->no_gil)
            return error_set(e, ENOTSUP,
                "process %d runs a free-threaded Python %s without a GIL: no sample can hold it; use --mode cpu",
                target_pid(first->target), python_info(first->python)->version_text);
        if (r == 0 || r == -EPERM)
            return r;
        if (!target_alive(first->target))
            return error_set(e, ESRCH, "process %d has ended", target_pid(first->target));
        if (r == -ENOTSUP && now > first->opened_ns + SLOW_NS)
            return r;
        if (s->options.children) {
            children_find(s, now);
            for (size_t i = 1; i < s->count; i++)
                if (!s->watched[i].python && !s->watched[i].ended)
                    (void)watch_try(s, &s->watched[i], now, NULL);
            if (any_python(s))
                return 0;
        }
        if (now > until || (s->options.stop && *s->options.stop))
            return r;
        nanosleep(&nap, NULL);
        watch_exec(s, &s->watched[0]);
    }
}

static void counters_put(struct sampler *s, uint64_t now)
{
    struct record_counters *c = &s->result.counters;

    c->profiler_cpu_ns = clock_process_cpu_ns() - s->cpu_started_ns;
    c->profiler_wall_ns = now - s->started_ns;
    c->target_cost_ppm = c->profiler_wall_ns ? c->reads * COST_PER_READ_NS * 1000000 / c->profiler_wall_ns : 0;
    record_put_counters(s->writer, c);
}

/* Returns true when the first process has ended. */
static bool keep_house(struct sampler *s, uint64_t now)
{
    bool slow = now - s->slow_ns > SLOW_NS;

    s->kept_ns = now;
    if (s->options.children)
        children_find(s, now);
    for (size_t i = 0; i < s->count; i++) {
        struct watched *w = &s->watched[i];
        if (w->ended)
            continue;
        if (!target_alive(w->target)) {
            watch_end(s, w, now);
            continue;
        }
        if (slow)
            watch_slow(s, w);
        if (!w->python && slow)
            watch_exec(s, w);
        if (!w->python && !w->hopeless && now > w->try_again_ns)
            (void)watch_try(s, w, now, NULL);
    }
    if (slow) {
        s->slow_ns = now;
        if (s->busy_core >= 0 && s->busy_core != s->avoided_core) {
            s->result.own_core = schedule_avoid_core(s->busy_core);
            s->avoided_core = s->busy_core;
        }
        (void)sources_step(s);
    }
    if (now - s->second_ns > SECOND_NS) {
        s->second_ns = now;
        counters_put(s, now);
        if (s->fold.stack_count > STACKS_CAP || record_writer_wants_restart(s->writer))
            fold_restart(s);
    }
    if (s->options.cut && *s->options.cut) {
        char path[4200];
        *s->options.cut = 0;
        counters_put(s, now);
        if (record_writer_cut(s->writer, path, sizeof(path)) < 0)
            record_put_meta(s->writer, "note.cut", "a cut that was asked for could not be written");
    }
    bool flush = s->options.flush_ns > 0 && now - s->flushed_ns >= s->options.flush_ns;
    if (flush)
        s->flushed_ns = now;
    record_writer_flush(s->writer, now, flush);
    return s->watched[0].ended;
}

/* It is done between ticks that leave time for it. */
static bool house_due(const struct sampler *s, uint64_t now)
{
    uint64_t ago = now - s->kept_ns;

    return ago >= KEEP_MOST_NS || (ago > KEEP_NS && schedule_has_time(&s->schedule, now, KEEP_TAKES_NS));
}

/* Ended processes are kept to the end for their files; what they held of threads and code is let go. */
static void release_ended(struct sampler *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->watched[i].ended && s->watched[i].python) {
            python_close(s->watched[i].python);
            s->watched[i].python = NULL;
        }
}

/* Shares of what is left are no shares of the whole. */
static void rejected_tell(struct sampler *s)
{
    const struct record_counters *c = &s->result.counters;

    if (c->rejected * REJECTED_PART > c->samples + c->rejected)
        record_put_meta(s->writer, "note.rejected",
            "many stacks were rejected: what those threads ran then is missing here, and every share is of the rest "
            "(functions that Nuitka compiled, for one, have frames of their own, which are not walked)");
}

static void refused_tell_more(struct sampler *s)
{
    char text[80];

    if (s->refused < 2)
        return;
    snprintf(text, sizeof(text), "%zu more process%s could not be read", s->refused - 1, s->refused == 2 ? "" : "es");
    record_put_meta(s->writer, "note.refused_more", text);
}

/* A program that went to the background, or left others there. */
static void left_tell(struct sampler *s)
{
    size_t count = 0;
    pid_t first = 0;
    char text[160];

    for (size_t i = 0; i < s->count; i++)
        if (s->watched[i].python && !s->watched[i].ended && target_alive(s->watched[i].target) && count++ == 0)
            first = target_pid(s->watched[i].target);
    if (!count)
        return;
    snprintf(text, sizeof(text),
        "%zu process%s that it started ran on when the program ended, and %s not followed: pitviper attach %d", count,
        count == 1 ? "" : "es", count == 1 ? "is" : "are", (int)first);
    record_put_meta(s->writer, "note.left", text);
}

int sampler_run(struct sampler *s, struct sample_result *ret, struct error *e)
{
    uint64_t now = clock_monotonic_ns();
    uint64_t until = s->options.duration_ns ? now + s->options.duration_ns : UINT64_MAX;
    int r = 0;

    s->result.real_time = s->options.rate_hz <= REAL_TIME_RATE && schedule_real_time();
    s->started_ns = now;
    s->cpu_started_ns = clock_process_cpu_ns();
    s->second_ns = s->slow_ns = now;
    schedule_init(&s->schedule, s->options.rate_hz, now);
    while (!(s->options.stop && *s->options.stop)) {
        uint64_t pause = s->kept_ns + KEEP_MOST_NS; /* a slow rate must not make us miss an end or a child */
        if (schedule_wait(&s->schedule, &s->result.counters, pause < until ? pause : until, s->options.stop, &now)) {
            uint64_t began = now;
            s->ticks++;
            for (size_t i = 0; i < s->count; i++)
                if (s->watched[i].python && !s->watched[i].ended)
                    watch_sample(s, &s->watched[i]);
            record_put_tick(s->writer, began);
            now = clock_monotonic_ns();
            schedule_taken(&s->schedule, began, now, &s->result.counters);
        }
        if (now > until)
            break;
        if (house_due(s, now) || s->watched[0].ended) {
            if (keep_house(s, now) || s->watched[0].ended) {
                s->result.first_ended = true;
                break;
            }
            release_ended(s);
            now = clock_monotonic_ns();
        } else if (schedule_has_time(&s->schedule, now, SOURCE_TAKES_NS) && sources_step(s)) {
            now = clock_monotonic_ns();
        }
        r = record_writer_failure(s->writer);
        if (r == -EPIPE) /* whoever read the recording is gone; a full disk does not end the run */
            break;
    }
    now = clock_monotonic_ns();
    if (s->result.first_ended)
        left_tell(s);
    refused_tell_more(s);
    rejected_tell(s);
    for (size_t i = 0; i < s->count; i++)
        if (!s->watched[i].ended) {
            watch_slow(s, &s->watched[i]);
            watch_end(s, &s->watched[i], now);
        }
    while (sources_step(s))
        ;
    counters_put(s, now);
    s->result.wall_ns = now - s->started_ns;
    *ret = s->result;
    (void)e;
    return 0;
}
