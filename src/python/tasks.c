/*
 * All tasks of a process, for who asks. 3.14+ links tasks in lists, one a thread and one an interpreter; before, and
 * for tasks written in Python, there is a WeakSet; eager tasks (3.12+) are in a set until they first wait. Who awaits
 * whom is published from 3.14 on; before, it follows from what each task waits for, also through gather().
 */
#include "python/asyncio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_CAP = 256 << 20,
    LIST_TRIES = 3,
    CURRENT_CAP = 64,
    REFERENCE_BATCH = 128,
};

struct listed {
    struct python_task task;
    struct asyncio_task read;
    bool gathering;
};

struct listing {
    struct python_process *p;
    struct python_tasks *to;
    uint64_t *found; /* addresses of what may be a task */
    size_t found_count, found_capacity;
    struct map seen;         /* address -> 1 */
    struct map index, loops; /* address -> index in items, to->loops */
    struct listed *items;
    size_t count, item_capacity, loop_capacity;
    struct python_frame *chain;
    size_t chain_capacity;
    struct edge {
        uint32_t task, by;
    } * edges; /* who is awaited by whom */
    size_t edge_count, edge_capacity;
};

static int word_read(struct python_process *p, uint64_t address, uint64_t *ret)
{
    p->counters.reads++;
    int r = target_read(p->target, address, ret, sizeof(*ret));
    return r == -EFAULT ? -EAGAIN : r;
}

static bool fatal(int r)
{
    return r == -ESRCH || r == -ENOMEM || r == -EPERM;
}

/* ---- where they are ---- */

static int found_add(struct listing *g, uint64_t task)
{
    uint64_t one;

    if (task < 4096 || (task & 7) || map_get(&g->seen, task, &one))
        return 0;
    if (g->found_count >= ASYNCIO_TASKS_CAP) {
        g->to->cut = true;
        return 0;
    }
    if (array_reserve(&g->found, &g->found_capacity, g->found_count + 1, sizeof(*g->found)) < 0 ||
        map_put(&g->seen, task, 1) < 0)
        return -ENOMEM;
    g->found[g->found_count++] = task;
    return 0;
}

/* struct llist_node {next, prev}, in a ring with its head (Include/internal/pycore_llist.h). The ring is changed while
 * we go round it: a node that does not point back is no part of it any more. */
static int ring_follow(struct listing *g, uint64_t head)
{
    struct python_process *p = g->p;
    uint64_t node[2], before = head, at;
    int r = word_read(p, head, &at);

    for (size_t n = 0; r == 0 && at && at != head; n++) {
        if (n >= ASYNCIO_TASKS_CAP)
            break;
        p->counters.reads++;
        r = target_read(p->target, at, node, sizeof(node));
        if (r == 0 && node[1] != before)
            r = -EAGAIN;
        if (r == 0)
            r = found_add(g, at - p->asyncio->node);
        before = at;
        at = node[0];
    }
    return r == -EFAULT ? -EAGAIN : r;
}

static int ring_add(struct listing *g, uint64_t head)
{
    int r = -EAGAIN;

    for (int i = 0; i < LIST_TRIES && r == -EAGAIN; i++)
        r = ring_follow(g, head);
    g->to->cut = g->to->cut || r == -EAGAIN;
    return fatal(r) ? r : 0;
}

/* A WeakSet keeps weak references in the set `data` (Lib/_weakrefset.py). */
static int weak_set_add(struct listing *g, uint64_t object)
{
    static const char *const names[] = {"data"};
    CLEANUP(free_pointer) uint64_t *references = NULL;
    struct python_process *p = g->p;
    uint8_t heads[REFERENCE_BATCH * PYTHON_HEAD_MAX];
    size_t count = 0, size = p->layout.weakref_object + 8u;
    uint64_t data;
    int r = -EAGAIN;

    for (int i = 0; i < LIST_TRIES && r == -EAGAIN; i++) {
        r = python_attributes_get(p->target, &p->layout, object, names, 1, &data);
        if (r == 0)
            r = asyncio_set_read(p, data, &references, &count);
    }
    g->to->cut = g->to->cut || r == -EAGAIN;
    for (size_t at = 0; r == 0 && at < count; at += REFERENCE_BATCH) {
        size_t n = count - at < REFERENCE_BATCH ? count - at : REFERENCE_BATCH;
        p->counters.reads++;
        r = python_read_heads(p->target, references + at, n, size, heads);
        for (size_t i = 0; r == 0 && i < n; i++)
            r = found_add(g, load64(heads + i * size + p->layout.weakref_object));
    }
    return fatal(r) ? r : 0;
}

