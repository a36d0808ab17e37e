/* The processes and threads that are watched: how they are opened, sampled, and let go. */
#include "sample/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FAILURES_CAP = 50,             /* unreadable samples in a row before the process is looked at anew */
    TRY_AGAIN_NS = 2000000,        /* between two looks at a process that has no running Python yet, at least, */
    TRY_AGAIN_MOST_NS = 100000000, /* at most, */
    TRY_AGAIN_PART = 16,           /* and this part of the time that it has lived without */
    SCAN_FIRST_NS = 100000000,     /* a child's data is scanned after so long, and again when it is twice as old, */
    SCAN_PART = 100,               /* in this part of the time, at most */
};

static void put_process(struct sampler *s, struct watched *w)
{
    CLEANUP(buffer_release) struct buffer words, line;

    buffer_init(&words, 4096);
    buffer_init(&line, 16384);
    (void)target_command(w->target, &words);
    for (size_t i = 0; i < words.size; i++)
        if (words.data[i])
            buffer_append_byte(&line, words.data[i]);
        else if (i + 1 < words.size)
            buffer_append_byte(&line, ' ');
    struct record_process r = {.id = w->id,
        .parent = w->parent,
        .pid = target_pid(w->target),
        .start_ns = w->opened_ns,
        .image = w->image_count,
        .python = w->python ? python_info(w->python)->version_text : "",
        .command = buffer_text(&line)};
    record_put_process(s->writer, &r);
    bool no_gil = w->python && python_info(w->python)->no_gil;
    if (no_gil)
        record_put_meta(s->writer, "note.gil", "free-threaded Python without a GIL: its threads run at the same time");
    else if (w->no_gil)
        record_put_meta(s->writer, "note.gil", "its GIL was enabled while it ran: from then on one thread at a time");
    w->no_gil = no_gil;
    snprintf(w->python_text, sizeof(w->python_text), "%s", r.python);
    w->announced = true;
}

void refused_tell(struct sampler *s, const struct error *why)
{
    if (s->refused++ == 0)
        record_put_meta(s->writer, "note.refused", why->text);
}

/* It could be read before, or nothing was read of it yet: opening it once more tells the rule in the way. */
static void refused_find(struct sampler *s, struct watched *w, uint64_t now_ns)
{
    struct target *again;
    struct error why;

    if (w->refused)
        return;
    int r = target_open(target_pid(w->target), &again, &why);
    if (r == 0)
        target_close(again);
    if (r != -EPERM)
        return;
    w->refused = true;
    if (w->python)
        error_prefix(&why, "not sampled after %.2f s", (double)(now_ns - s->started_ns) / 1e9);
    refused_tell(s, &why);
}

int watch_add(struct sampler *s, struct target *t, uint32_t parent)
{
    if (array_reserve(&s->watched, &s->capacity, s->count + 1, sizeof(*s->watched)) < 0)
        return -ENOMEM;
    struct watched *w = &s->watched[s->count++];
    *w = (struct watched){
        .target = t, .id = s->next_process++, .image = target_image_id(t), .opened_ns = clock_monotonic_ns()};
    w->parent = w->id == 0 ? 0 : parent;
    w->scan_ns = w->id == 0 ? 0 : w->opened_ns + SCAN_FIRST_NS;
    if (target_cpu_ns(t, &w->cpu_start_ns) < 0)
        w->cpu_start_ns = 0;
    w->cpu_last_ns = w->cpu_start_ns;
    s->result.processes++;
    put_process(s, w); /* a process that never turns out to be Python is in the recording as well */
    return 0;
}

static void thread_release(struct watched_thread *t)
{
    if (t->kernel_open)
        target_thread_close(&t->kernel);
    free(t->frames);
    free(t->nodes);
}

static void python_release(struct watched *w)
{
    python_close(w->python);
    w->python = NULL;
    for (size_t i = 0; i < w->thread_count; i++)
        thread_release(&w->threads[i]);
    w->thread_count = 0;
    free(w->codes);
    free(w->tasks);
    w->codes = w->tasks = NULL;
    w->codes_capacity = w->tasks_capacity = 0;
    w->counted = (struct python_counters){0};
    w->failures = 0;
}

