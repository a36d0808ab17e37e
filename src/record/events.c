/* The events of a chunk: every id and size checked, then called back. */
#include "record/reading.h"

#include <errno.h>
#include <string.h>

#define CALL(g, name, ...) ((g)->events->name != NULL ? (g)->events->name((g)->context, __VA_ARGS__) : 0)

static bool fits(uint64_t value, uint64_t limit, uint32_t *ret)
{
    *ret = value < limit ? (uint32_t)value : 0;
    return value < limit;
}

/* base + delta, if that lies in [0, limit). */
static bool moved(uint32_t base, int64_t delta, uint64_t limit, uint32_t *ret)
{
    if (delta > INT64_C(0x100000000) || delta < -INT64_C(0x100000000))
        return false;
    int64_t value = (int64_t)base + delta;
    return value >= 0 && fits((uint64_t)value, limit, ret);
}

/* ---- ids ---- */

static bool id_known(const struct ids *s, uint64_t id, uint32_t *ret)
{
    uint64_t ours = id;
    bool known = id < s->same || (s->same < s->count && map_get(&s->map, id, &ours));
    *ret = known ? (uint32_t)ours : 0;
    return known;
}

/* A known one, or a new one: the next, unless some were missed. */
static bool id_may_be(const struct record_reader *g, const struct ids *s, uint64_t id, uint64_t limit)
{
    uint32_t ours;
    return id_known(s, id, &ours) || (id < limit && s->count < limit && (id == s->count || g->gaps));
}

/* Of one that may be. 0 or -ENOMEM. */
static int id_define(struct ids *s, uint64_t id, uint32_t *ret)
{
    if (id_known(s, id, ret))
        return 0;
    if (id == s->count && s->same == s->count)
        s->same++;
    else if (map_put(&s->map, id, s->count) < 0)
        return -ENOMEM;
    *ret = s->count++;
    return 0;
}

/* ---- ticks and states ---- */

static int read_tick(struct record_reader *g, struct reader *r, uint8_t op)
{
    uint64_t delta;
    if (op < 0xc0) {
        delta = (uint64_t)(op & 0x3f) << 8;
    } else if (op < 0xe0) {
        delta = (uint64_t)(op & 0x1f) << 16;
        delta |= (uint64_t)reader_byte(r) << 8;
    } else if (op < 0xf0) {
        delta = (uint64_t)(op & 0x0f) << 24;
        delta |= (uint64_t)reader_byte(r) << 16;
        delta |= (uint64_t)reader_byte(r) << 8;
    } else if (op == FORMAT_TICK_VARINT) {
        delta = reader_varint(r);
    } else {
        return damaged(g, "an unknown event");
    }
    if (op < 0xf0)
        delta |= reader_byte(r);
    if (r->failed)
        return damaged(g, "a tick that is cut short");
    /* Half of the range is 292 years: enough for any clock, and sums of two times cannot overflow. */
    uint64_t unit = g->version == 1 ? 1 : FORMAT_TICK_NS;
    if (delta > (INT64_MAX - g->time_ns) / unit)
        return damaged(g, "a time out of range");
    g->time_ns += delta * unit;
    return CALL(g, tick, g->time_ns);
}

static int read_state(struct record_reader *g, struct reader *r, uint8_t op)
{
    uint32_t thread = g->last_thread, stack;
    if ((op & FORMAT_STATE_THREAD) == 0 ? g->thread_ids.count == 0
                                        : !id_known(&g->thread_ids, reader_varint(r), &thread))
        return damaged(g, "the state of an unknown thread");
    struct last_state *last = &g->threads[thread];
    uint32_t state = (op & FORMAT_STATE_FLAGS) != 0 ? reader_byte(r) : last->state;
    uint64_t raw = op & ((1u << FORMAT_STATE_BITS) - 1);
    if ((op & FORMAT_STATE_MORE) != 0) {
        uint64_t more = reader_varint(r);
        if (more >> 40 != 0)
            return damaged(g, "an unknown stack");
        raw |= more << FORMAT_STATE_BITS;
    }
    int64_t delta = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
    if (r->failed)
        return damaged(g, "a state that is cut short");
    if (!moved(last->stack, delta, g->stacks, &stack))
        return damaged(g, "an unknown stack");
    last->stack = stack;
    last->state = state;
    g->last_thread = thread;
    return CALL(g, state, thread, stack, state);
}

/* ---- definitions ---- */

