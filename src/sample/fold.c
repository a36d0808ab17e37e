/* Stacks to small numbers: a trie whose nodes are (parent, frame), and frames that are (code, instruction). */
#include "sample/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int fold_init(struct fold *f)
{
    memset(f, 0, sizeof(*f));
    map_init(&f->frames);
    map_init(&f->stacks);
    f->stack_count = 1; /* 0 is the empty stack */
    f->epoch = 1;
    return 0;
}

void fold_release(struct fold *f)
{
    map_release(&f->frames);
    map_release(&f->stacks);
}

void fold_restart(struct sampler *s)
{
    struct fold *f = &s->fold;
    uint32_t epoch = f->epoch + 1;

    fold_release(f);
    fold_init(f);
    f->epoch = epoch;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->watched[i].thread_count; k++) {
            struct watched_thread *t = &s->watched[i].threads[k];
            t->depth = 0;
            t->stack = t->plain_stack = 0;
            t->state = t->task = 0;
        }
    record_put_restart(s->writer);
}

/* Room for `id` in a table from the target's ids to the recording's; what is new is 0. */
static bool ids_reserve(uint32_t **ids, size_t *capacity, uint32_t id)
{
    size_t before = *capacity;

    if (array_reserve(ids, capacity, id + 1u, sizeof(**ids)) < 0)
        return false;
    if (*capacity > before)
        memset(*ids + before, 0, (*capacity - before) * sizeof(**ids));
    return true;
}

static void epoch_enter(struct sampler *s, struct watched *w)
{
    if (w->epoch == s->fold.epoch)
        return;
    if (w->codes)
        memset(w->codes, 0, w->codes_capacity * sizeof(*w->codes));
    if (w->tasks)
        memset(w->tasks, 0, w->tasks_capacity * sizeof(*w->tasks));
    w->epoch = s->fold.epoch;
}

static uint32_t code_id(struct sampler *s, struct watched *w, uint32_t code)
{
    epoch_enter(s, w);
    if (!ids_reserve(&w->codes, &w->codes_capacity, code))
        return 0;
    if (!w->codes[code]) {
        const struct python_code *c = python_code(w->python, code);
        struct record_code r = {.id = s->fold.code_count++,
            .process = w->id,
            .qualname = c->qualname,
            .file = c->file,
            .first_line = c->first_line};
        record_put_code(s->writer, &r);
        w->codes[code] = r.id + 1;
        sources_note(s, w, c->file);
    }
    return w->codes[code] - 1;
}

static uint32_t frame_id(struct sampler *s, struct watched *w, const struct python_frame *f)
{
    uint32_t code = code_id(s, w, f->code);
    uint64_t key = (uint64_t)code << 32 | f->at, id;

    if (map_get(&s->fold.frames, key, &id))
        return (uint32_t)id;
    struct python_location l;
    python_code_location(w->python, f->code, f->at, &l);
    struct record_frame r = {.id = s->fold.frame_count++,
        .code = code,
        .kind = RECORD_FRAME_PYTHON,
        .line = l.line,
        .end_line = l.end_line,
        .column = l.column,
        .end_column = l.end_column};
    record_put_frame(s->writer, &r);
    (void)map_put(&s->fold.frames, key, r.id);
    return r.id;
}

static uint32_t stack_id(struct sampler *s, uint32_t parent, uint32_t frame)
{
    uint64_t key = (uint64_t)parent << 32 | frame, id;

    if (map_get(&s->fold.stacks, key, &id))
        return (uint32_t)id;
    id = s->fold.stack_count++;
    record_put_stack(s->writer, (uint32_t)id, parent, frame);
    (void)map_put(&s->fold.stacks, key, id);
    return (uint32_t)id;
}

uint32_t fold_stack(struct sampler *s, struct watched *w, struct watched_thread *t, const struct python_thread *from)
{
    size_t same = 0, least = from->depth < t->depth ? from->depth : t->depth;

    while (
        same < least && from->frames[same].code == t->frames[same].code && from->frames[same].at == t->frames[same].at)
        same++;
    if (same == from->depth && same == t->depth)
        return t->plain_stack;
    if (array_reserve(&t->frames, &t->capacity, from->depth, sizeof(*t->frames)) < 0 ||
        array_reserve(&t->nodes, &t->nodes_capacity, from->depth, sizeof(*t->nodes)) < 0)
        return 0;
    for (size_t i = same; i < from->depth; i++) {
        t->frames[i] = from->frames[i];
        t->nodes[i] = stack_id(s, i ? t->nodes[i - 1] : 0, frame_id(s, w, &from->frames[i]));
    }
    t->depth = from->depth;
    t->plain_stack = t->depth ? t->nodes[t->depth - 1] : 0;
    return t->plain_stack;
}

uint32_t fold_task(struct sampler *s, struct watched *w, uint32_t running)
{
    epoch_enter(s, w);
    if (!ids_reserve(&w->tasks, &w->tasks_capacity, running))
        return 0;
    if (!w->tasks[running] && s->fold.task_count < TASKS_CAP) {
        struct python_running task = python_running(w->python, running);
        struct record_task r = {
            .id = ++s->fold.task_count, .process = w->id, .code = code_id(s, w, task.code), .name = task.name};
        record_put_task(s->writer, &r);
        w->tasks[running] = r.id;
    }
    return w->tasks[running];
}

uint32_t fold_pseudo(struct sampler *s, uint32_t stack, enum record_frame_kind kind)
{
    uint64_t key = UINT64_MAX - (uint64_t)kind, id;

    if (!map_get(&s->fold.frames, key, &id)) {
        struct record_frame r = {.id = s->fold.frame_count++, .kind = kind};
        id = r.id;
        record_put_frame(s->writer, &r);
        (void)map_put(&s->fold.frames, key, id);
    }
    return stack_id(s, stack, (uint32_t)id);
}