static int set_add(struct listing *g, uint64_t set)
{
    CLEANUP(free_pointer) uint64_t *items = NULL;
    size_t count = 0;
    int r = asyncio_set_read(g->p, set, &items, &count);

    for (size_t i = 0; r == 0 && i < count; i++)
        r = found_add(g, items[i]);
    return fatal(r) ? r : 0;
}

static int place_add(struct listing *g, const struct asyncio_place *place)
{
    uint64_t current[CURRENT_CAP], keys;
    size_t count = 0;
    int r = 0;

    if (place->current && asyncio_current_read(g->p, place, current, CURRENT_CAP, &count, &keys) == 0)
        for (size_t i = 0; r == 0 && i < count; i++)
            r = found_add(g, current[i]);
    if (r == 0 && place->scheduled)
        r = weak_set_add(g, place->scheduled);
    if (r == 0 && place->eager)
        r = set_add(g, place->eager);
    return r;
}

static int find_all(struct listing *g)
{
    struct python_process *p = g->p;
    const struct asyncio *a = p->asyncio;
    int r = 0;

    for (size_t i = 0; a->running_task && i < p->interpreter_count; i++) {
        const struct interpreter *in = &p->interpreters[i];
        for (size_t k = 0; k < in->count && r == 0; k++) {
            uint64_t task = 0;
            if (word_read(p, in->threads[k]->address + a->running_task, &task) == 0)
                r = found_add(g, task);
            if (r == 0)
                r = ring_add(g, in->threads[k]->address + a->thread_tasks);
        }
        if (r == 0)
            r = ring_add(g, in->address + a->interpreter_tasks);
    }
    for (size_t i = 0; i < a->place_count && r == 0; i++)
        r = place_add(g, &a->places[i]);
    return r;
}

/* ---- what they do ---- */

static const char *type_name_copy(struct listing *g, const struct asyncio_type *type)
{
    const char *copy = type ? arena_strndup(&g->to->arena, type->name, strlen(type->name)) : NULL;

    return copy ? copy : "";
}

static int loop_of(struct listing *g, uint64_t address, uint32_t *ret)
{
    static const char *const names[] = {"_thread_id"}; /* Lib/asyncio/base_events.py, while it runs; else None */
    uint64_t index, value = 0;
    int64_t ident = 0;

    if (map_get(&g->loops, address, &index)) {
        *ret = (uint32_t)index;
        return 0;
    }
    if (array_reserve(&g->to->loops, &g->loop_capacity, g->to->loop_count + 1, sizeof(*g->to->loops)) < 0 ||
        map_put(&g->loops, address, g->to->loop_count) < 0)
        return -ENOMEM;
    if (python_attributes_get(g->p->target, &g->p->layout, address, names, 1, &value) == 0 && value)
        (void)python_read_int(g->p->target, &g->p->layout, value, &ident);
    *ret = (uint32_t)g->to->loop_count;
    g->to->loops[g->to->loop_count++] = (struct python_loop){
        .address = address, .ident = (uint64_t)ident, .type = type_name_copy(g, asyncio_type_of(g->p, address))};
    return 0;
}

static int chain_add(struct listing *g, size_t *depth, struct python_frame frame)
{
    if (array_reserve(&g->chain, &g->chain_capacity, *depth + 1, sizeof(*g->chain)) < 0)
        return -ENOMEM;
    g->chain[(*depth)++] = frame;
    return 0;
}

/* From the frame of its coroutine on, the stack of the thread that runs it. */
static int stack_take(struct listing *g, uint64_t frame, size_t *depth)
{
    const struct python_process *p = g->p;
    int r = 0;

    for (size_t i = 0; i < p->interpreter_count; i++)
        for (size_t k = 0; k < p->interpreters[i].count; k++) {
            const struct thread *t = p->interpreters[i].threads[k];
            bool inside = false;
            for (size_t n = 0; n < t->order_depth && r == 0; n++) {
                const struct step *s = &t->steps[t->order + n];
                inside = inside || s->address == frame;
                if (inside && !p->codes.items[s->code]->shim)
                    r = chain_add(g, depth, (struct python_frame){.code = s->code, .at = s->at});
            }
            if (inside)
                return r;
        }
    return r;
}

