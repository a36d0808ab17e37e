#include "record/record.h"

#include "record/format.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct last_state {
    uint32_t stack, state;
};

struct reading {
    const struct record_events *events;
    void *context;
    struct record_summary *summary;
    /* One of the two inputs. */
    int fd;
    const uint8_t *memory;
    size_t memory_left;
    struct buffer chunk, text; /* text: NUL-terminated copies for one event */
    struct strings strings;
    uint64_t strings_size;
    struct last_state *threads;
    size_t thread_count, thread_capacity;
    uint32_t processes, codes, frames, stacks, string_count;
    uint32_t last_thread, frame_code, stack_frame;
    uint64_t time_ns;
    const char *damage; /* of the event being parsed */
    int read_error;     /* errno of a read() that failed */
};

/* What a parser of one event returns: 0, DAMAGED with `damage` set, or what a callback returned. Callbacks
 * may return any number, so damage is told by the pointer, never by the number. */
#define DAMAGED (-EBADMSG)

static int damaged(struct reading *g, const char *what)
{
    g->damage = what;
    return DAMAGED;
}

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

/* ---- ticks and states ---- */

static int read_tick(struct reading *g, struct reader *r, uint8_t op)
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
    if (delta > INT64_MAX - g->time_ns)
        return damaged(g, "a time out of range");
    g->time_ns += delta;
    return CALL(g, tick, g->time_ns);
}

static int read_state(struct reading *g, struct reader *r, uint8_t op)
{
    uint32_t thread = g->last_thread, stack;
    if ((op & FORMAT_STATE_THREAD) != 0 && !fits(reader_varint(r), g->thread_count, &thread))
        return damaged(g, "the state of an unknown thread");
    if (thread >= g->thread_count)
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

static int read_string(struct reading *g, struct reader *r)
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

static int read_code(struct reading *g, struct reader *r)
{
    struct record_code c = {.id = g->codes};
    uint32_t qualname, file;
    bool ok = fits(reader_varint(r), g->processes, &c.process);
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

static int read_frame(struct reading *g, struct reader *r)
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

static int read_stack(struct reading *g, struct reader *r)
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
static bool read_text(struct reading *g, struct reader *r, size_t *ret_offset)
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

static const char *text_at(const struct reading *g, size_t offset)
{
    return (const char *)g->text.data + offset;
}

static int read_meta(struct reading *g, struct reader *r)
{
    size_t key, value;
    if (!read_text(g, r, &key) || !read_text(g, r, &value))
        return damaged(g, "a note that does not hold together");
    return CALL(g, meta, text_at(g, key), text_at(g, value));
}

static int read_process(struct reading *g, struct reader *r)
{
    struct record_process p = {0};
    size_t python, command;
    bool ok = fits(reader_varint(r), (uint64_t)g->processes + 1, &p.id);
    ok = fits(reader_varint(r), (uint64_t)p.id + 1, &p.parent) && ok;
    int64_t pid = reader_zigzag(r);
    p.start_ns = reader_varint(r);
    p.image = reader_varint(r);
    ok = read_text(g, r, &python) && read_text(g, r, &command) && ok;
    if (r->failed || !ok || pid < INT32_MIN || pid > INT32_MAX || p.id >= FORMAT_PROCESSES_MAX ||
        p.start_ns > INT64_MAX)
        return damaged(g, "a process that does not hold together");
    p.pid = (int32_t)pid;
    p.python = text_at(g, python);
    p.command = text_at(g, command);
    g->processes += p.id == g->processes;
    return CALL(g, process, &p);
}

static int read_process_end(struct reading *g, struct reader *r)
{
    struct record_process_end p;
    bool ok = fits(reader_varint(r), g->processes, &p.process);
    p.time_ns = reader_varint(r);
    p.cpu_ns = reader_varint(r);
    int64_t status = reader_zigzag(r);
    if (r->failed || !ok || status < INT32_MIN || status > INT32_MAX || p.time_ns > INT64_MAX || p.cpu_ns > INT64_MAX)
        return damaged(g, "the end of a process that does not hold together");
    p.status = (int32_t)status;
    return CALL(g, process_end, &p);
}

static int read_thread(struct reading *g, struct reader *r)
{
    struct record_thread t = {0};
    size_t name;
    bool ok = fits(reader_varint(r), (uint64_t)g->thread_count + 1, &t.id);
    ok = fits(reader_varint(r), g->processes, &t.process) && ok;
    int64_t tid = reader_zigzag(r);
    ok = read_text(g, r, &name) && ok;
    if (r->failed || !ok || tid < INT32_MIN || tid > INT32_MAX || t.id >= FORMAT_THREADS_MAX)
        return damaged(g, "a thread that does not hold together");
    if (t.id == g->thread_count) {
        if (array_reserve(&g->threads, &g->thread_capacity, g->thread_count + 1, sizeof(*g->threads)) < 0)
            return -ENOMEM;
        g->threads[g->thread_count++] = (struct last_state){0};
    }
    t.tid = (int32_t)tid;
    t.name = text_at(g, name);
    return CALL(g, thread, &t);
}

static int read_thread_cpu(struct reading *g, struct reader *r)
{
    struct record_thread_cpu c;
    bool ok = fits(reader_varint(r), g->thread_count, &c.thread);
    c.kernel_cpu_ns = reader_varint(r);
    c.kernel_wait_ns = reader_varint(r);
    if (r->failed || !ok || c.kernel_cpu_ns > INT64_MAX || c.kernel_wait_ns > INT64_MAX)
        return damaged(g, "the CPU time of an unknown thread");
    return CALL(g, thread_cpu, &c);
}

static int read_counters(struct reading *g, struct reader *r)
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

static int read_source(struct reading *g, struct reader *r)
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

static int read_known(struct reading *g, struct reader *r, uint8_t op)
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
    default:
        return 0; /* from a later writer of this version */
    }
}