static int read_string(struct record_reader *g, struct reader *r)
{
    uint64_t size = reader_varint(r);
    const uint8_t *bytes = size <= FORMAT_STRING_MAX ? reader_bytes(r, (size_t)size) : NULL;
    if (r->failed || bytes == NULL)
        return damaged(g, "a string that is cut short or too long");
    if (size > 0 && memchr(bytes, 0, (size_t)size) != NULL)
        return damaged(g, "a string with a zero byte");
    /* Strings are interned: a stranger's file may define one twice, and then its ids would shift. */
    uint32_t id;
    g->strings_size += size + FORMAT_STRING_OVERHEAD;
    if (g->strings_size > FORMAT_STRINGS_MAX)
        return damaged(g, "more strings than a recording may have");
    int e = strings_intern(&g->strings, (const char *)bytes, (size_t)size, &id);
    if (e < 0)
        return e;
    if (id != g->string_count)
        return damaged(g, "a string defined twice");
    g->string_count++;
    return 0;
}

static int read_code(struct record_reader *g, struct reader *r)
{
    struct record_code c = {.id = g->codes};
    uint32_t qualname, file;
    bool ok = id_known(&g->processes, reader_varint(r), &c.process);
    ok = fits(reader_varint(r), g->string_count, &qualname) && ok;
    ok = fits(reader_varint(r), g->string_count, &file) && ok;
    ok = fits(reader_varint(r), UINT64_C(1) << 32, &c.first_line) && ok;
    if (r->failed || !ok || g->codes >= FORMAT_IDS_MAX)
        return damaged(g, "a code object that does not hold together");
    c.qualname = strings_get(&g->strings, qualname, NULL);
    c.file = strings_get(&g->strings, file, NULL);
    g->codes++;
    return CALL(g, code, &c);
}

static int read_frame(struct record_reader *g, struct reader *r)
{
    struct record_frame f = {.id = g->frames};
    const uint64_t all = UINT64_C(1) << 32;
    uint8_t kind = reader_byte(r);
    bool ok = moved(g->frame_code, reader_zigzag(r), FORMAT_IDS_MAX, &f.code);
    ok = fits(reader_varint(r), all, &f.line) && ok;
    ok = moved(f.line, reader_zigzag(r), all, &f.end_line) && ok;
    ok = fits(reader_varint(r), all, &f.column) && ok;
    ok = fits(reader_varint(r), all, &f.end_column) && ok;
    if (r->failed || !ok || kind > RECORD_FRAME_CUT || (kind == RECORD_FRAME_PYTHON && f.code >= g->codes) ||
        g->frames >= FORMAT_IDS_MAX)
        return damaged(g, "a frame that does not hold together");
    g->frame_code = f.code;
    f.kind = kind;
    if (kind != RECORD_FRAME_PYTHON)
        f.code = 0;
    g->frames++;
    return CALL(g, frame, &f);
}

static int read_stack(struct record_reader *g, struct reader *r)
{
    uint64_t back = reader_varint(r);
    uint32_t frame;
    bool ok = moved(g->stack_frame, reader_zigzag(r), g->frames, &frame);
    if (r->failed || !ok || back >= g->stacks || g->stacks >= FORMAT_IDS_MAX)
        return damaged(g, "a stack that does not hold together");
    uint32_t id = g->stacks++;
    g->stack_frame = frame;
    return CALL(g, stack, id, id - 1 - (uint32_t)back, frame);
}

/* A string of a skippable event, NUL-terminated in g->text, at the returned offset. */
static bool read_text(struct record_reader *g, struct reader *r, size_t *ret_offset)
{
    uint64_t size = reader_varint(r);
    if (r->failed || size > FORMAT_STRING_MAX)
        return false;
    const uint8_t *bytes = reader_bytes(r, (size_t)size);
    if (r->failed || (size > 0 && memchr(bytes, 0, (size_t)size) != NULL))
        return false;
    *ret_offset = g->text.size;
    if (size > 0)
        buffer_append(&g->text, bytes, (size_t)size);
    buffer_append_byte(&g->text, 0);
    return !g->text.failed;
}

static const char *text_at(const struct record_reader *g, size_t offset)
{
    return (const char *)g->text.data + offset;
}

static int read_meta(struct record_reader *g, struct reader *r)
{
    size_t key, value;
    if (!read_text(g, r, &key) || !read_text(g, r, &value))
        return damaged(g, "a note that does not hold together");
    return CALL(g, meta, text_at(g, key), text_at(g, value));
}

