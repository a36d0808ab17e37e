/* Where asyncio keeps its tasks, and what is in one. */
#include "python/asyncio.h"
#include "python/layout_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_AGAIN_NS = 100000000, /* after a miss; doubles each time, */
    LOOK_AGAIN_DOUBLINGS = 6,  /* up to 6.4 s */
    FIRST_PUBLISHED = 0x030e,
    BASES_CAP = 64,
    SMALL_TABLE = 8, /* slots of a dict's least table, a byte each; so many of them get filled */
    SMALL_ENTRIES = 5,
    GENERAL_ENTRY = 24, /* PyDictKeyEntry */
    DICT_READS = 6,     /* that python_dict_entries takes */
};

/* struct TaskObj of Modules/_asynciomodule.c, which no header shows. A version whose Task objects have another size
 * than this is not read. */
static const struct {
    uint16_t version, size, waiter, coroutine, name;
} tables[] = {
    {0x0308, 144, 104, 112, 120},
    {0x0309, 184, 144, 152, 160},
    {0x030a, 192, 152, 160, 168},
    {0x030b, 176, 128, 136, 144},
    {0x030c, 176, 128, 136, 144},
    {0x030d, 144, 112, 120, 128},
};

/* struct _Py_AsyncioModuleDebugOffsets (3.14+), as eight-byte words. */
enum {
    WORD_TASK_SIZE,
    WORD_TASK_NAME,
    WORD_TASK_AWAITED_BY,
    WORD_TASK_IS_TASK,
    WORD_TASK_AWAITED_BY_IS_SET,
    WORD_TASK_CORO,
    WORD_TASK_NODE,
    WORD_INTERPRETER_SIZE,
    WORD_INTERPRETER_TASKS,
    WORD_THREAD_SIZE,
    WORD_RUNNING_LOOP,
    WORD_RUNNING_TASK,
    WORD_THREAD_TASKS,
    WORDS
};

static int word_read(struct python_process *p, uint64_t address, uint64_t *ret)
{
    p->counters.reads++;
    int r = target_read(p->target, address, ret, sizeof(*ret));
    return r == -EFAULT ? -EAGAIN : r;
}

static uint16_t head_size(const struct python_layout *l) /* of a PyObject */
{
    return (uint16_t)(l->object_type + 8);
}

/* ---- types ---- */

static bool derives_from(struct python_process *p, uint64_t type, uint64_t base)
{
    for (int i = 0; i < BASES_CAP && type; i++) {
        if (type == base)
            return true;
        if (word_read(p, type + p->layout.type_base, &type) < 0)
            return false;
    }
    return false;
}

static enum asyncio_kind kind_of(struct python_process *p, uint64_t type, const char *name)
{
    static const struct {
        const char *name;
        enum asyncio_kind kind;
    } known[] = {
        {"coroutine", ASYNCIO_GENERATOR},
        {"generator", ASYNCIO_GENERATOR},
        {"async_generator", ASYNCIO_GENERATOR},
        {"async_generator_asend", ASYNCIO_WRAPPER},
        {"async_generator_athrow", ASYNCIO_WRAPPER},
        {"anext_awaitable", ASYNCIO_WRAPPER},
        {"coroutine_wrapper", ASYNCIO_WRAPPER},
        {"_asyncio.FutureIter", ASYNCIO_ITERATOR},
        {"_GatheringFuture", ASYNCIO_GATHERING},
    };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].kind;
    for (size_t i = 0; i < p->asyncio->place_count; i++)
        if (derives_from(p, type, p->asyncio->places[i].task_type))
            return ASYNCIO_TASK;
    return ASYNCIO_OTHER;
}

static int type_read(struct python_process *p, uint64_t address, struct asyncio_type *ret)
{
    char name[128] = "";
    uint64_t at;

    int r = word_read(p, address + p->layout.type_name, &at);
    if (r < 0)
        return r;
    size_t rest = 4096 - (size_t)(at & 4095), size = sizeof(name) - 1 < rest ? sizeof(name) - 1 : rest;
    p->counters.reads++;
    r = target_read(p->target, at, name, size);
    if (r == 0 && size == rest && !memchr(name, 0, size)) /* it goes on behind the page's end */
        r = target_read(p->target, at, name, sizeof(name) - 1);
    if (r < 0)
        return r == -EFAULT ? -EAGAIN : r;
    const char *dot = strrchr(name, '.');
    *ret = (struct asyncio_type){.address = address, .kind = kind_of(p, address, name)};
    snprintf(ret->name, sizeof(ret->name), "%.63s", dot ? dot + 1 : name);
    return 0;
}