static int read_skippable(struct reading *g, struct reader *r, uint8_t op)
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

static int read_event(struct reading *g, struct reader *r)
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

/* ---- chunks ---- */

/* Reads up to size bytes; fewer only at the end of the input. Negative errno if reading itself failed. */
static ssize_t take(struct reading *g, void *into, size_t size)
{
    if (g->memory != NULL) {
        size_t n = size < g->memory_left ? size : g->memory_left;
        memcpy(into, g->memory, n);
        g->memory += n;
        g->memory_left -= n;
        return (ssize_t)n;
    }
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(g->fd, (uint8_t *)into + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g->read_error = errno;
            return -errno;
        }
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

static uint32_t get_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int restart(struct reading *g)
{
    strings_release(&g->strings);
    int r = strings_init(&g->strings, SIZE_MAX);
    if (r < 0)
        return r;
    g->strings_size = 0;
    g->string_count = g->codes = g->frames = 0;
    g->stacks = 1;
    g->last_thread = g->frame_code = g->stack_frame = 0;
    g->time_ns = 0;
    for (size_t i = 0; i < g->thread_count; i++)
        g->threads[i] = (struct last_state){0};
    return g->events->restart != NULL ? g->events->restart(g->context) : 0;
}

static int read_payload(struct reading *g, uint8_t type, const uint8_t *payload, size_t size)
{
    int r = type == FORMAT_CHUNK_RESTART ? restart(g) : 0;
    struct reader reader = {.at = payload, .end = payload + size};
    while (r == 0 && reader.at < reader.end)
        r = read_event(g, &reader);
    return r;
}

/* One chunk. False: no further one; then *ret is 0 at the end and at damage (g->damage says so), else what a
 * callback or read() returned. */
static bool read_chunk(struct reading *g, uint32_t sequence, int *ret)
{
    uint8_t header[FORMAT_CHUNK_HEADER];
    ssize_t n = take(g, header, sizeof(header));
    *ret = n < 0 ? (int)n : 0;
    if (n < 0)
        return false;
    if (n == 0) {
        g->damage = "it ends without its end mark: the writer was killed, or is still at work";
        return false;
    }
    if (n < FORMAT_CHUNK_HEADER) {
        g->damage = "truncated in the head of a chunk";
        return false;
    }
    uint32_t size = get_le32(header + 4);
    if (size > FORMAT_CHUNK_MAX || header[0] < FORMAT_CHUNK_DATA || header[0] > FORMAT_CHUNK_END) {
        g->damage = "not the head of a chunk";
        return false;
    }
    buffer_clear(&g->chunk);
    if (buffer_reserve(&g->chunk, size) < 0) {
        *ret = -ENOMEM;
        return false;
    }
    /* An empty end chunk may come before any memory was reserved. */
    uint8_t none[1], *payload = size > 0 ? g->chunk.data : none;
    n = take(g, payload, size);
    *ret = n < 0 ? (int)n : 0;
    if (n < 0)
        return false;
    if ((size_t)n < size) {
        g->damage = "truncated in the middle of a chunk";
        return false;
    }
    if (crc32c(crc32c(0, header, 12), payload, size) != get_le32(header + 12)) {
        g->damage = "the checksum of a chunk is wrong";
        return false;
    }
    if (get_le32(header + 8) != sequence) {
        g->damage = "a chunk is missing or stands twice";
        return false;
    }
    if (header[1] != FORMAT_RAW) {
        g->damage = "a chunk in an encoding that this version does not know";
        return false;
    }
    if (header[0] == FORMAT_CHUNK_END) {
        g->summary->complete = true;
        g->summary->bytes += FORMAT_CHUNK_HEADER + size;
        g->summary->chunks++;
        return false;
    }
    *ret = read_payload(g, header[0], payload, size);
    if (g->damage != NULL)
        *ret = 0;
    if (g->damage != NULL || *ret != 0)
        return false;
    g->summary->bytes += FORMAT_CHUNK_HEADER + size;
    g->summary->chunks++;
    return true;
}

static int read_file_header(struct reading *g, const char *name, struct error *e)
{
    uint8_t header[FORMAT_HEADER_SIZE];
    ssize_t n = take(g, header, sizeof(header));
    if (n < 0)
        return (int)n;
    if (n == 0)
        return error_set(e, EINVAL, "%s is empty: not a recording", name);
    size_t known = (size_t)n < sizeof(format_magic) ? (size_t)n : sizeof(format_magic);
    if (memcmp(header, format_magic, known) != 0)
        return error_set(e, EINVAL, "%s is not a recording of pitviper", name);
    if (n < FORMAT_HEADER_SIZE)
        return error_set(e, EINVAL, "%s is cut off in its first bytes: nothing of the recording is left", name);
    if (crc32c(0, header, 12) != get_le32(header + 12))
        return error_set(e, EINVAL, "%s is damaged in its first bytes: it cannot be read", name);
    uint32_t version = get_le32(header + 8);
    if (version > FORMAT_VERSION)
        return error_set(e, EINVAL,
            "%s was written in format %u, and this pitviper reads up to %d: use a newer pitviper", name, version,
            FORMAT_VERSION);
    if (version == 0)
        return error_set(e, EINVAL, "%s is not a recording of pitviper: it names format 0", name);
    g->summary->bytes = FORMAT_HEADER_SIZE;
    return 0;
}

static int read_all(struct reading *g, const char *name, struct error *e)
{
    int r = read_file_header(g, name, e);
    if (r < 0)
        return r;
    uint32_t sequence = 0;
    while (read_chunk(g, sequence, &r))
        sequence++;
    if (g->damage != NULL) {
        g->summary->damaged_at = g->summary->bytes;
        snprintf(g->summary->damage, sizeof(g->summary->damage), "%s", g->damage);
    }
    return r;
}

static int reading_run(struct reading *g, const char *name, const struct record_events *events, void *context,
    struct record_summary *ret, struct error *e)
{
    struct record_summary summary = {0};
    g->events = events;
    g->context = context;
    g->summary = &summary;
    g->stacks = 1;
    buffer_init(&g->chunk, FORMAT_CHUNK_MAX);
    buffer_init(&g->text, FORMAT_CHUNK_MAX + 16);
    int r = strings_init(&g->strings, SIZE_MAX);
    if (r == 0)
        r = read_all(g, name, e);
    if (g->read_error != 0)
        error_set(e, g->read_error, "cannot read %s: %s", name, strerror(g->read_error));
    else if (r == -ENOMEM)
        error_set(e, ENOMEM, "out of memory while reading %s", name);
    strings_release(&g->strings);
    buffer_release(&g->chunk);
    buffer_release(&g->text);
    free(g->threads);
    if (ret != NULL)
        *ret = summary;
    return r;
}

int record_read(int fd, const char *name, const struct record_events *events, void *context, struct record_summary *ret,
    struct error *e)
{
    struct reading g = {.fd = fd};
    return reading_run(&g, name, events, context, ret, e);
}

int record_read_memory(const void *data, size_t size, const char *name, const struct record_events *events,
    void *context, struct record_summary *ret, struct error *e)
{
    struct reading g = {.fd = -1, .memory = data != NULL ? data : (const uint8_t *)"", .memory_left = size};
    return reading_run(&g, name, events, context, ret, e);
}