static int read_process(struct record_reader *g, struct reader *r)
{
    struct record_process p = {0};
    size_t python, command;
    uint64_t id = reader_varint(r), parent = reader_varint(r);
    bool ok = parent <= id;
    int64_t pid = reader_zigzag(r);
    p.start_ns = reader_varint(r);
    p.image = reader_varint(r);
    ok = read_text(g, r, &python) && read_text(g, r, &command) && ok;
    uint64_t run = r->at < r->end ? reader_varint(r) : 0;
    /* Neither id is defined before the whole holds: what is known here, the callbacks have been told of. */
    ok = id_may_be(g, &g->processes, id, FORMAT_PROCESSES_MAX) && id_may_be(g, &g->runs, run, FORMAT_RUNS_MAX) && ok;
    if (r->failed || !ok || pid < INT32_MIN || pid > INT32_MAX || p.start_ns > INT64_MAX)
        return damaged(g, "a process that does not hold together");
    int e = id_define(&g->processes, id, &p.id);
    if (e == 0)
        e = id_define(&g->runs, run, &p.run);
    if (e < 0)
        return e;
    /* Its parent may have ended in what was missed. */
    if (!id_known(&g->processes, parent, &p.parent) || p.parent > p.id)
        p.parent = p.id;
    p.pid = (int32_t)pid;
    p.python = text_at(g, python);
    p.command = text_at(g, command);
    return CALL(g, process, &p);
}

static int read_process_end(struct record_reader *g, struct reader *r)
{
    struct record_process_end p;
    bool ok = id_known(&g->processes, reader_varint(r), &p.process);
    p.time_ns = reader_varint(r);
    p.cpu_ns = reader_varint(r);
    int64_t status = reader_zigzag(r);
    if (r->failed || !ok || status < INT32_MIN || status > INT32_MAX || p.time_ns > INT64_MAX || p.cpu_ns > INT64_MAX)
        return damaged(g, "the end of a process that does not hold together");
    p.status = (int32_t)status;
    return CALL(g, process_end, &p);
}

static int read_thread(struct record_reader *g, struct reader *r)
{
    struct record_thread t = {0};
    size_t name;
    uint64_t id = reader_varint(r);
    bool ok = id_known(&g->processes, reader_varint(r), &t.process);
    int64_t tid = reader_zigzag(r);
    ok = read_text(g, r, &name) && id_may_be(g, &g->thread_ids, id, FORMAT_THREADS_MAX) && ok;
    if (r->failed || !ok || tid < INT32_MIN || tid > INT32_MAX)
        return damaged(g, "a thread that does not hold together");
    uint32_t before = g->thread_ids.count;
    int e = id_define(&g->thread_ids, id, &t.id);
    if (e == 0 && t.id == before)
        e = array_reserve(&g->threads, &g->thread_capacity, (size_t)before + 1, sizeof(*g->threads));
    if (e < 0)
        return e;
    if (t.id == before)
        g->threads[t.id] = (struct last_state){0};
    t.tid = (int32_t)tid;
    t.name = text_at(g, name);
    return CALL(g, thread, &t);
}

static int read_thread_cpu(struct record_reader *g, struct reader *r)
{
    struct record_thread_cpu c;
    bool ok = id_known(&g->thread_ids, reader_varint(r), &c.thread);
    c.kernel_cpu_ns = reader_varint(r);
    c.kernel_wait_ns = reader_varint(r);
    if (r->failed || !ok || c.kernel_cpu_ns > INT64_MAX || c.kernel_wait_ns > INT64_MAX)
        return damaged(g, "the CPU time of an unknown thread");
    return CALL(g, thread_cpu, &c);
}

static int read_counters(struct record_reader *g, struct reader *r)
{
    struct record_counters c = {0};
#define READ_COUNTER(name)                                                                                             \
    if (r->at < r->end)                                                                                                \
        c.name = reader_varint(r);
    RECORD_COUNTERS(READ_COUNTER)
#undef READ_COUNTER
    if (r->failed)
        return damaged(g, "counters that are cut short");
    return CALL(g, counters, &c);
}