void watch_release(struct watched *w)
{
    python_release(w);
    free(w->threads);
    target_close(w->target);
    w->threads = NULL;
    w->target = NULL;
}

static void thread_cpu_put(struct sampler *s, struct watched_thread *t)
{
    struct target_thread_stat stat;

    if (!t->kernel_open || target_thread_stat(&t->kernel, &stat) < 0 || stat.cpu_ns < t->cpu_start_ns)
        return;
    struct record_thread_cpu r = {.thread = t->id};
    if (!t->counted_elsewhere) {
        r.kernel_cpu_ns = stat.cpu_ns - t->cpu_start_ns;
        r.kernel_wait_ns = stat.wait_ns - t->wait_start_ns;
    }
    record_put_thread_cpu(s->writer, &r);
}

static void thread_absent(struct sampler *s, struct watched_thread *t)
{
    if (t->state) {
        record_put_state(s->writer, t->id, 0, 0);
        t->state = 0;
        t->stack = 0;
    }
}

/* For good: its id is not used again. */
static void thread_end(struct sampler *s, struct watched_thread *t)
{
    record_put_thread_end(s->writer, t->id);
    t->state = 0;
    t->stack = 0;
}

/* Most children are no Python, and must not keep the samples waiting. */
static int python_look(struct watched *w, uint64_t now_ns, struct error *e)
{
    uint64_t age_ns = now_ns - w->opened_ns, part = age_ns / TRY_AGAIN_PART;

    bool scan = now_ns >= w->scan_ns;
    int r = python_open(w->target, scan, &w->python, e);
    uint64_t took_ns = clock_monotonic_ns() - now_ns;
    if (scan) {
        uint64_t wait_ns = took_ns * SCAN_PART > age_ns ? took_ns * SCAN_PART : age_ns;
        w->scan_ns = now_ns + (wait_ns > SCAN_FIRST_NS ? wait_ns : SCAN_FIRST_NS);
    }
    part = part > TRY_AGAIN_NS ? part : TRY_AGAIN_NS;
    w->try_again_ns = now_ns + (part < TRY_AGAIN_MOST_NS ? part : TRY_AGAIN_MOST_NS);
    return r;
}

int watch_try(struct sampler *s, struct watched *w, uint64_t now_ns, struct error *e)
{
    int r = python_look(w, now_ns, e);

    if (r == 0) {
        w->hopeless = false;
        s->result.python_processes++;
        if (!s->result.python[0])
            snprintf(s->result.python, sizeof(s->result.python), "%s", python_info(w->python)->version_text);
        if (python_info(w->python)->weaker[0])
            record_put_meta(s->writer, "note.check", python_info(w->python)->weaker);
        put_process(s, w);
        return 0;
    }
    if (r == -ENOTSUP)
        w->hopeless = true;
    else if (r == -EPERM && w->id != 0) /* the first one's is an error of its own */
        refused_find(s, w, now_ns);
    return r;
}

void watch_exec(struct sampler *s, struct watched *w)
{
    uint64_t image = target_image_id(w->target);

    w->failures = 0;
    if (image == w->image && image != 0)
        return;
    for (size_t i = 0; i < w->thread_count; i++)
        thread_end(s, &w->threads[i]);
    python_release(w);
    w->image = image;
    w->image_count++;
    w->hopeless = false;
    w->opened_ns = clock_monotonic_ns();
    w->scan_ns = w->opened_ns + SCAN_FIRST_NS;
    w->try_again_ns = 0;
}

void watch_end(struct sampler *s, struct watched *w, uint64_t now_ns)
{
    for (size_t i = 0; i < w->thread_count; i++) {
        thread_cpu_put(s, &w->threads[i]);
        thread_end(s, &w->threads[i]);
    }
    struct record_process_end r = {
        .process = w->id, .time_ns = now_ns, .cpu_ns = w->cpu_last_ns - w->cpu_start_ns, .status = -1};
    record_put_process_end(s->writer, &r);
    w->ended = true;
}

/* ---- threads ---- */

