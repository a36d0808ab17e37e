/* Several recordings into one. What an input's reader calls back is put into the writer, with ids and times moved. */
#include "record/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A difference in one of these is told in a note; of the others the first input's value stays. */
static const char *const telling[] = {"command", "python", "host", "rate_hz", "mode"};

struct record_merge {
    struct record_writer *w;
    uint32_t processes, threads, runs;            /* written so far: what the next input's begin at */
    uint32_t process_base, thread_base, run_base; /* the present input's */
    bool begun, timed, written, differs[ARRAY_SIZE(telling)];
    int64_t shift;                      /* to the present input's times */
    uint64_t last_ns;                   /* the latest time written */
    struct record_counters before, now; /* of finished inputs; of this one */
    double cost_before;                 /* target_cost_ppm, times the time that it is of */
    bool counted;
    struct strings metas, sources; /* what was put: "key", "note.key\0value"; path and digest */
    struct strings values;         /* the first input's "key\0value" for the keys above */
};

/* Before the first event of an input: an input that is refused leaves no trace. */
static void begin(struct record_merge *m)
{
    if (m->begun)
        return;
    m->begun = true;
    if (m->written)
        record_put_restart(m->w);
    m->written = true;
}

static uint64_t moved(struct record_merge *m, uint64_t time_ns)
{
    if (!m->timed)
        m->shift = m->runs == 0 ? 0 : (int64_t)m->last_ns - (int64_t)time_ns;
    m->timed = true;
    int64_t to = (int64_t)time_ns + m->shift;
    if (m->shift > 0 && time_ns > (uint64_t)(INT64_MAX - m->shift))
        to = INT64_MAX;
    to = to < 0 ? 0 : to;
    if ((uint64_t)to > m->last_ns)
        m->last_ns = (uint64_t)to;
    return (uint64_t)to;
}

/* ---- texts ---- */

static int intern_two(struct strings *s, const char *a, const void *b, size_t size, bool *ret_new)
{
    CLEANUP(buffer_release) struct buffer key;
    uint32_t id;
    size_t before = s->count;
    buffer_init(&key, 8u << 20);
    buffer_append(&key, a, strlen(a) + 1);
    if (size > 0)
        buffer_append(&key, b, size);
    int r = key.failed ? -ENOMEM : strings_intern(s, (const char *)key.data, key.size, &id);
    if (r == 0)
        *ret_new = s->count > before;
    return r;
}

static int on_meta(void *context, const char *key, const char *value)
{
    struct record_merge *m = context;
    bool is_new = false, note = strncmp(key, "note.", 5) == 0;
    begin(m);
    for (size_t i = 0; i < ARRAY_SIZE(telling); i++) {
        bool first_key = false, other = false;
        int r = strcmp(key, telling[i]) == 0 ? intern_two(&m->values, key, "", 0, &first_key) : 0;
        /* The first text of a key is remembered, and one more: then it is known to differ. */
        if (r == 0 && strcmp(key, telling[i]) == 0 && !m->differs[i])
            r = intern_two(&m->values, key, value, strlen(value), &other);
        if (r < 0)
            return r;
        m->differs[i] = m->differs[i] || (other && !first_key);
    }
    int r = intern_two(&m->metas, key, value, note ? strlen(value) : 0, &is_new);
    if (r == 0 && is_new)
        record_put_meta(m->w, key, value);
    return r;
}

static int on_source(
    void *context, const char *path, const uint8_t digest[32], const uint8_t *text, size_t size, bool whole)
{
    struct record_merge *m = context;
    uint8_t key[33];
    bool is_new = false;
    begin(m);
    memcpy(key, digest, 32);
    key[32] = size > 0;
    int r = intern_two(&m->sources, path, key, sizeof(key), &is_new);
    if (r == 0 && is_new)
        record_put_source(m->w, path, digest, size > 0 ? text : NULL, size, whole);
    return r;
}

/* ---- processes and threads ---- */

static int on_process(void *context, const struct record_process *p)
{
    struct record_merge *m = context;
    struct record_process to = *p;
    begin(m);
    to.id += m->process_base;
    to.parent += m->process_base;
    to.run += m->run_base;
    to.start_ns = moved(m, p->start_ns);
    record_put_process(m->w, &to);
    m->processes += to.id == m->processes;
    m->runs += to.run == m->runs;
    return record_writer_failure(m->w);
}

static int on_process_end(void *context, const struct record_process_end *p)
{
    struct record_merge *m = context;
    struct record_process_end to = *p;
    to.process += m->process_base;
    to.time_ns = moved(m, p->time_ns);
    record_put_process_end(m->w, &to);
    return 0;
}

static int on_thread(void *context, const struct record_thread *t)
{
    struct record_merge *m = context;
    struct record_thread to = *t;
    to.id += m->thread_base;
    to.process += m->process_base;
    record_put_thread(m->w, &to);
    m->threads += to.id == m->threads;
    return 0;
}

static int on_thread_cpu(void *context, const struct record_thread_cpu *c)
{
    struct record_merge *m = context;
    struct record_thread_cpu to = *c;
    to.thread += m->thread_base;
    record_put_thread_cpu(m->w, &to);
    return 0;
}

/* ---- stacks and ticks ---- */

static int on_code(void *context, const struct record_code *c)
{
    struct record_merge *m = context;
    struct record_code to = *c;
    to.process += m->process_base;
    record_put_code(m->w, &to);
    return 0;
}

static int on_frame(void *context, const struct record_frame *f)
{
    struct record_merge *m = context;
    begin(m);
    record_put_frame(m->w, f);
    return 0;
}