const struct asyncio_type *asyncio_type_of(struct python_process *p, uint64_t object)
{
    struct asyncio *a = p->asyncio;
    struct asyncio_type fresh;
    uint64_t type, at;

    if (object < 4096 || (object & 7) || word_read(p, object + p->layout.object_type, &type) < 0 || type < 4096 ||
        (type & 7))
        return NULL;
    if (map_get(&a->type_index, type, &at) && at < a->type_count)
        return &a->types[at];
    if (type_read(p, type, &fresh) < 0)
        return NULL;
    if (a->type_count >= ASYNCIO_TYPES_CAP) {
        a->type_count = 0;
        map_clear(&a->type_index);
    }
    if (array_reserve(&a->types, &a->type_capacity, a->type_count + 1, sizeof(*a->types)) < 0 ||
        map_put(&a->type_index, type, a->type_count) < 0)
        return NULL;
    a->types[a->type_count] = fresh;
    return &a->types[a->type_count++];
}

/* ---- finding ---- */

static int offsets_refuse(struct asyncio *a, const char *what, uint64_t value)
{
    snprintf(a->unreadable, sizeof(a->unreadable), "asyncio publishes %s = %" PRIu64 ": damaged or unknown table", what,
        value);
    return -ENOTSUP;
}

/* Each field aligned, inside its struct and on none of the others: what is read later needs no more checks. */
static int offsets_take(struct python_process *p, const uint64_t w[WORDS])
{
    struct asyncio *a = p->asyncio;
    const struct python_layout *l = &p->layout;
    const struct {
        const char *name;
        uint64_t at, width, size, low;
    } fields[] = {
        {"task_name", w[WORD_TASK_NAME], 8, w[WORD_TASK_SIZE], 0},
        {"task_awaited_by", w[WORD_TASK_AWAITED_BY], 8, w[WORD_TASK_SIZE], 0},
        {"task_awaited_by_is_set", w[WORD_TASK_AWAITED_BY_IS_SET], 1, w[WORD_TASK_SIZE], 0},
        {"task_coro", w[WORD_TASK_CORO], 8, w[WORD_TASK_SIZE], head_size(l) + 8u},
        {"task_node", w[WORD_TASK_NODE], 16, w[WORD_TASK_SIZE], 0},
        {"interpreter.asyncio_tasks_head", w[WORD_INTERPRETER_TASKS], 16, w[WORD_INTERPRETER_SIZE], 0},
        {"thread.asyncio_running_loop", w[WORD_RUNNING_LOOP], 8, w[WORD_THREAD_SIZE], 0},
        {"thread.asyncio_running_task", w[WORD_RUNNING_TASK], 8, w[WORD_THREAD_SIZE], 0},
        {"thread.asyncio_tasks_head", w[WORD_THREAD_TASKS], 16, w[WORD_THREAD_SIZE], 0},
    };

    if (w[WORD_TASK_SIZE] < 64 || w[WORD_TASK_SIZE] > PYTHON_HEAD_MAX)
        return offsets_refuse(a, "task.size", w[WORD_TASK_SIZE]);
    if (w[WORD_INTERPRETER_SIZE] < l->interpreter_size || w[WORD_INTERPRETER_SIZE] > 16u << 20)
        return offsets_refuse(a, "interpreter.size", w[WORD_INTERPRETER_SIZE]);
    if (w[WORD_THREAD_SIZE] < l->thread_size || w[WORD_THREAD_SIZE] > 1u << 20)
        return offsets_refuse(a, "thread.size", w[WORD_THREAD_SIZE]);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        uint64_t width = fields[i].width;
        if (fields[i].at < fields[i].low + head_size(l) || fields[i].at > fields[i].size - width ||
            (width >= 8 && fields[i].at % 8))
            return offsets_refuse(a, fields[i].name, fields[i].at);
        for (size_t k = 0; k < i; k++)
            if (fields[k].size == fields[i].size && fields[k].at < fields[i].at + width &&
                fields[i].at < fields[k].at + fields[k].width)
                return offsets_refuse(a, fields[i].name, fields[i].at);
    }
    a->task_size = (uint16_t)w[WORD_TASK_SIZE];
    a->name = (uint16_t)w[WORD_TASK_NAME];
    a->coroutine = (uint16_t)w[WORD_TASK_CORO];
    a->waiter = (uint16_t)(w[WORD_TASK_CORO] - 8); /* not published: task_fut_waiter stands before task_coro */
    a->awaited_by = (uint16_t)w[WORD_TASK_AWAITED_BY];
    a->awaited_by_is_set = (uint16_t)w[WORD_TASK_AWAITED_BY_IS_SET];
    a->node = (uint16_t)w[WORD_TASK_NODE];
    a->running_loop = (uint32_t)w[WORD_RUNNING_LOOP];
    a->running_task = (uint32_t)w[WORD_RUNNING_TASK];
    a->thread_tasks = (uint32_t)w[WORD_THREAD_TASKS];
    a->interpreter_tasks = (uint32_t)w[WORD_INTERPRETER_TASKS];
    return 0;
}

