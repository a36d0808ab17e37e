/* The recording as it is read while it grows, and the view of it that is drawn. */
#include "live/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PIECE = 1 << 18,
    READ_MOST_NS = 60000000, /* then the keys are looked at again */
};
#define SECOND_NS UINT64_C(1000000000)

int model_open(struct model *m, const struct live_options *o, struct error *e)
{
    memset(m, 0, sizeof(*m));
    m->o = o;
    m->options.mode = o->mode;
    int r = profile_follow_new("the recording", &m->options, &m->follow);
    if (r == 0)
        r = model_look(m);
    return r < 0 ? error_set(e, -r, "cannot show the recording: %s", strerror(-r)) : 0;
}

void model_close(struct model *m)
{
    profile_follow_free(m->follow);
    profile_follow_free(m->next);
    free(m->sparks);
}

/* 1: some was read; 0: there is no more now. */
static int feed(const struct model *m, struct profile_follow *f, uint64_t *offset, struct error *e)
{
    static uint8_t piece[PIECE];
    ssize_t n;
    if (profile_follow_done(f))
        return 0;
    do
        n = pread(m->o->recording, piece, sizeof(piece), (off_t)*offset);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_set(e, errno, "cannot read the recording: %s", strerror(errno));
    if (n == 0)
        return 0;
    *offset += (uint64_t)n;
    int r = profile_follow_feed(f, piece, (size_t)n, e);
    return r < 0 ? r : 1;
}

int model_read(struct model *m, struct error *e)
{
    uint64_t until = clock_monotonic_ns() + READ_MOST_NS;
    int r = 1;
    /* While another reading catches up, the view stays that of the one before. */
    while (r > 0 && m->next == NULL && clock_monotonic_ns() < until)
        r = feed(m, m->follow, &m->offset, e);
    while (r > 0 && m->next != NULL && clock_monotonic_ns() < until)
        r = feed(m, m->next, &m->next_offset, e);
    if (r == 0 && m->next != NULL) {
        profile_follow_free(m->follow);
        m->follow = m->next;
        m->offset = m->next_offset;
        m->next = NULL;
        r = model_look(m);
    }
    return r < 0 ? r : 0;
}

/* Levels are from one second to the next, whatever the window. */
static int spark_threads(struct model *m)
{
    const struct profile *p = m->view.p;
    bool step = p->last_ns >= m->spark_ns + SECOND_NS;
    int r = array_reserve(&m->sparks, &m->spark_capacity, p->thread_count + 1, sizeof(*m->sparks));
    if (r < 0)
        return r;
    for (; m->spark_count < p->thread_count; m->spark_count++)
        m->sparks[m->spark_count] = (struct spark){0};
    if (!step)
        return 0;
    m->spark_ns = p->last_ns;
    for (size_t i = 0; i < p->thread_count; i++) {
        struct spark *s = &m->sparks[i];
        const struct profile_now *now = &m->view.now[i];
        /* Another reading counts other threads: a step back is a new beginning. */
        uint64_t present = now->present >= s->present ? now->present - s->present : 0;
        uint64_t on_cpu = now->on_cpu >= s->on_cpu ? now->on_cpu - s->on_cpu : 0;
        memmove(s->levels, s->levels + 1, sizeof(s->levels) - 1);
        s->levels[SPARK_SECONDS - 1] = (uint8_t)(present == 0 ? 0 : 1 + (on_cpu * 7 + present / 2) / present);
        s->present = now->present;
        s->on_cpu = now->on_cpu;
    }
    return 0;
}

int model_look(struct model *m)
{
    int r = profile_follow_view(m->follow, m->window_ns, &m->view);
    if (r < 0)
        return r;
    const struct record_counters *c = &m->view.p->counters;
    if (c->profiler_wall_ns > m->rate_then.time_ns && c->samples >= m->rate_then.samples) {
        m->samples_per_second =
            (double)(c->samples - m->rate_then.samples) * 1e9 / (double)(c->profiler_wall_ns - m->rate_then.time_ns);
        m->rate_then.time_ns = c->profiler_wall_ns;
        m->rate_then.samples = c->samples;
    }
    return spark_threads(m);
}

int model_choose(struct model *m, enum profile_mode mode, int64_t pid, int32_t tid)
{
    struct profile_follow *next;
    char thread[16];
    snprintf(thread, sizeof(thread), "%d", (int)tid);
    struct profile_options options = {.mode = mode, .pid = pid};
    memcpy(m->thread, thread, sizeof(thread));
    options.thread = tid != 0 ? m->thread : NULL;
    int r = profile_follow_new("the recording", &options, &next);
    if (r < 0)
        return r;
    profile_follow_free(m->next);
    m->next = next;
    m->next_offset = 0;
    m->options = options;
    return 0;
}

int model_reading(const struct model *m)
{
    if (m->next == NULL)
        return -1;
    return m->offset == 0 ? 100 : (int)(m->next_offset * 100 / (m->offset + 1));
}