static int chain_take(struct listing *g, uint64_t coroutine, struct asyncio_link *ret_first, size_t *ret_depth)
{
    size_t depth = 0;
    int r = 0;

    for (size_t n = 0; coroutine && r == 0; n++) {
        if (n >= ASYNCIO_CHAIN_CAP) {
            g->to->cut = true;
            break;
        }
        struct asyncio_link link;
        r = asyncio_link_read(g->p, coroutine, &link);
        if (r < 0)
            break;
        if (n == 0)
            *ret_first = link;
        if (link.progress == ASYNCIO_FINISHED)
            break;
        if (n == 0 && link.progress == ASYNCIO_EXECUTING)
            r = stack_take(g, link.frame, &depth);
        if (depth == n) /* that moment is over */
            r = chain_add(g, &depth, link.place);
        if (link.progress == ASYNCIO_EXECUTING)
            break;
        coroutine = link.awaits ? asyncio_next(g->p, link.awaits) : 0;
    }
    *ret_depth = depth;
    return fatal(r) ? r : depth ? 0 : r;
}

static char *name_copy(struct listing *g, uint64_t name)
{
    CLEANUP(buffer_release) struct buffer text;

    buffer_init(&text, 4 * PYTHON_STR_CAP + 16);
    if (asyncio_name_read(g->p, name, &text) < 0)
        buffer_clear(&text);
    return arena_strndup(&g->to->arena, (const char *)text.data, text.size);
}

/* What is none, or is done, is left out. */
static int task_take(struct listing *g, uint64_t address)
{
    struct asyncio_task read;
    struct asyncio_link first = {0};
    size_t depth = 0;
    uint32_t loop;

    int r = asyncio_task_read(g->p, address, &read);
    if (r < 0)
        return fatal(r) ? r : 0;
    const struct asyncio_type *type = asyncio_type_of(g->p, read.coroutine);
    bool python = type && type->kind == ASYNCIO_GENERATOR; /* else it is of an extension: Cython */
    if (python) {
        r = chain_take(g, read.coroutine, &first, &depth);
        if (fatal(r) || r < 0 || first.progress == ASYNCIO_FINISHED)
            return fatal(r) ? r : 0;
    } else if (!read.waiter) { /* nothing tells whether it is done */
        return 0;
    }
    /* A moment later its place may be another's: no future is a coroutine. */
    type = read.waiter ? asyncio_type_of(g->p, read.waiter) : NULL;
    bool gathering = type && type->kind == ASYNCIO_GATHERING;
    const char *awaits = type && type->kind != ASYNCIO_GENERATOR ? type_name_copy(g, type) : "";
    r = loop_of(g, read.loop, &loop);
    if (r < 0 || array_reserve(&g->items, &g->item_capacity, g->count + 1, sizeof(*g->items)) < 0)
        return -ENOMEM;
    struct python_frame *frames = arena_alloc(&g->to->arena, depth * sizeof(*frames) + 1);
    char *text = name_copy(g, read.name);
    if (!frames || !text)
        return -ENOMEM;
    if (depth)
        memcpy(frames, g->chain, depth * sizeof(*frames));
    g->items[g->count++] = (struct listed){.read = read,
        .gathering = gathering,
        .task = {.address = address,
            .name = text,
            .state = first.progress == ASYNCIO_EXECUTING ? PYTHON_TASK_RUNNING
                     : read.waiter                       ? PYTHON_TASK_WAITING
                                                         : PYTHON_TASK_READY,
            .loop = loop,
            .frames = frames,
            .depth = depth,
            .awaits = first.progress == ASYNCIO_EXECUTING ? "" : awaits,
            .awaits_task = UINT32_MAX}};
    return 0;
}

/* ---- who awaits whom ---- */

static int edge_add(struct listing *g, uint64_t task, uint64_t by)
{
    uint64_t task_index, by_index;

    if (!map_get(&g->index, task, &task_index) || !map_get(&g->index, by, &by_index))
        return 0;
    if (array_reserve(&g->edges, &g->edge_capacity, g->edge_count + 1, sizeof(*g->edges)) < 0)
        return -ENOMEM;
    g->edges[g->edge_count++] = (struct edge){.task = (uint32_t)task_index, .by = (uint32_t)by_index};
    return 0;
}

/* The tasks that a future of gather() waits for (Lib/asyncio/tasks.py, _GatheringFuture). */
static int gathered_add(struct listing *g, uint64_t future, uint64_t by)
{
    static const char *const names[] = {"_children"};
    struct python_process *p = g->p;
    uint64_t list, items, count;

    int r = python_attributes_get(p->target, &p->layout, future, names, 1, &list);
    if (r == 0)
        r = list ? word_read(p, list + p->layout.list_size, &count) : -EAGAIN;
    if (r == 0)
        r = word_read(p, list + p->layout.list_items, &items);
    if (r == 0 && count > ASYNCIO_TASKS_CAP)
        r = -EAGAIN;
    if (r < 0)
        return fatal(r) ? r : 0;
    CLEANUP(free_pointer) uint64_t *children = malloc((size_t)count * 8 + 1);
    if (!children)
        return -ENOMEM;
    p->counters.reads++;
    r = count ? target_read(p->target, items, children, (size_t)count * 8) : 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = edge_add(g, children[i], by);
    return fatal(r) ? r : 0;
}