/* The section lies in the extension module, or in the interpreter where that is built in. */
static int published_find(struct python_process *p, uint64_t *ret)
{
    struct target_maps maps;
    struct error ignored;
    int r = target_maps_read(p->target, &maps, &ignored);

    if (r < 0)
        return r;
    r = -ENOENT;
    for (int pass = 0; pass < 2 && r == -ENOENT; pass++)
        for (size_t i = 0; i < maps.count && r == -ENOENT; i++) {
            const struct target_map *m = &maps.items[i];
            const char *slash = strrchr(m->path, '/'), *name = slash ? slash + 1 : m->path;
            struct target_symbol symbol;
            if (!m->inode ||
                (pass == 0 ? strncmp(name, "_asyncio.", 9) != 0 : p->runtime - m->start >= m->end - m->start))
                continue;
            if (target_find_section(p->target, &maps, m, ".AsyncioDebug", &symbol, &ignored) == 0 &&
                symbol.size >= WORDS * 8) {
                *ret = symbol.address;
                r = 0;
            }
        }
    target_maps_release(&maps);
    return r;
}

static int offsets_published(struct python_process *p)
{
    uint64_t at, words[WORDS];
    int r = published_find(p, &at);

    if (r == -ENOENT) {
        snprintf(p->asyncio->unreadable, sizeof(p->asyncio->unreadable),
            "asyncio's tasks cannot be read: no section .AsyncioDebug in this interpreter's _asyncio");
        return -ENOTSUP;
    }
    if (r == 0)
        r = target_read(p->target, at, words, sizeof(words));
    return r < 0 ? -EAGAIN : offsets_take(p, words);
}

static int offsets_by_version(struct python_process *p)
{
    struct asyncio *a = p->asyncio;

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        if (tables[i].version == p->layout.version) {
            a->task_size = tables[i].size;
            a->waiter = tables[i].waiter;
            a->coroutine = tables[i].coroutine;
            a->name = tables[i].name;
            return 0;
        }
    return -ENOTSUP;
}

/* The namespace of asyncio.tasks in this interpreter. */
static int namespace_find(struct python_process *p, uint64_t interpreter, uint64_t *ret)
{
    uint64_t at;

    if (p->layout.interpreter_modules == PYTHON_FIELD_NONE)
        return -ENOENT;
    int r = word_read(p, interpreter + p->layout.interpreter_modules, &at);
    if (r == 0)
        r = python_dict_get(p->target, &p->layout, at, "asyncio.tasks", &at);
    if (r == 0)
        r = word_read(p, at + p->layout.module_dict, ret);
    return r;
}

/* _CTask is _asyncio.Task under a name that nobody replaces (Lib/asyncio/tasks.py). */
static int task_type_take(struct python_process *p, uint64_t names, uint64_t *ret)
{
    struct asyncio *a = p->asyncio;
    uint64_t type, size;
    int r = python_dict_get(p->target, &p->layout, names, "_CTask", &type);

    if (r == -ENOENT) {
        snprintf(a->unreadable, sizeof(a->unreadable),
            "asyncio's tasks cannot be read: this program runs without the _asyncio extension module");
        return -ENOTSUP;
    }
    if (r == 0)
        r = word_read(p, type + p->layout.type_basicsize, &size);
    if (r < 0)
        return r;
    if (size != a->task_size) {
        snprintf(a->unreadable, sizeof(a->unreadable),
            "asyncio's tasks cannot be read: a Task has %" PRIu64 " bytes in this build of Python %s, and not %u", size,
            p->info.version_text, a->task_size);
        return -ENOTSUP;
    }
    *ret = type;
    return 0;
}