/* Whether waiting for the GIL can be told from other waiting is said once a process. */
static void gil_wait_tell(struct sampler *s, struct watched *w, const struct watched_thread *t)
{
    uint64_t futex;
    bool runs;
    char why[160];
    int r = w->gil_wait_told || w->no_gil ? -ESRCH : target_thread_call(&t->kernel, &runs, &futex);

    if (r == -ESRCH)
        return;
    w->gil_wait_told = true;
    if (r == 0) {
        record_put_meta(s->writer, "gil_wait", "recorded");
        return;
    }
    snprintf(why, sizeof(why), "which threads waited for the GIL could not be read: /proc/PID/task/TID/syscall: %s",
        strerror(-r));
    record_put_meta(s->writer, "note.gil_wait", why);
}

static void thread_name(
    struct sampler *s, struct watched *w, struct watched_thread *t, const struct python_thread *from)
{
    CLEANUP(buffer_release) struct buffer name;
    struct python_sample sample;
    pid_t tid;
    char number[32];

    buffer_init(&name, 4096);
    int r = python_thread_name(w->python, from, &name, &tid);
    t->told_tid = from->tid;
    if (!t->tid)
        t->tid = tid;
    python_last_sample(w->python, &sample);
    if (!t->tid && (sample.count == 1 || strcmp(buffer_text(&name), "MainThread") == 0)) /* the process's first */
        t->tid = target_pid(w->target);
    for (size_t i = 0; t->tid && i < w->thread_count; i++)
        if (&w->threads[i] != t && w->threads[i].tid == t->tid) {
            t->shares_tid = w->threads[i].shares_tid = true;
            t->counted_elsewhere = t->counted_elsewhere || !w->threads[i].counted_elsewhere;
        }
    t->named = r == 0;
    t->name_wait_ns = t->name_wait_ns ? t->name_wait_ns * 2 : SLOW_NS;
    t->name_next_ns = clock_monotonic_ns() + t->name_wait_ns;
    struct target_thread_stat stat;
    if (t->tid && !t->kernel_open && target_thread_open(w->target, t->tid, &t->kernel) == 0) {
        t->kernel_open = true;
        gil_wait_tell(s, w, t);
        if (target_thread_stat(&t->kernel, &stat) == 0) {
            t->cpu_start_ns = stat.cpu_ns;
            t->wait_start_ns = stat.wait_ns;
            if (r < 0 && stat.name[0]) {
                buffer_clear(&name);
                buffer_append_string(&name, stat.name);
            }
        }
    }
    if (r < 0 && t->tid == target_pid(w->target)) {
        buffer_clear(&name); /* threading was never imported: it has no table to name it */
        buffer_append_string(&name, "MainThread");
    }
    if (name.size == 0)
        buffer_printf(&name, "thread %d", t->tid);
    snprintf(number, sizeof(number), "%d", t->tid);
    t->kept = !s->options.thread || strcmp(buffer_text(&name), s->options.thread) == 0 ||
              strcmp(number, s->options.thread) == 0;
    struct record_thread put = {.id = t->id, .process = w->id, .tid = t->tid, .name = buffer_text(&name)};
    record_put_thread(s->writer, &put);
}

static struct watched_thread *thread_find(
    struct sampler *s, struct watched *w, size_t hint, const struct python_thread *from)
{
    if (hint < w->thread_count && w->threads[hint].serial == from->serial)
        return &w->threads[hint];
    for (size_t i = 0; i < w->thread_count; i++)
        if (w->threads[i].serial == from->serial)
            return &w->threads[i];
    if (array_reserve(&w->threads, &w->thread_capacity, w->thread_count + 1, sizeof(*w->threads)) < 0)
        return NULL;
    struct watched_thread *t = &w->threads[w->thread_count++];
    *t = (struct watched_thread){.id = s->next_thread++, .serial = from->serial};
    s->result.threads++;
    thread_name(s, w, t, from);
    return t;
}

/* Its state, R or S, by the cheaper file; where that cannot be read, and now and then for the core it runs on, by
 * the dearer one. */
