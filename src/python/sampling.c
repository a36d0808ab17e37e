/*
 * One sample of a process: which threads are there, which may have run since the last one, their stacks.
 *
 * A thread's Python stack changes only while it holds the GIL. CPython counts every hand-over to another thread
 * (gil->switch_number, Python/ceval_gil.c, take_gil), so with the count unchanged nobody but the last holder can have
 * run: the others' stacks are proven to be what they were, and are not read again.
 *
 * In a free-threaded build whose GIL is not enabled for good, nothing is proven of any thread: all are read each time.
 */
#include "python/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADS_ALONE = 4,          /* threads read at once that have their pointers read first; each costs a segment */
    LIST_AGAIN_NS = 10000000, /* interpreters and threads are listed at least so often, */
    LIST_AGAIN_ALONE_NS = 100000000, /* where there is but one of each, which only others can join: at the head */
    WORDS_AGE_NS = 50000,            /* and the GIL of a process with a single thread is looked at */
    THREAD_ATTACHED = 1,             /* _Py_THREAD_ATTACHED, Include/internal/pycore_pystate.h */
    ENABLED_FOR_GOOD = INT32_MAX,    /* _gil_runtime_state.enabled, Include/internal/pycore_gil.h */
};

static int word_read(struct python_process *p, uint64_t address, uint64_t *ret)
{
    p->counters.reads++;
    return target_read(p->target, address, ret, sizeof(*ret));
}

/* ---- who is there ---- */

static struct thread *thread_known(struct interpreter *in, uint64_t address, uint64_t ident)
{
    for (size_t i = 0; i < in->count; i++)
        /* a thread state that is being set up has no ident yet */
        if (in->threads[i] && in->threads[i]->address == address &&
            (in->threads[i]->ident == ident || !in->threads[i]->ident))
            return in->threads[i];
    return NULL;
}

/* Up to 3.11 a thread state bears the ids of the thread that made it until its own begins to run (Python/pystate.c,
 * new_threadstate). The newest come first in the list. */
static void threads_unborn(const struct python_process *p, struct thread **list, size_t count)
{
    for (size_t i = 0; i < count && p->layout.version < 0x030c; i++)
        for (size_t k = i + 1; k < count; k++)
            if (list[i]->ident == list[k]->ident) {
                list[i]->ident = 0;
                list[i]->tid = 0;
                break;
            }
}

/* Walks the list of thread states anew; keeps what is known of those that are still there. */
static int threads_list(struct python_process *p, struct interpreter *in)
{
    const struct python_layout *l = &p->layout;
    struct thread **list = NULL;
    size_t count = 0, capacity = 0;
    uint64_t at, ident, native, next, back, first_new = p->next_serial;
    int r = word_read(p, in->address + l->interpreter_threads_head, &at);

    in->threads_head = at;
    while (r == 0 && at) {
        uint8_t state[4096];
        if (count >= THREADS_CAP || p->thread_high > sizeof(state)) {
            r = -EAGAIN;
            break;
        }
        p->counters.reads++;
        r = target_read(p->target, at + p->thread_low, state + p->thread_low, p->thread_high - p->thread_low);
        if (r < 0)
            break;
        back = load64(state + l->thread_interpreter);
        next = load64(state + l->thread_next);
        ident = load64(state + l->thread_thread_id);
        native = l->thread_native_thread_id == PYTHON_FIELD_NONE ? 0 : load64(state + l->thread_native_thread_id);
        if (back != in->address) {
            r = -EAGAIN;
            break;
        }
        struct thread *t = thread_known(in, at, ident);
        if (!t) {
            t = calloc(1, sizeof(*t));
            if (!t) {
                r = -ENOMEM;
                break;
            }
            t->address = at;
            t->ident = ident;
            t->serial = p->next_serial++;
            t->result =
                PYTHON_STACK_REJECTED; /* not read yet: it may have run, and gone to sleep, before it was listed */
        } else {
            for (size_t i = 0; i < in->count; i++)
                if (in->threads[i] == t)
                    in->threads[i] = NULL;
        }
        t->next = next;
        t->ident = ident;
        t->tid = native && native < INT32_MAX ? (pid_t)native : t->tid;
        if (array_reserve(&list, &capacity, count + 1, sizeof(*list)) < 0) {
            thread_free(t);
            r = -ENOMEM;
            break;
        }
        list[count++] = t;
        at = next;
    }
    if (r < 0) { /* torn: put back what was taken, try again at the next sample */
        for (size_t i = 0, hole = 0; i < count; i++)
            if (list[i]->serial < first_new) {
                while (in->threads[hole])
                    hole++;
                in->threads[hole] = list[i];
            } else {
                thread_free(list[i]);
            }
        free(list);
        in->listed = false;
        return r;
    }
    threads_unborn(p, list, count);
    for (size_t i = 0; i < in->count; i++)
        thread_free(in->threads[i]);
    free(in->threads);
    in->threads = list;
    in->count = count;
    in->capacity = capacity;
    in->listed = true;
    return 0;
}

