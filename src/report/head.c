/* The heading: what ran, how long, how much of it on a CPU, and what 100 % is. */
#include "report/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void put_damage(struct page *g)
{
    const struct record_summary *s = &g->p->summary;
    char text[320];
    if (s->complete)
        return;
    page_style(g, STYLE_BAD);
    char lost[NUMBER_TEXT], gaps[NUMBER_TEXT];
    int size = snprintf(text, sizeof(text), "%s, after %llu bytes; all before that is shown",
        s->damage[0] != '\0' ? s->damage : "cut short", (unsigned long long)s->damaged_at);
    if (s->bytes_lost > 0 && size > 0)
        snprintf(text + size, sizeof(text) - (size_t)size,
            ", and all that could be read after it: %s bytes in %s %s lost", number_text(lost, s->bytes_lost),
            number_text(gaps, s->gaps), s->gaps == 1 ? "place is" : "places are");
    page_text(g, "this recording is not whole");
    page_style(g, STYLE_PLAIN);
    page_end(g);
    page_entry(g, "", 0, text);
    page_end(g);
}

static void put_count(struct page *g, size_t count, const char *one, const char *many)
{
    char n[NUMBER_TEXT];
    page_printf(g, ", %s %s", number_text(n, count), count == 1 ? one : many);
}

static size_t threads_seen(const struct profile *p, bool in_view)
{
    size_t count = 0;
    for (size_t i = 0; i < p->thread_count; i++)
        count += in_view ? p->threads[i].hits > 0 : p->threads[i].present > 0;
    return count;
}

/* Those that a sample is of, and how many more there were: a shell that started a Python, a child found too late. */
static void put_processes(struct page *g)
{
    const struct profile *p = g->p;
    size_t sampled = 0;
    for (size_t i = 0; i < p->process_count; i++)
        sampled += p->processes[i].present > 0;
    put_count(g, sampled, "process", "processes");
    char n[NUMBER_TEXT];
    if (sampled < p->process_count)
        page_printf(g, " and %s not sampled", number_text(n, p->process_count - sampled));
}

/* What another program wrote, and what it does not say. */
static void put_origin(struct page *g)
{
    const struct profile *p = g->p;
    char text[400], n[NUMBER_TEXT], threads[NUMBER_TEXT];
    number_text(threads, threads_seen(p, false));
    if (p->origin == PROFILE_SAMPLES)
        snprintf(text, sizeof(text), "%s samples, %s %s", number_text(n, p->present), threads,
            threads_seen(p, false) == 1 ? "thread" : "threads");
    else
        snprintf(text, sizeof(text), "%s%s", time_text(n, (double)p->wall_ns),
            p->origin == PROFILE_CALLS ? ", calls measured by cProfile, its overhead included" : " in stacks");
    page_entry(g, "", 0, text);
    page_entry(g, "", 0,
        p->origin == PROFILE_CALLS
            ? "A file of pstats: it has no stacks and no lines. Total time of a function that calls itself is as "
              "pstats has it."
        : p->origin == PROFILE_WEIGHTS
            ? "Imported. How many samples these times are of is not known: no share has an interval."
            : "Imported. How long the program ran is not known, nor what was on a CPU. Ranges are 95 % intervals, as "
              "if "
              "each sample had been taken independently of the others.");
}

static void put_program(struct page *g)
{
    const struct profile *p = g->p;
    const char *command = profile_meta(p, "command"), *python = profile_meta(p, "python");
    const char *host = profile_meta(p, "host"), *started = profile_meta(p, "started");
    char text[NUMBER_TEXT];
    if ((command == NULL || command[0] == '\0') && p->process_count > 0)
        command = p->processes[0].command;
    if ((python == NULL || python[0] == '\0') && p->process_count > 0)
        python = p->processes[0].python;
    page_style(g, STYLE_TITLE);
    page_text(g, p->origin != PROFILE_RECORDING          ? "an imported profile"
                 : command == NULL || command[0] == '\0' ? "(unknown command)"
                                                         : command);
    page_style(g, STYLE_PLAIN);
    page_end(g);

    if (p->origin != PROFILE_RECORDING) {
        put_origin(g);
        return;
    }
    page_printf(g, "%s of wall time", time_text(text, (double)p->wall_ns));
    if (p->run_count > 1)
        put_count(g, p->run_count, "run", "runs");
    put_processes(g);
    put_count(g, threads_seen(p, false), "thread", "threads");
    put_count(g, p->present, "sample", "samples");
    page_end(g);

    bool any = false;
    if (python != NULL && python[0] != '\0') {
        page_text(g, "Python ");
        page_fitted(g, python, 24);
        any = true;
    }
    if (host != NULL && host[0] != '\0') {
        page_text(g, any ? " on " : "on ");
        page_fitted(g, host, 30);
        any = true;
    }
    uint64_t seconds;
    if (started != NULL && parse_count(started, &seconds) == 0 && seconds < UINT64_C(1) << 40) {
        time_t when = (time_t)seconds;
        struct tm parts;
        char date[64];
        if (gmtime_r(&when, &parts) != NULL && strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &parts) > 0) {
            page_printf(g, "%s%s", any ? ", " : "", date);
            any = true;
        }
    }
    if (any)
        page_end(g);
}