static int read_state(struct sampler *s, struct watched_thread *t, uint64_t now_ns, uint64_t *ret_futex)
{
    bool runs;
    int core = -1;

    *ret_futex = 0;
    int r = target_thread_call(&t->kernel, &runs, ret_futex);
    if (r == 0)
        t->kernel_state = runs ? 'R' : 'S';
    if (r == 0 && (!runs || now_ns - t->core_ns < CORE_AGE_NS))
        return 0;
    if (r == -ESRCH)
        return r;
    t->core_ns = now_ns;
    char state;
    int r_stat = target_thread_state(&t->kernel, &state, &core);
    if (r_stat == 0 && r < 0)
        t->kernel_state = state;
    if (r_stat == 0 && state == 'R' && core >= 0)
        s->busy_core = core;
    return r == 0 ? 0 : r_stat;
}

/* One pread at up to 1 kHz a thread; at half of that while it runs Python code, as its stack shows. A sleeping thread
 * whose stack stands still is asked less often, and still less where that is proven and not only seen: it may be
 * computing below the same call. */
static void kernel_state(struct sampler *s, struct watched *w, struct watched_thread *t,
    const struct python_thread *from, bool moved, uint64_t now_ns)
{
    uint64_t futex, most = from->result == PYTHON_STACK_SAME ? STATE_AGE_QUIET_NS : STATE_AGE_STILL_NS;

    if (moved || t->kernel_state != 'S')
        t->state_age_ns = moved && from->has_gil && t->kernel_state == 'R' ? STATE_AGE_RUNNING_NS : STATE_AGE_NS;
    if (t->had_gil && !from->has_gil)
        t->state_age_ns = STATE_AGE_LOST_NS;
    t->had_gil = from->has_gil;
    if (!t->kernel_open || now_ns - t->state_ns < t->state_age_ns)
        return;
    if (read_state(s, t, now_ns, &futex) < 0)
        return;
    t->waits_for_gil = futex != 0 && !from->has_gil && !w->no_gil && python_futex_is_gil(w->python, futex);
    t->state_ns = now_ns;
    t->state_age_ns = t->state_age_ns * 2 < most ? t->state_age_ns * 2 : most;
}

/* The task that it runs; of a stack that cannot have changed it is the one it was. */
static void thread_task(
    struct sampler *s, struct watched *w, struct watched_thread *t, const struct python_thread *from)
{
    if (from->result != PYTHON_STACK_SAME)
        t->running = python_running_task(w->python, from);
    uint32_t task = t->running ? fold_task(s, w, t->running) : 0;
    if (task == t->task)
        return;
    record_put_thread_task(s->writer, t->id, task);
    t->task = task;
}

static void thread_sample(
    struct sampler *s, struct watched *w, struct watched_thread *t, const struct python_thread *from, uint64_t now_ns)
{
    t->seen = s->ticks;
    if (!t->tid && from->tid != t->told_tid) /* it was made, and runs now */
        thread_name(s, w, t, from);
    if (!t->kept)
        return;
    bool rejected = from->result == PYTHON_STACK_REJECTED;
    uint32_t state = rejected ? RECORD_REJECTED : RECORD_PRESENT;
    uint32_t before = t->plain_stack, stack = before;
    if (!rejected && (from->result != PYTHON_STACK_SAME || t->depth != from->depth))
        stack = fold_stack(s, w, t, from);
    kernel_state(s, w, t, from, stack != before, now_ns);
    /* A thread that calls into another interpreter has a thread state there, too, and runs in the one of them whose GIL
     * it holds. */
    bool on_cpu = t->kernel_state == 'R' && (!t->shares_tid || from->has_gil);
    state |= on_cpu ? RECORD_ON_CPU : 0;
    state |= from->has_gil ? RECORD_HAS_GIL : 0;
    state |= t->waits_for_gil && !from->has_gil ? RECORD_WAITS_FOR_GIL : 0;
    state |= from->result == PYTHON_STACK_REPAIRED ? RECORD_REPAIRED : 0;
    state |= now_ns - t->state_ns > STATE_STALE_NS ? RECORD_STATE_STALE : 0;
    if (!rejected) {
        if (from->in_gc) {
            stack = fold_pseudo(s, stack, RECORD_FRAME_GC);
            state |= RECORD_IN_GC;
        }
        bool keep = s->options.mode == SAMPLE_WALL || (s->options.mode == SAMPLE_CPU && on_cpu) ||
                    (s->options.mode == SAMPLE_GIL && from->has_gil);
        if (!keep)
            state = stack = 0;
        s->result.counters.samples += keep;
        if (keep)
            thread_task(s, w, t, from);
    } else {
        stack = 0;
    }
    if (stack != t->stack || state != t->state) {
        record_put_state(s->writer, t->id, stack, state);
        t->stack = stack;
        t->state = state;
    }
}

