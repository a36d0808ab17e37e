/*
 * Which asyncio task a thread runs, as its last sample shows it. The loop enters a task by naming it as the current one
 * and then resuming its coroutine, so a task is believed only if its coroutine's frame is in the very stack that was
 * sampled: one that was entered a moment later is none of it.
 *
 * A short task has often ended before it could be read. What stands right above the loop's call of a task's step
 * (Handle._run, Lib/asyncio/events.py) was a task all the same: it goes by its coroutine, without a name.
 *
 * Nothing is read unless a coroutine is in the stack. A task's name is read anew each time, as objects come and go at
 * the same addresses, but not again within 50 microseconds where samples are that close.
 */
#include "python/asyncio.h"

#include <errno.h>
#include <string.h>

enum {
    AGE_NS = 50000,      /* above 20 kHz a task is looked at less often than the stack, if its coroutine stays */
    CURRENT_CAP = 64,    /* loops that run at the same time in one interpreter */
    NAMES_CAP = 1 << 14, /* distinct pairs of name and coroutine; names after that are not kept */
};

static struct thread *thread_of(struct python_process *p, const struct python_thread *t, size_t *ret_interpreter)
{
    size_t at = (size_t)(t - p->published);

    for (size_t i = 0; i < p->interpreter_count; at -= p->interpreters[i++].count)
        if (at < p->interpreters[i].count) {
            *ret_interpreter = i;
            return p->interpreters[i].threads[at]->serial == t->serial ? p->interpreters[i].threads[at] : NULL;
        }
    return NULL;
}

/* The outermost coroutine of the published stack; NULL: there is none. */
static const struct step *coroutine_first(const struct python_process *p, const struct thread *t)
{
    for (size_t i = 0; i < t->order_depth; i++)
        if (p->codes.items[t->steps[t->order + i].code]->coroutine)
            return &t->steps[t->order + i];
    return NULL;
}

static const struct step *step_of(const struct thread *t, uint64_t frame)
{
    for (size_t i = 0; i < t->order_depth; i++)
        if (t->steps[t->order + i].address == frame)
            return &t->steps[t->order + i];
    return NULL;
}

static const struct asyncio_place *place_of(const struct asyncio *a, const struct interpreter *in)
{
    for (size_t i = 0; i < a->place_count; i++)
        if (a->places[i].interpreter == in->address)
            return &a->places[i];
    return NULL;
}

/* Tasks that the loops of this interpreter run now, of which this thread's is one. */
static int current_read(struct python_process *p, const struct interpreter *in, struct thread *t,
    uint64_t tasks[CURRENT_CAP], size_t *ret_count)
{
    const struct asyncio *a = p->asyncio;
    const struct asyncio_place *place;

    if (a->running_task) { /* 3.14+: in the thread state */
        p->counters.reads++;
        *ret_count = 1;
        return target_read(p->target, t->address + a->running_task, tasks, sizeof(*tasks));
    }
    place = place_of(a, in);
    return place ? asyncio_current_read(p, place, tasks, CURRENT_CAP, ret_count, &t->running.keys) : -ENOENT;
}

/* The address of a coroutine's frame. 3.11+: it is part of the coroutine. */
static uint64_t frame_of(struct python_process *p, uint64_t coroutine)
{
    uint64_t frame;

    if (p->layout.version >= 0x030b)
        return coroutine + p->layout.generator_frame;
    p->counters.reads++;
    return target_read(p->target, coroutine + p->layout.generator_frame, &frame, sizeof(frame)) == 0 ? frame : 0;
}

/* The number under which this pair is known; 0: no memory. */
static uint32_t running_id(struct asyncio *a, const char *name, size_t size, uint32_t code)
{
    uint32_t text;
    uint64_t id, key;

    if (strings_intern(&a->names, name, size, &text) < 0)
        return 0;
    key = (uint64_t)text << 32 | code;
    if (map_get(&a->running_index, key, &id))
        return (uint32_t)id;
    if (a->running_count >= NAMES_CAP && size > 0) /* so many tasks that names tell nothing any more */
        return running_id(a, "", 0, code);
    if (array_reserve(&a->running, &a->running_capacity, a->running_count + 1, sizeof(*a->running)) < 0 ||
        map_put(&a->running_index, key, a->running_count + 1) < 0)
        return 0;
    a->running[a->running_count++] = (struct running_pair){.name = text, .code = code};
    return (uint32_t)a->running_count;
}

/* What of the name is read to tell whether it is the one it was. Zeros where it can't be. */
static void name_head_read(struct python_process *p, uint64_t name, uint8_t head[static 64])
{
    size_t rest = 4096 - (size_t)(name & 4095);

    memset(head, 0, 64);
    p->counters.reads++;
    if (name < 4096 || target_read(p->target, name, head, rest < 64 ? rest : 64) < 0)
        memset(head, 0, 64);
}

static bool name_same(const struct python_process *p, const struct running *r, uint64_t name, const uint8_t head[64])
{
    uint32_t from = p->layout.object_type; /* what stands before is the reference count */

    return r->name == name && memcmp(r->name_head + from, head + from, sizeof(r->name_head) - from) == 0;
}

static uint32_t task_identify(
    struct python_process *p, struct running *r, const struct asyncio_task *task, const struct step *root)
{
    CLEANUP(buffer_release) struct buffer text;
    uint8_t head[sizeof(r->name_head)];