static int place_find(struct python_process *p, uint64_t interpreter)
{
    static const char *const names[] = {"_scheduled_tasks", "_all_tasks", "_eager_tasks", "_current_tasks"};
    struct asyncio *a = p->asyncio;
    struct asyncio_place place = {.interpreter = interpreter};
    uint64_t space, values[ARRAY_SIZE(names)] = {0};

    int r = namespace_find(p, interpreter, &space);
    if (r == 0)
        r = task_type_take(p, space, &place.task_type);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        (void)python_dict_get(p->target, &p->layout, space, names[i], &values[i]);
    place.scheduled = values[0] ? values[0] : values[1];
    place.eager = values[2];
    place.current = a->running_task ? 0 : values[3];
    if (array_reserve(&a->places, &a->place_capacity, a->place_count + 1, sizeof(*a->places)) < 0)
        return -ENOMEM;
    if (a->place_count == 0)
        a->task_type = place.task_type;
    a->places[a->place_count++] = place;
    return 0;
}

static int find_now(struct python_process *p)
{
    struct asyncio *a = p->asyncio;
    uint64_t space;
    int r = -ENOENT;

    a->place_count = a->type_count = 0; /* what was no task's type may be one of a new interpreter */
    map_clear(&a->type_index);
    for (size_t i = 0; i < p->interpreter_count && r != 0; i++)
        r = namespace_find(p, p->interpreters[i].address, &space);
    if (r == 0 && !a->task_size)
        r = p->layout.version >= FIRST_PUBLISHED ? offsets_published(p) : offsets_by_version(p);
    if (r < 0)
        return r;
    a->loop = head_size(&p->layout);
    r = -ENOENT;
    for (size_t i = 0; i < p->interpreter_count; i++) {
        int one = place_find(p, p->interpreters[i].address);
        if (one == -ENOTSUP || one == -ENOMEM)
            return one;
        r = one == 0 ? 0 : r;
    }
    return r;
}

int asyncio_find(struct python_process *p, bool now)
{
    uint64_t now_ns = clock_monotonic_ns();

    if (!p->asyncio) {
        p->asyncio = calloc(1, sizeof(*p->asyncio));
        if (!p->asyncio)
            return -ENOMEM;
        map_init(&p->asyncio->type_index);
        map_init(&p->asyncio->running_index);
        if (strings_init(&p->asyncio->names, ASYNCIO_NAMES_BYTES) < 0)
            return -ENOMEM;
    }
    struct asyncio *a = p->asyncio;
    if (a->unreadable[0])
        return -ENOTSUP;
    if (now ? false : a->found || now_ns < a->look_ns)
        return a->found ? 0 : -ENOENT;
    int r = find_now(p);
    a->found = r == 0;
    if (r == -ENOTSUP || r == -ENOMEM)
        return r;
    a->look_ns = now_ns + ((uint64_t)LOOK_AGAIN_NS << a->looks);
    a->looks += a->looks < LOOK_AGAIN_DOUBLINGS;
    return a->found ? 0 : -ENOENT;
}

void asyncio_free(struct asyncio *a)
{
    if (!a)
        return;
    free(a->places);
    free(a->types);
    map_release(&a->type_index);
    strings_release(&a->names);
    free(a->running);
    map_release(&a->running_index);
    free(a);
}

/* ---- objects ---- */

int asyncio_task_read(struct python_process *p, uint64_t address, struct asyncio_task *ret)
{
    const struct asyncio *a = p->asyncio;
    uint8_t head[PYTHON_HEAD_MAX];

    if (address < 4096 || (address & 7))
        return -EAGAIN;
    p->counters.reads++;
    int r = target_read(p->target, address, head, a->task_size);
    if (r < 0)
        return r == -EFAULT ? -EAGAIN : r;
    return asyncio_task_take(p, address, head, ret);
}

int asyncio_task_take(struct python_process *p, uint64_t address, const uint8_t *head, struct asyncio_task *ret)
{
    const struct asyncio *a = p->asyncio;

    if (load64(head + p->layout.object_type) != a->task_type) {
        const struct asyncio_type *type = asyncio_type_of(p, address);
        if (!type || type->kind != ASYNCIO_TASK)
            return -EAGAIN;
    }
    *ret = (struct asyncio_task){.address = address,
        .loop = load64(head + a->loop),
        .waiter = load64(head + a->waiter),
        .coroutine = load64(head + a->coroutine),
        .name = load64(head + a->name)};
    if (a->awaited_by) {
        ret->awaited_by = load64(head + a->awaited_by);
        ret->awaited_by_is_set = head[a->awaited_by_is_set] != 0;
    }
    return 0;
}