int process_gil_read(struct python_process *p, uint64_t interpreter, uint64_t *ret_gil)
{
    const struct python_layout *l = &p->layout;
    uint64_t enabled;

    *ret_gil = 0;
    if (l->runtime_gil != PYTHON_FIELD_NONE)
        *ret_gil = p->runtime + l->runtime_gil;
    else if (l->interpreter_gil != PYTHON_FIELD_NONE && word_read(p, interpreter + l->interpreter_gil, ret_gil) < 0)
        return -EAGAIN;
    if (*ret_gil && l->gil_enabled != PYTHON_FIELD_NONE && word_read(p, *ret_gil + l->gil_enabled, &enabled) == 0)
        p->info.no_gil = (uint32_t)enabled != ENABLED_FOR_GOOD;
    return 0;
}

static int interpreters_list(struct python_process *p)
{
    uint64_t at;
    size_t count = 0;
    int r = word_read(p, p->runtime + p->layout.runtime_interpreters_head, &at);

    if (r < 0)
        return r;
    if (!at)
        return -EAGAIN;
    for (; at && r == 0; count++) {
        if (count >= INTERPRETERS_CAP)
            return -EAGAIN;
        size_t k = count;
        while (k < p->interpreter_count && p->interpreters[k].address != at)
            k++;
        if (k >= p->interpreter_count) {
            if (array_reserve(
                    &p->interpreters, &p->interpreter_capacity, p->interpreter_count + 1, sizeof(*p->interpreters)) < 0)
                return -ENOMEM;
            k = p->interpreter_count++;
            p->interpreters[k] = (struct interpreter){.address = at};
            r = process_gil_read(p, at, &p->interpreters[k].gil);
        }
        struct interpreter swap = p->interpreters[k];
        p->interpreters[k] = p->interpreters[count];
        p->interpreters[count] = swap;
        if (r == 0)
            r = word_read(p, at + p->layout.interpreter_next, &at);
    }
    while (r == 0 && p->interpreter_count > count) {
        struct interpreter *gone = &p->interpreters[--p->interpreter_count];
        for (size_t i = 0; i < gone->count; i++)
            thread_free(gone->threads[i]);
        free(gone->threads);
    }
    return r;
}

static int list_all(struct python_process *p, uint64_t now_ns)
{
    int r = interpreters_list(p);

    for (size_t i = 0; i < p->interpreter_count && r == 0; i++)
        r = threads_list(p, &p->interpreters[i]);
    if (r == 0)
        p->listed_ns = now_ns;
    if (r == 0 && !strchr(p->info.version_text + 2, '.')) /* "3.8" until sys.version is there */
        process_version_read(p, p->interpreters[0].address);
    return r;
}

/* ---- reading ---- */

/* The words that tell of an interpreter: the GIL, the head of its threads, whether the collector runs. Each is read on
 * its own, not what lies between them: the first of the collector's lists is written at each call in 3.8, and a thread
 * that waits to get that line back would be caught there (of two_chains.py one function of 16 had 23 % of the pointers,
 * not 5). */
struct interpreter_words {
    uint8_t gil[256], head[8], collecting[4], tlbc[4]; /* tlbc: 3.14t+, changes as threads get and give back indexes */
    uint32_t gil_size, head_size, collecting_size, tlbc_size;
};