static int awaited_by_add(struct listing *g, const struct asyncio_task *t)
{
    CLEANUP(free_pointer) uint64_t *items = NULL;
    size_t count = 0;

    if (!t->awaited_by)
        return 0;
    if (!t->awaited_by_is_set)
        return edge_add(g, t->address, t->awaited_by);
    int r = asyncio_set_read(g->p, t->awaited_by, &items, &count);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = edge_add(g, t->address, items[i]);
    return fatal(r) ? r : 0;
}

static int waits_resolve(struct listing *g)
{
    int r = 0;

    for (size_t i = 0; i < g->count && r == 0; i++) {
        const struct asyncio_task *read = &g->items[i].read;
        struct python_task *t = &g->items[i].task;
        uint64_t index;
        if (g->p->asyncio->awaited_by)
            r = awaited_by_add(g, read);
        if (t->state != PYTHON_TASK_WAITING)
            continue;
        if (map_get(&g->index, read->waiter, &index))
            t->awaits_task = (uint32_t)index;
        if (r == 0 && !g->p->asyncio->awaited_by)
            r = g->items[i].gathering ? gathered_add(g, read->waiter, read->address)
                                      : edge_add(g, read->waiter, read->address);
    }
    return r;
}

static int edge_compare(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;

    return x->task != y->task ? (x->task < y->task ? -1 : 1) : (x->by > y->by) - (x->by < y->by);
}

static int edges_give(struct listing *g)
{
    if (g->edge_count == 0)
        return 0;
    qsort(g->edges, g->edge_count, sizeof(*g->edges), edge_compare);
    uint32_t *by = arena_alloc(&g->to->arena, g->edge_count * sizeof(*by));
    if (!by)
        return -ENOMEM;
    for (size_t i = 0; i < g->edge_count; i++) {
        struct python_task *t = &g->items[g->edges[i].task].task;
        by[i] = g->edges[i].by;
        if (t->awaited_by_count++ == 0)
            t->awaited_by = by + i;
    }
    return 0;
}

/* By loop; then names of the same beginning by their number, so that Task-9 comes before Task-10. */
static int listed_compare(const void *a, const void *b)
{
    const struct python_task *x = &((const struct listed *)a)->task, *y = &((const struct listed *)b)->task;

    if (x->loop != y->loop)
        return x->loop < y->loop ? -1 : 1;
    int order = strverscmp(x->name, y->name);
    return order ? order : (x->address > y->address) - (x->address < y->address);
}

static int list(struct listing *g)
{
    int r = find_all(g);

    for (size_t i = 0; i < g->found_count && r == 0; i++)
        r = task_take(g, g->found[i]);
    if (r < 0 || g->count == 0)
        return r;
    qsort(g->items, g->count, sizeof(*g->items), listed_compare);
    for (size_t i = 0; i < g->count && r == 0; i++)
        r = map_put(&g->index, g->items[i].task.address, i);
    if (r == 0)
        r = waits_resolve(g);
    if (r == 0)
        r = edges_give(g);
    g->to->items = r == 0 ? arena_alloc(&g->to->arena, g->count * sizeof(*g->to->items)) : NULL;
    if (!g->to->items)
        return r < 0 ? r : -ENOMEM;
    for (size_t i = 0; i < g->count; i++)
        g->to->items[i] = g->items[i].task;
    g->to->count = g->count;
    return 0;
}

int python_tasks_read(struct python_process *p, struct python_tasks *ret)
{
    struct python_tasks tasks = {0};
    struct listing g = {.p = p, .to = &tasks};

    int r = asyncio_find(p, true);
    if (r == -ENOTSUP)
        snprintf(tasks.unreadable, sizeof(tasks.unreadable), "%s", p->asyncio->unreadable);
    else if (fatal(r))
        return r;
    arena_init(&tasks.arena, ARENA_CAP);
    map_init(&g.seen);
    map_init(&g.index);
    map_init(&g.loops);
    r = r == 0 ? list(&g) : 0;
    map_release(&g.seen);
    map_release(&g.index);
    map_release(&g.loops);
    free(g.found);
    free(g.items);
    free(g.chain);
    free(g.edges);
    if (r < 0) {
        python_tasks_release(&tasks);
        return r;
    }
    *ret = tasks;
    return 0;
}

void python_tasks_release(struct python_tasks *t)
{
    free(t->loops);
    arena_release(&t->arena);
    *t = (struct python_tasks){0};
}