static void counters_add(struct sampler *s, struct watched *w)
{
    const struct python_counters *now = python_counters(w->python);
    struct record_counters *c = &s->result.counters;

    c->reads += now->reads - w->counted.reads;
    c->repaired += now->repaired - w->counted.repaired;
    c->rejected += now->rejected - w->counted.rejected;
    c->edges_checked += now->edges_checked - w->counted.edges_checked;
    c->edges_refused += now->edges_refused - w->counted.edges_refused;
    c->edges_confirmed += now->edges_confirmed - w->counted.edges_confirmed;
    c->recycled_codes += now->recycled_codes - w->counted.recycled_codes;
    w->counted = *now;
}

void watch_sample(struct sampler *s, struct watched *w)
{
    struct python_sample sample;
    int r = python_sample(w->python, &sample);

    counters_add(s, w);
    if (r < 0) {
        for (size_t i = 0; i < w->thread_count; i++)
            thread_absent(s, &w->threads[i]);
        if (r == -EPERM)
            refused_find(s, w, clock_monotonic_ns());
        if (r == -ESRCH || !target_alive(w->target))
            watch_end(s, w, clock_monotonic_ns());
        else if (++w->failures >= FAILURES_CAP || r == -EAGAIN)
            watch_exec(s, w);
        return;
    }
    w->failures = 0;
    size_t seen = 0;
    for (size_t i = 0; i < sample.count; i++) {
        struct watched_thread *t = thread_find(s, w, i, &sample.threads[i]);
        if (t) {
            thread_sample(s, w, t, &sample.threads[i], sample.taken_ns);
            seen++;
        }
    }
    if (seen == w->thread_count)
        return;
    for (size_t i = 0; i < w->thread_count;) { /* some thread has ended */
        struct watched_thread *t = &w->threads[i];
        if (t->seen == s->ticks) {
            i++;
            continue;
        }
        thread_cpu_put(s, t);
        thread_end(s, t);
        thread_release(t);
        memmove(t, t + 1, (w->thread_count - i - 1) * sizeof(*t));
        w->thread_count--;
    }
}

static bool name_due(const struct watched_thread *t, uint64_t now_ns)
{
    return !t->named && now_ns >= t->name_next_ns;
}

void watch_slow(struct sampler *s, struct watched *w)
{
    struct python_sample sample;
    uint64_t cpu;

    if (target_cpu_ns(w->target, &cpu) == 0 && cpu > w->cpu_last_ns)
        w->cpu_last_ns = cpu;
    if (w->python && (strcmp(w->python_text, python_info(w->python)->version_text) != 0 ||
                         w->no_gil != python_info(w->python)->no_gil)) {
        snprintf(s->result.python, sizeof(s->result.python), "%s", python_info(w->python)->version_text);
        put_process(s, w);
    }
    bool unnamed = false;
    uint64_t now_ns = clock_monotonic_ns();
    for (size_t i = 0; i < w->thread_count; i++) {
        thread_cpu_put(s, &w->threads[i]);
        unnamed = unnamed || name_due(&w->threads[i], now_ns);
    }
    /* A thread's Thread object may not have been there when it was first seen, or never be: twice as long each time. */
    if (!unnamed || !w->python)
        return;
    python_last_sample(w->python, &sample);
    for (size_t i = 0; i < sample.count; i++)
        for (size_t k = 0; k < w->thread_count; k++)
            if (w->threads[k].serial == sample.threads[i].serial && name_due(&w->threads[k], now_ns))
                thread_name(s, w, &w->threads[k], &sample.threads[i]);
}