static int words_request(struct python_process *p, struct interpreter *in, struct interpreter_words *w)
{
    const struct python_layout *l = &p->layout;
    uint64_t collecting = l->interpreter_gc_collecting != PYTHON_FIELD_NONE ? in->address + l->interpreter_gc_collecting
                          : l->runtime_gc_collecting != PYTHON_FIELD_NONE   ? p->runtime + l->runtime_gc_collecting
                                                                            : 0;
    int r = 0;

    *w = (struct interpreter_words){
        .gil_size = l->gil_switch_number + 8u, .head_size = 8, .collecting_size = 4, .tlbc_size = 4};
    if (w->gil_size > sizeof(w->gil))
        return -EAGAIN;
    if (in->gil)
        r = batch_add_alone(&p->batch, in->gil, w->gil_size, w->gil, &w->gil_size);
    if (r == 0)
        r = batch_add_alone(&p->batch, in->address + l->interpreter_threads_head, 8, w->head, &w->head_size);
    if (r == 0 && collecting)
        r = batch_add_alone(&p->batch, collecting, 4, w->collecting, &w->collecting_size);
    if (r == 0 && l->interpreter_tlbc_generation != PYTHON_FIELD_NONE)
        r = batch_add_alone(&p->batch, in->address + l->interpreter_tlbc_generation, 4, w->tlbc, &w->tlbc_size);
    return r;
}

/*
 * The pointer to the innermost frame says what runs, and is read before anything else that the thread keeps writing to:
 * each cache line that is taken from its core holds it up at its next write there. With the fields around the pointer
 * read first it would be caught about to call or to return far more often than it is there. In 3.11 and 3.12 it lies in
 * a _PyCFrame, nearly always the one where it was a moment ago; which one, the thread state says.
 */
static int head_request(struct python_process *p, struct thread *t)
{
    const struct python_layout *l = &p->layout;
    int r = 0;

    if (l->cframe_current_frame != PYTHON_FIELD_NONE && p->gap_ns >= HURRIED_NS) {
        t->cframe_size = sizeof(t->cframe_first);
        r = batch_add_alone(&p->batch, t->address + l->thread_frame, sizeof(t->cframe_first),
            (uint8_t *)&t->cframe_first, &t->cframe_size);
    }
    t->head_address = l->cframe_current_frame == PYTHON_FIELD_NONE ? t->address + l->thread_frame
                      : t->cframe                                  ? t->cframe + l->cframe_current_frame
                                                                   : 0;
    if (r < 0 || !t->head_address)
        return r;
    t->head_size = sizeof(t->head);
    return batch_add_alone(&p->batch, t->head_address, sizeof(t->head), (uint8_t *)&t->head, &t->head_size);
}

/* Reads the planned regions of these threads, and whatever p->batch held before. */
static int threads_read(struct python_process *p, struct thread **threads, size_t count)
{
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++) {
        threads[i]->head_size = threads[i]->cframe_size = 0;
        r = count <= HEADS_ALONE ? head_request(p, threads[i]) : 0;
        if (r == 0)
            r = snapshot_request(p, threads[i]);
    }
    if (r == 0)
        r = batch_read(p);
    batch_clear(&p->batch);
    return r;
}

static void thread_walk(struct python_process *p, struct thread *t, uint64_t now_ns)
{
    const struct python_layout *l = &p->layout;

    t->kept_count = 0;
    t->result = PYTHON_STACK_REJECTED;
    for (int attempt = 0; attempt < 3; attempt++) {
        if (attempt > 0) {
            if (snapshot_plan(p, t) < 0 || threads_read(p, &t, 1) < 0)
                break;
        }
        const uint8_t *state = snapshot_at(p, t, t->address + p->thread_low, p->thread_high - p->thread_low);
        if (!state)
            continue;
        t->next = load64(state + l->thread_next - p->thread_low);
        if (l->thread_state != PYTHON_FIELD_NONE)
            t->attached = load32(state + l->thread_state - p->thread_low) == THREAD_ATTACHED;
        if (l->thread_datastack_chunk != PYTHON_FIELD_NONE) {
            uint64_t top = load64(state + l->thread_datastack_chunk - p->thread_low);
            if (!t->chunk_count || t->chunks[t->chunk_count - 1].base != top) {
                if (snapshot_chunks_refresh(p, t, top) < 0)
                    continue;
                if (top && attempt == 0)
                    continue; /* the chunks as they are now, in one read */
            }
        }
        bool whole = walk_chain(p, t) == 0;
        bool late = t->read_late && attempt == 0 && !whole;
        if (whole) {
            snapshot_learn(p, t);
            stack_publish(p, t, now_ns);
        }
        /* What was read late is wanted in one read, unless the chain holds all the same, each frame was pointed at when
         * the copy was made, or (before 3.11) what the pointer led to stands on it. */
        if (t->result == PYTHON_STACK_REJECTED && (!stack_otherwise(p, t, now_ns) || (late && t->read_late)) &&
            attempt == 0)
            kept_take(p, t);
        if (t->result != PYTHON_STACK_REJECTED)
            break;
    }
    kept_hold(p, t);
    if (t->result != PYTHON_STACK_REJECTED)
        return;
    t->depth = 0;
    p->counters.rejected++;
}