    buffer_init(&text, 4 * PYTHON_STR_CAP + 16);
    name_head_read(p, task->name, head);
    if (r->name_id && r->name_code == root->code && name_same(p, r, task->name, head))
        return r->name_id;
    if (asyncio_name_read(p, task->name, &text) < 0)
        return 0;
    r->name_id = running_id(p->asyncio, (const char *)text.data, text.size, root->code);
    r->name_code = root->code;
    r->name = task->name;
    memcpy(r->name_head, head, sizeof(head));
    return r->name_id;
}

/* All that a look takes, read at once where it was the last time. */
struct look {
    uint64_t word, frame; /* of the thread state or the dict; gi_frame (before 3.11) */
    uint8_t keys[ASYNCIO_SMALL_MAX], task[PYTHON_HEAD_MAX], name[sizeof(((struct running *)NULL)->name_head)];
};

static bool look_read(
    struct python_process *p, const struct thread *t, const struct asyncio_place *place, struct look *k)
{
    const struct running *r = &t->running;
    const struct asyncio *a = p->asyncio;
    struct iovec local[5], remote[5];
    size_t n = 0, wanted = 0;
    const struct {
        uint64_t from;
        void *to;
        size_t size;
    } parts[] = {
        {place ? place->current + p->layout.dict_keys : t->address + a->running_task, &k->word, sizeof(k->word)},
        {r->keys, k->keys, place ? asyncio_small_size(&p->layout) : 0},
        {r->task, k->task, a->task_size},
        {r->coroutine + p->layout.generator_frame, &k->frame, p->layout.version < 0x030b ? sizeof(k->frame) : 0},
        {r->name, k->name, sizeof(k->name)},
    };

    if (!r->name_id || (place && !r->keys) || 4096 - (r->name & 4095) < sizeof(k->name))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (parts[i].size == 0)
            continue;
        local[n] = (struct iovec){parts[i].to, parts[i].size};
        remote[n++] =
            (struct iovec){(void *)(uintptr_t)parts[i].from, parts[i].size}; /* NOLINT(performance-no-int-to-ptr) */
        wanted += parts[i].size;
    }
    p->counters.reads++;
    return target_readv(p->target, local, n, remote, n) == (ssize_t)wanted;
}

/* The same task as the last time, under the same name, and in the stack that was sampled. */
static bool look_same(struct python_process *p, const struct interpreter *in, const struct thread *t)
{
    const struct running *r = &t->running;
    const struct asyncio_place *place = p->asyncio->running_task ? NULL : place_of(p->asyncio, in);
    uint64_t tasks[CURRENT_CAP];
    struct asyncio_task task;
    struct look k;
    size_t count = 1;

    if ((!place && !p->asyncio->running_task) || !look_read(p, t, place, &k))
        return false;
    tasks[0] = k.word;
    if (place && (k.word != r->keys || !asyncio_small_take(&p->layout, k.keys, tasks, CURRENT_CAP, &count)))
        return false;
    bool runs = false;
    for (size_t i = 0; i < count; i++)
        runs = runs || tasks[i] == r->task;
    if (!runs || asyncio_task_take(p, r->task, k.task, &task) < 0 || task.coroutine != r->coroutine ||
        !name_same(p, r, task.name, k.name))
        return false;
    const struct step *root =
        step_of(t, p->layout.version < 0x030b ? k.frame : r->coroutine + p->layout.generator_frame);
    return root && root->code == r->name_code;
}

static bool stepped_by_loop(const struct python_process *p, const struct thread *t, const struct step *coroutine)
{
    static const char events[] = "asyncio/events.py";

    if (coroutine == &t->steps[t->order])
        return false;
    const struct python_code *c = &p->codes.items[coroutine[-1].code]->public;
    size_t size = strlen(c->file), end = sizeof(events) - 1;
    return size >= end && memcmp(c->file + size - end, events, end) == 0 &&
           strcmp(c->qualname, p->layout.version < 0x030b ? "_run" : "Handle._run") == 0;
}

uint32_t python_running_task(struct python_process *p, const struct python_thread *of)
{
    uint64_t tasks[CURRENT_CAP];
    struct asyncio_task task;
    size_t count = 0, interpreter;

    if (!p->codes.coroutines)
        return 0;
    struct thread *t = thread_of(p, of, &interpreter);
    const struct step *first = t && t->result != PYTHON_STACK_REJECTED ? coroutine_first(p, t) : NULL;
    if (!first)
        return 0;
    struct running *r = &t->running;
    if (r->frame == first->address && r->code == first->code && p->sampled_ns - r->read_ns < AGE_NS)
        return r->id;
    if (asyncio_find(p, false) < 0)
        return 0;
    r->frame = first->address;
    r->code = first->code;
    r->read_ns = p->sampled_ns;
    if (look_same(p, &p->interpreters[interpreter], t))
        return r->id = r->name_id;
    r->id = 0;
    if (current_read(p, &p->interpreters[interpreter], t, tasks, &count) < 0)
        count = 0;
    for (size_t i = 0; i < count && !r->id; i++) {
        const struct step *root =
            asyncio_task_read(p, tasks[i], &task) == 0 ? step_of(t, frame_of(p, task.coroutine)) : NULL;
        if (!root)
            continue;
        r->task = task.address;
        r->coroutine = task.coroutine;
        r->id = task_identify(p, r, &task, root);
    }
    if (!r->id && stepped_by_loop(p, t, first))
        r->id = running_id(p->asyncio, "", 0, first->code);
    return r->id;
}

struct python_running python_running(const struct python_process *p, uint32_t id)
{
    const struct asyncio *a = p->asyncio;

    if (!a || id == 0 || id > a->running_count)
        return (struct python_running){.name = ""};
    return (struct python_running){
        .name = strings_get(&a->names, a->running[id - 1].name, NULL), .code = a->running[id - 1].code};
}