static int on_stack(void *context, uint32_t id, uint32_t parent, uint32_t frame)
{
    struct record_merge *m = context;
    begin(m);
    record_put_stack(m->w, id, parent, frame);
    return 0;
}

static int on_state(void *context, uint32_t thread, uint32_t stack, uint32_t state)
{
    struct record_merge *m = context;
    record_put_state(m->w, thread + m->thread_base, stack, state);
    return 0;
}

static int on_task(void *context, const struct record_task *t)
{
    struct record_merge *m = context;
    struct record_task to = *t;
    to.process += m->process_base;
    record_put_task(m->w, &to);
    return 0;
}

static int on_thread_task(void *context, uint32_t thread, uint32_t task)
{
    struct record_merge *m = context;
    record_put_thread_task(m->w, thread + m->thread_base, task);
    return 0;
}

static int on_tick(void *context, uint64_t time_ns)
{
    struct record_merge *m = context;
    /* A tick before any process would become one of the run before it. */
    if (m->runs > m->run_base)
        record_put_tick(m->w, moved(m, time_ns));
    return record_writer_failure(m->w);
}

static int on_restart(void *context)
{
    struct record_merge *m = context;
    begin(m);
    record_put_restart(m->w);
    return 0;
}

/* ---- counters ---- */

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* All are sums but the longest gap, and the share of time that was lost: that is weighted by the time. */
static struct record_counters counters_sum(const struct record_merge *m)
{
    struct record_counters c = m->before;
#define ADD_COUNTER(name) c.name = plus(c.name, m->now.name);
    RECORD_COUNTERS(ADD_COUNTER)
#undef ADD_COUNTER
    c.longest_gap_ns =
        m->before.longest_gap_ns > m->now.longest_gap_ns ? m->before.longest_gap_ns : m->now.longest_gap_ns;
    double cost = m->cost_before + (double)m->now.target_cost_ppm * (double)m->now.profiler_wall_ns;
    c.target_cost_ppm =
        c.profiler_wall_ns > 0 ? (uint64_t)(cost / (double)c.profiler_wall_ns + 0.5) : m->now.target_cost_ppm;
    return c;
}

static int on_counters(void *context, const struct record_counters *c)
{
    struct record_merge *m = context;
    begin(m);
    m->now = *c;
    m->counted = true;
    struct record_counters sum = counters_sum(m);
    record_put_counters(m->w, &sum);
    return 0;
}

static const struct record_events merge_events = {
    .meta = on_meta,
    .process = on_process,
    .process_end = on_process_end,
    .thread = on_thread,
    .thread_cpu = on_thread_cpu,
    .code = on_code,
    .frame = on_frame,
    .stack = on_stack,
    .state = on_state,
    .task = on_task,
    .thread_task = on_thread_task,
    .tick = on_tick,
    .counters = on_counters,
    .source = on_source,
    .restart = on_restart,
};

/* ---- from outside ---- */

static void merge_free(struct record_merge *m)
{
    strings_release(&m->metas);
    strings_release(&m->sources);
    strings_release(&m->values);
    free(m);
}

int record_merge_new(const char *path, struct record_merge **ret, struct error *e)
{
    struct record_merge *m = calloc(1, sizeof(*m));
    int r = m == NULL ? -ENOMEM : strings_init(&m->metas, SIZE_MAX);
    if (r == 0)
        r = strings_init(&m->sources, SIZE_MAX);
    if (r == 0)
        r = strings_init(&m->values, SIZE_MAX);
    if (r < 0)
        error_set(e, -r, "out of memory while merging");
    else
        r = record_writer_open(path, &m->w, e);
    if (r < 0) {
        if (m != NULL)
            merge_free(m);
        return r;
    }
    *ret = m;
    return 0;
}

int record_merge_add(struct record_merge *m, int fd, const char *name, struct record_summary *ret, struct error *e)
{
    m->process_base = m->processes;
    m->thread_base = m->threads;
    m->run_base = m->runs;
    m->begun = m->timed = m->counted = false;
    m->now = (struct record_counters){0};
    int r = record_read(fd, name, &merge_events, m, ret, e);
    if (m->counted) {
        struct record_counters sum = counters_sum(m);
        m->cost_before += (double)m->now.target_cost_ppm * (double)m->now.profiler_wall_ns;
        m->before = sum;
        m->now = (struct record_counters){0};
    }
    /* They are of the past: what follows does not repeat them. */
    for (uint32_t i = m->thread_base; i < m->threads; i++)
        record_put_thread_end(m->w, i);
    int failure = record_writer_failure(m->w);
    if (failure != 0)
        return error_set(e, -failure, "cannot write the merged recording: %s", strerror(-failure));
    return r;
}

uint32_t record_merge_runs(const struct record_merge *m)
{
    return m->runs;
}

bool record_merge_differs(const struct record_merge *m)
{
    return m->differs[0];
}

static void put_differences(struct record_merge *m)
{
    CLEANUP(buffer_release) struct buffer line;
    size_t count = 0;
    buffer_init(&line, 1024);
    for (size_t i = 0; i < ARRAY_SIZE(telling); i++)
        if (m->differs[i])
            buffer_printf(&line, "%s%s", count++ == 0 ? "the runs that were merged differ in: " : ", ", telling[i]);
    if (count > 0)
        record_put_meta(m->w, "note.merge", buffer_text(&line));
}

int record_merge_close(struct record_merge *m, struct error *e)
{
    if (m == NULL)
        return 0;
    put_differences(m);
    int r = record_writer_close(m->w, e);
    merge_free(m);
    return r;
}