/* Which threads may have run since the last sample? `chosen` has room for all. */
static size_t threads_choose(struct interpreter *in, bool all, uint64_t holder, struct thread **chosen)
{
    size_t n = 0;

    for (size_t i = 0; i < in->count; i++) {
        struct thread *t = in->threads[i];
        t->fresh = all || t->address == holder || t->address == in->holder || t->result == PYTHON_STACK_REJECTED;
        if (t->fresh)
            chosen[n++] = t;
    }
    return n;
}

/* With a single thread nobody else can have run, and only its own hold on the GIL is of interest: at rates above 20 kHz
 * that is looked at less often than the stack. */
static bool words_due(const struct interpreter *in, uint64_t now_ns)
{
    return in->count != 1 || !in->gil_known || in->holder != in->threads[0]->address ||
           now_ns - in->words_ns > WORDS_AGE_NS;
}

/* How often the GIL was handed to another thread since it was last looked at; SIZE_MAX: not known. */
static size_t words_take(
    struct python_process *p, struct interpreter *in, const struct interpreter_words *w, uint64_t now_ns)
{
    const struct python_layout *l = &p->layout;
    uint64_t switches = load64(w->gil + l->gil_switch_number);
    uint32_t enabled = l->gil_enabled == PYTHON_FIELD_NONE ? ENABLED_FOR_GOOD : load32(w->gil + l->gil_enabled);
    bool was_known = in->gil_known;

    in->in_gc = load32(w->collecting) == 1;
    if (load64(w->head) != in->threads_head)
        in->listed = false;
    if (load32(w->tlbc) != in->tlbc_generation)
        map_clear(&p->codes.copies);
    in->tlbc_generation = load32(w->tlbc);
    in->gil_known = in->gil && enabled == ENABLED_FOR_GOOD;
    in->gil_locked = in->gil && enabled && load32(w->gil + l->gil_locked) == 1;
    p->info.no_gil = in->gil && enabled != ENABLED_FOR_GOOD;
    size_t handed_over = was_known && in->gil_known ? switches - in->switch_number : SIZE_MAX;
    in->switch_number = switches;
    in->holder = load64(w->gil + l->gil_last_holder);
    in->words_ns = now_ns;
    return handed_over;
}

/* Threads came or went since they were listed: those that are new are read in this sample already, or of one that lives
 * for a few samples the first would be lacking. */
static void threads_renew(struct python_process *p, struct interpreter *in, uint64_t now_ns)
{
    uint64_t first_new = p->next_serial;

    if (threads_list(p, in) < 0)
        return;
    for (size_t i = 0; i < in->count; i++) {
        struct thread *t = in->threads[i];
        if (t->serial < first_new)
            continue;
        t->fresh = true;
        if (snapshot_plan(p, t) == 0 && threads_read(p, &t, 1) == 0)
            thread_walk(p, t, now_ns);
    }
}