static int read_source(struct record_reader *g, struct reader *r)
{
    bool whole = reader_byte(r) != 0;
    const uint8_t *digest = reader_bytes(r, 32);
    size_t path;
    bool ok = read_text(g, r, &path);
    uint64_t size = reader_varint(r);
    if (r->failed || !ok || size > FORMAT_SOURCE_MAX)
        return damaged(g, "a source text that does not hold together");
    const uint8_t *text = reader_bytes(r, (size_t)size);
    if (r->failed)
        return damaged(g, "a source text that is cut short");
    return CALL(g, source, text_at(g, path), digest, text, (size_t)size, whole);
}

static int read_task(struct record_reader *g, struct reader *r)
{
    struct record_task t = {0};
    size_t name;
    bool ok = fits(reader_varint(r), FORMAT_TASKS_MAX, &t.id) && t.id == g->tasks + 1;
    ok = id_known(&g->processes, reader_varint(r), &t.process) && ok;
    ok = fits(reader_varint(r), g->codes, &t.code) && ok;
    ok = read_text(g, r, &name) && ok;
    if (r->failed || !ok)
        return damaged(g, "a task that does not hold together");
    g->tasks++;
    t.name = text_at(g, name);
    return CALL(g, task, &t);
}

static int read_thread_task(struct record_reader *g, struct reader *r)
{
    uint32_t thread, task;
    bool ok = id_known(&g->thread_ids, reader_varint(r), &thread);
    ok = fits(reader_varint(r), (uint64_t)g->tasks + 1, &task) && ok;
    if (r->failed || !ok)
        return damaged(g, "the task of a thread that does not hold together");
    return CALL(g, thread_task, thread, task);
}

static int read_known(struct record_reader *g, struct reader *r, uint8_t op)
{
    switch (op) {
    case FORMAT_META:
        return read_meta(g, r);
    case FORMAT_PROCESS:
        return read_process(g, r);
    case FORMAT_PROCESS_END:
        return read_process_end(g, r);
    case FORMAT_THREAD:
        return read_thread(g, r);
    case FORMAT_THREAD_CPU:
        return read_thread_cpu(g, r);
    case FORMAT_COUNTERS:
        return read_counters(g, r);
    case FORMAT_SOURCE:
        return read_source(g, r);
    case FORMAT_TASK:
        return read_task(g, r);
    case FORMAT_THREAD_TASK:
        return read_thread_task(g, r);
    default:
        return 0; /* from a later writer of this version */
    }
}

static int read_skippable(struct record_reader *g, struct reader *r, uint8_t op)
{
    uint64_t size = reader_varint(r);
    const uint8_t *bytes = size <= FORMAT_CHUNK_MAX ? reader_bytes(r, (size_t)size) : NULL;
    if (r->failed || bytes == NULL)
        return damaged(g, "an event that is cut short");
    struct reader inner = {.at = bytes, .end = bytes + size};
    buffer_clear(&g->text);
    int result = read_known(g, &inner, op);
    /* A text is shorter than its chunk, so only memory can have been short. */
    if (g->text.failed) {
        g->damage = NULL;
        return -ENOMEM;
    }
    return result;
}

static int read_event(struct record_reader *g, struct reader *r)
{
    uint8_t op = reader_byte(r);
    if (op >= 0x80)
        return read_tick(g, r, op);
    if (op >= FORMAT_STATE)
        return read_state(g, r, op);
    if (op >= FORMAT_SKIPPABLE)
        return read_skippable(g, r, op);
    switch (op) {
    case FORMAT_STRING:
        return read_string(g, r);
    case FORMAT_CODE:
        return read_code(g, r);
    case FORMAT_FRAME:
        return read_frame(g, r);
    case FORMAT_STACK:
        return read_stack(g, r);
    default:
        return damaged(g, "an unknown event");
    }
}

int events_restart(struct record_reader *g)
{
    strings_release(&g->strings);
    int r = strings_init(&g->strings, SIZE_MAX);
    if (r < 0)
        return r;
    g->strings_size = 0;
    g->string_count = g->codes = g->frames = g->tasks = 0;
    g->stacks = 1;
    g->last_thread = g->frame_code = g->stack_frame = 0;
    g->time_ns = 0;
    for (size_t i = 0; i < g->thread_ids.count; i++)
        g->threads[i] = (struct last_state){0};
    return g->events->restart != NULL ? g->events->restart(g->context) : 0;
}

int events_read(struct record_reader *g, const uint8_t *payload, size_t size)
{
    int r = 0;
    struct reader reader = {.at = payload, .end = payload + size};
    while (r == 0 && reader.at < reader.end)
        r = read_event(g, &reader);
    return r;
}