int asyncio_name_read(struct python_process *p, uint64_t name, struct buffer *into)
{
    int64_t number;

    int r = python_read_str(p->target, &p->layout, name, into);
    if (r == -EAGAIN && p->layout.version >= 0x030c && python_read_int(p->target, &p->layout, name, &number) == 0) {
        buffer_printf(into, "Task-%" PRId64, number);
        r = 0;
    }
    if (r == 0 && into->size > ASYNCIO_NAME_CAP) {
        size_t size = ASYNCIO_NAME_CAP;
        while (size > 0 && (into->data[size] & 0xc0) == 0x80) /* not in the middle of a character */
            size--;
        into->size = size;
        buffer_append_string(into, "\xe2\x80\xa6");
    }
    return r;
}

int asyncio_set_read(struct python_process *p, uint64_t set, uint64_t **ret, size_t *ret_count)
{
    uint64_t mask, table;

    if (set < 4096 || (set & 7))
        return -EAGAIN;
    int r = word_read(p, set + p->layout.set_mask, &mask);
    if (r == 0)
        r = word_read(p, set + p->layout.set_table, &table);
    if (r < 0)
        return r;
    if (mask >= ASYNCIO_SET_CAP || (mask & (mask + 1)) != 0)
        return -EAGAIN;
    size_t count = (size_t)mask + 1, kept = 0;
    uint64_t *entries = malloc(count * 16);
    if (!entries)
        return -ENOMEM;
    p->counters.reads++;
    r = target_read(p->target, table, entries, count * 16);
    if (r < 0) {
        free(entries);
        return r == -EFAULT ? -EAGAIN : r;
    }
    for (size_t i = 0; i < count; i++) /* {key, hash}; what was removed has the hash -1 (Objects/setobject.c) */
        if (entries[2 * i] && entries[2 * i + 1] != UINT64_MAX)
            entries[kept++] = entries[2 * i];
    *ret = entries;
    *ret_count = kept;
    return 0;
}

uint32_t asyncio_small_size(const struct python_layout *l)
{
    uint32_t size =
        python_object_layout(l->version, l->free_threaded)->keys_indices + SMALL_TABLE + SMALL_ENTRIES * GENERAL_ENTRY;
    return size <= ASYNCIO_SMALL_MAX ? size : 0;
}

bool asyncio_small_take(
    const struct python_layout *l, const uint8_t *keys, uint64_t *ret, size_t most, size_t *ret_count)
{
    const struct python_object_layout *o = python_object_layout(l->version, l->free_threaded);
    uint64_t filled = load64(keys + o->keys_entries);
    size_t kept = 0;
    bool small = l->version < 0x030b ? load64(keys + o->keys_size) == SMALL_TABLE
                                     : 1u << (keys[o->keys_size] & 31) == SMALL_TABLE && keys[o->keys_kind] == 0;

    if (!small || filled > SMALL_ENTRIES)
        return false;
    for (size_t i = 0; i < filled && kept < most; i++) { /* hash, key, value */
        uint64_t value = load64(keys + o->keys_indices + SMALL_TABLE + i * GENERAL_ENTRY + 16);
        if (value)
            ret[kept++] = value;
    }
    *ret_count = kept;
    return true;
}

int asyncio_current_read(struct python_process *p, const struct asyncio_place *place, uint64_t *ret, size_t most,
    size_t *ret_count, uint64_t *ret_keys)
{
    CLEANUP(free_pointer) struct python_dict_entry *entries = NULL;
    uint8_t keys[ASYNCIO_SMALL_MAX];
    uint32_t size = asyncio_small_size(&p->layout);
    size_t count = 0, kept = 0;

    *ret_keys = 0;
    int r = word_read(p, place->current + p->layout.dict_keys, ret_keys);
    if (r == 0 && size && *ret_keys >= 4096 && (*ret_keys & 7) == 0) {
        p->counters.reads++;
        if (target_read(p->target, *ret_keys, keys, size) == 0 &&
            asyncio_small_take(&p->layout, keys, ret, most, ret_count))
            return 0;
    }
    *ret_keys = 0;
    p->counters.reads += DICT_READS;
    r = python_dict_entries(p->target, &p->layout, place->current, &entries, &count);
    for (size_t i = 0; r == 0 && i < count && kept < most; i++)
        ret[kept++] = entries[i].value;
    if (r == 0)
        *ret_count = kept;
    return r;
}