static int interpreter_sample(struct python_process *p, struct interpreter *in, uint64_t now_ns)
{
    const struct python_layout *l = &p->layout;
    CLEANUP(free_pointer) struct thread **chosen = NULL;
    struct thread *few[16];
    struct interpreter_words w;

    if (in->count > ARRAY_SIZE(few)) {
        chosen = calloc(in->count, sizeof(*chosen));
        if (!chosen)
            return -ENOMEM;
    }
    struct thread **list = chosen ? chosen : few;
    size_t n = threads_choose(in, !in->gil_known, in->holder, list), handed_over = 0;
    uint64_t former = in->holder;
    bool words = words_due(in, now_ns);
    for (size_t i = 0; i < n; i++)
        if (snapshot_plan(p, list[i]) < 0)
            return -ENOMEM;
    if (!in->gil)
        (void)process_gil_read(p, in->address, &in->gil); /* it was starting when it was first seen */
    /* The words come first: a hand-over of the GIL after they were read shows in the next sample's. */
    batch_clear(&p->batch);
    int r = words ? words_request(p, in, &w) : 0;
    if (r == 0)
        r = threads_read(p, list, n);
    if (r < 0)
        return r;
    if (words &&
        (w.gil_size < l->gil_switch_number + 8u || w.head_size < 8 || w.collecting_size < 4 || w.tlbc_size < 4))
        return -EFAULT;
    if (words)
        handed_over = words_take(p, in, &w, now_ns);
    for (size_t i = 0; i < n; i++)
        thread_walk(p, list[i], now_ns);
    if (handed_over) {
        /* Others may have run. With one hand-over only the two; else anybody who was not read just now. */
        size_t m = 0;
        for (size_t i = 0; i < in->count; i++) {
            struct thread *t = in->threads[i];
            if (t->fresh || (handed_over == 1 && t->address != in->holder && t->address != former))
                continue;
            t->fresh = true;
            list[m++] = t;
            if (snapshot_plan(p, t) < 0)
                return -ENOMEM;
        }
        r = m ? threads_read(p, list, m) : 0;
        for (size_t i = 0; i < m; i++)
            if (r == 0)
                thread_walk(p, list[i], now_ns);
            else
                list[i]->result = PYTHON_STACK_REJECTED; /* nothing will tell again that it may have run */
    }
    for (size_t i = 0; i < in->count; i++)
        if (in->threads[i]->fresh && in->threads[i]->next != (i + 1 < in->count ? in->threads[i + 1]->address : 0))
            in->listed = false;
    if (!in->listed)
        threads_renew(p, in, now_ns);
    in->attached = 0;
    for (size_t i = 0; i < in->count; i++) {
        struct thread *t = in->threads[i];
        t->has_gil = in->gil_locked && t->address == in->holder;
        in->attached += t->attached;
    }
    return r;
}

static void publish(struct python_process *p, const struct interpreter *in, size_t *n)
{
    for (size_t i = 0; i < in->count; i++) {
        const struct thread *t = in->threads[i];
        struct python_thread *out = &p->published[(*n)++];
        bool same = !t->fresh && t->result != PYTHON_STACK_REJECTED;
        *out = (struct python_thread){.address = t->address,
            .ident = t->ident,
            .tid = t->tid,
            .serial = t->serial,
            .has_gil = t->has_gil,
            /* Without a GIL it stops all others (_PyEval_StopTheWorld, Python/gc_free_threading.c). */
            .in_gc = in->in_gc && (t->has_gil || (t->attached && in->attached == 1)),
            .result = same ? PYTHON_STACK_SAME : t->result,
            .frames = t->frames,
            .depth = t->depth};
    }
}

static bool alone(const struct python_process *p)
{
    return p->interpreter_count == 1 && p->interpreters[0].count == 1;
}

int python_sample(struct python_process *p, struct python_sample *ret)
{
    uint64_t now_ns = clock_monotonic_ns();
    bool list = !p->interpreter_count || now_ns - p->listed_ns > (alone(p) ? LIST_AGAIN_ALONE_NS : LIST_AGAIN_NS);
    size_t total = 0, n = 0;
    int r = 0;

    if (p->sampled_ns)
        p->gap_ns = p->gap_ns - p->gap_ns / 8 + (now_ns - p->sampled_ns) / 8;
    p->sampled_ns = now_ns;
    for (size_t i = 0; i < p->interpreter_count; i++)
        if (!p->interpreters[i].listed)
            list = true;
    if (list)
        r = list_all(p, now_ns);
    for (size_t i = 0; i < p->interpreter_count && r == 0; i++) {
        r = interpreter_sample(p, &p->interpreters[i], now_ns);
        total += p->interpreters[i].count;
    }
    if (r < 0) {
        p->published_count = 0; /* what it showed may be gone */
        return r;
    }
    if (array_reserve(&p->published, &p->published_capacity, total + 1, sizeof(*p->published)) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < p->interpreter_count; i++)
        publish(p, &p->interpreters[i], &n);
    p->published_count = n;
    python_last_sample(p, ret);
    return 0;
}

void python_last_sample(const struct python_process *p, struct python_sample *ret)
{
    *ret = (struct python_sample){.threads = p->published, .count = p->published_count, .taken_ns = p->sampled_ns};
}