static void put_share(struct page *g, const char *name, const struct profile_share *s)
{
    char share[NUMBER_TEXT], interval[NUMBER_TEXT];
    page_text(g, "  ");
    page_column(g, name, 16, false);
    page_column(g, share_text(share, s->share), 7, true);
    page_text(g, "  ");
    page_style(g, STYLE_DIM);
    page_text(g, interval_text(interval, s));
    page_style(g, STYLE_PLAIN);
    page_end(g);
}

/* What 100 % is, in words: the first thing that a reader of shares has to know. */
static void put_whole(struct page *g)
{
    const struct profile *p = g->p;
    char text[400], time[NUMBER_TEXT], count[NUMBER_TEXT], wall[NUMBER_TEXT];
    size_t threads = threads_seen(p, true);
    time_text(time, profile_time_ns(p, p->hits));
    time_text(wall, (double)p->wall_ns);
    number_text(count, threads);
    if (p->options.mode == PROFILE_CPU)
        snprintf(text, sizeof(text), "100 %% is the time that threads were on a CPU, or ready to run: %s.", time);
    else if (p->options.mode == PROFILE_GIL)
        snprintf(text, sizeof(text), "100 %% is the time that a thread held the GIL: %s.", time);
    else if (p->max_threads > 1)
        snprintf(text, sizeof(text),
            "100 %% is thread time, waiting included: %s, by %s threads in %s. A thread that sleeps all along counts "
            "as "
            "much as one that works all along (see --mode cpu).",
            time, count, wall);
    else
        snprintf(text, sizeof(text), "100 %% is %s of %s, waiting included.", time,
            threads > 1 ? "threads' time, one thread at a time" : "one thread's time");
    page_entry(g, "", 0, text);
    if (p->options.thread != NULL) {
        page_text(g, "  only threads named, or with id, ");
        page_text(g, p->options.thread);
        page_end(g);
    }
    if (p->options.pid != 0) {
        page_printf(g, "  only process %lld", (long long)p->options.pid);
        page_end(g);
    }
    const char *kept = profile_meta(p, "mode");
    if (kept != NULL && strcmp(kept, "wall") != 0 && (strcmp(kept, "cpu") == 0 || strcmp(kept, "gil") == 0)) {
        snprintf(text, sizeof(text), "It was recorded with --mode %s: other samples were not kept.", kept);
        page_entry(g, "", 0, text);
    }
    if (p->run_count < 2) {
        page_text(g, "  Ranges are 95 % intervals of the share in this run.");
        page_end(g);
        return;
    }
    snprintf(text, sizeof(text),
        "Shares of functions and lines are means over %s runs, and their ranges 95 %% intervals between %s runs: of "
        "the "
        "mean share over all runs that could be. Other ranges are of the shares in these runs.",
        number_text(count, p->run_count), number_text(wall, p->run_count));
    page_entry(g, "", 0, text);
}

void report_head(struct page *g)
{
    put_damage(g);
    put_program(g);
    if (g->p->present == 0 || g->p->origin != PROFILE_RECORDING)
        return;
    page_end(g);
    put_share(g, "on a CPU", &g->p->on_cpu);
    if (g->p->has_gil.share > 0 || profile_meta(g->p, "note.gil") == NULL) {
        put_share(g, "holding the GIL", &g->p->has_gil);
        if (g->p->gil_wait_known)
            put_share(g, "waiting for it", &g->p->waits_for_gil);
    } else {
        page_text(g, "  holding the GIL  no GIL");
        page_end(g);
    }
    page_end(g);
    put_whole(g);
}
