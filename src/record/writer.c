/* Events into chunks. */
#include "record/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest tick or state: an opcode and two varints or one and a byte. */
#define SMALL_EVENT 24

struct last_state {
    uint32_t stack, state;           /* as written */
    uint32_t next_stack, next_state; /* as put; written before the next tick that is kept */
    bool waiting;
};

struct record_writer {
    struct output out;
    struct thin thin;
    struct ring ring;
    uint64_t now_ns;      /* of the last tick */
    uint32_t keep, ticks; /* one tick in `keep` */
    uint64_t source_bytes;
    uint32_t *waiting; /* threads whose state is not written yet */
    size_t waiting_count, waiting_capacity;
    struct known known; /* what a restart repeats */
    bool bad_id;        /* the failure is the caller's: an id out of order */
    uint8_t *chunk;     /* the payload of the chunk that is open */
    size_t used;
    enum format_chunk type;
    uint64_t opened_ns, last_tick; /* in FORMAT_TICK_NS */
    struct strings strings;
    uint64_t strings_size;
    struct buffer scratch; /* one rare event */
    struct last_state *threads;
    size_t thread_count, thread_capacity;
    uint32_t processes, runs, codes, frames, stacks, tasks; /* stacks counts the empty one */
    uint32_t last_thread, frame_code, stack_frame;
};

static void fail(struct record_writer *w, int failure)
{
    output_fail(&w->out, failure);
}

static void fail_id(struct record_writer *w)
{
    if (w->out.failure == 0)
        w->bad_id = true;
    fail(w, -EINVAL);
}

/* With a limit, nothing is written that would go beyond it: what is at work is waited for. */
static bool fits(struct record_writer *w, size_t size)
{
    if (w->thin.limit == 0)
        return true;
    uint64_t most = FORMAT_CHUNK_HEADER * 2 + size;
    if (w->out.bytes + most > w->thin.limit && w->thin.child != 0)
        (void)thin_poll(&w->thin, &w->out, true);
    return w->out.bytes + most <= w->thin.limit;
}

static void close_chunk(struct record_writer *w)
{
    if (!fits(w, w->used))
        fail(w, -EFBIG);
    if (w->used > 0 || w->type == FORMAT_CHUNK_RESTART)
        output_chunk(&w->out, w->type, w->chunk, w->used);
    w->type = FORMAT_CHUNK_DATA;
    w->used = 0;
    w->opened_ns = 0;
}

/* Room for `size` more bytes of the chunk, or NULL once something has failed. */
static uint8_t *chunk_room(struct record_writer *w, size_t size)
{
    if (w->out.failure != 0)
        return NULL;
    if (w->used + size > FORMAT_CHUNK_TARGET) {
        close_chunk(w);
        if (w->out.failure != 0)
            return NULL;
    }
    return w->chunk + w->used;
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static void small_done(struct record_writer *w, const uint8_t *end)
{
    w->used = (size_t)(end - w->chunk);
}

/* ---- rare events are built in the scratch buffer and moved to the chunk whole ---- */

static bool scratch_begin(struct record_writer *w)
{
    buffer_clear(&w->scratch);
    return w->out.failure == 0;
}

static const char cut_mark[] = "\xe2\x80\xa6";

static void scratch_text(struct record_writer *w, const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);
    bool cut = size > FORMAT_STRING_MAX;
    size_t kept = cut ? FORMAT_STRING_MAX - 3 : size;
    buffer_append_varint(&w->scratch, cut ? FORMAT_STRING_MAX : size);
    if (kept > 0)
        buffer_append(&w->scratch, text, kept);
    if (cut)
        buffer_append(&w->scratch, cut_mark, 3);
}

/* skippable is 0, or the opcode that the payload in the scratch buffer is for. */
static void scratch_end(struct record_writer *w, uint8_t skippable)
{
    if (w->scratch.failed) {
        fail(w, -ENOMEM);
        return;
    }
    size_t size = w->scratch.size, head = 0;
    uint8_t prefix[16];
    if (skippable != 0) {
        prefix[0] = skippable;
        head = (size_t)(put_varint(prefix + 1, size) - prefix);
    }
    if (head + size <= FORMAT_CHUNK_TARGET) {
        uint8_t *at = chunk_room(w, head + size);
        if (at == NULL)
            return;
        memcpy(at, prefix, head);
        memcpy(at + head, w->scratch.data, size);
        w->used += head + size;
        return;
    }
    close_chunk(w);
    if (buffer_append(&w->scratch, prefix, head) < 0) {
        fail(w, -ENOMEM);
        return;
    }
    if (!fits(w, head + size))
        fail(w, -EFBIG);
    memmove(w->scratch.data + head, w->scratch.data, size);
    memcpy(w->scratch.data, prefix, head);
    output_chunk(&w->out, FORMAT_CHUNK_DATA, w->scratch.data, head + size);
}

/* ---- open and close ---- */

static void writer_free(struct record_writer *w)
{
    thin_release(&w->thin);
    ring_release(&w->ring);
    free(w->waiting);
    output_release(&w->out);
    known_release(&w->known);
    strings_release(&w->strings);
    buffer_release(&w->scratch);
    free(w->threads);
    free(w->chunk);
    free(w);
}

int record_writer_open(const char *path, struct record_writer **ret, struct error *e)
{
    struct record_writer *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return error_set(e, ENOMEM, "out of memory for the recording");
    w->out.fd = w->thin.answer = -1;
    w->keep = 1;
    w->type = FORMAT_CHUNK_DATA;
    w->stacks = 1;
    known_init(&w->known);
    buffer_init(&w->scratch, FORMAT_CHUNK_MAX);
    int r = strings_init(&w->strings, SIZE_MAX);
    w->chunk = malloc(FORMAT_CHUNK_TARGET + SMALL_EVENT);
    if (r < 0 || w->chunk == NULL)
        r = error_set(e, ENOMEM, "out of memory for the recording");
    else
        r = output_open(&w->out, path, e);
    if (r < 0) {
        writer_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

/* A file that could not be thinned goes on being written, up to its limit. */
static void thinned(struct record_writer *w, bool wait)
{
    if (w->thin.child == 0 || w->out.failure != 0)
        return;
    if (thin_poll(&w->thin, &w->out, wait) < 0)
        record_put_meta(
            w, "note.thinning", "the recording could not be thinned: its first part has more ticks than the rest");
}

int record_writer_ring(struct record_writer *w, uint64_t last_ns, struct error *e)
{
    if (!w->out.regular)
        return error_set(e, EINVAL, "--last needs a file: what went to %s cannot be dropped", w->out.path);
    char text[32];
    w->ring.last_ns = last_ns;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)last_ns);
    record_put_meta(w, "last_ns", text);
    return 0;
}

int record_writer_cut(struct record_writer *w, char *path, size_t size)
{
    if (w->ring.last_ns == 0)
        return -EINVAL;
    close_chunk(w);
    return w->out.failure != 0 ? w->out.failure : ring_cut(&w->ring, &w->out, w->now_ns, path, size);
}

int record_writer_limit(struct record_writer *w, uint64_t bytes, struct error *e)
{
    if (!w->out.regular)
        return error_set(e, EINVAL, "--max-size needs a file: %s cannot be written anew", w->out.path);
    if (bytes < FORMAT_LIMIT_MIN)
        return error_set(e, EINVAL, "--max-size has to be at least 1M");
    w->thin.limit = bytes;
    return 0;
}

void record_writer_keep(struct record_writer *w, uint32_t one_in)
{
    w->keep = one_in;
}

int record_writer_leave(struct record_writer *w, uint32_t *ret_sequence)
{
    close_chunk(w);
    *ret_sequence = w->out.sequence;
    int failure = output_close(&w->out);
    writer_free(w);
    return failure;
}

int record_writer_close(struct record_writer *w, struct error *e)
{
    if (w == NULL)
        return 0;
    close_chunk(w);
    if (w->ring.last_ns > 0 && w->out.failure == 0)
        output_fail(&w->out, ring_end(&w->ring, &w->out, w->now_ns));
    thinned(w, true); /* all of the run is kept alike */
    output_chunk(&w->out, FORMAT_CHUNK_END, NULL, 0);
    int failure = output_close(&w->out);
    if (failure != 0 && w->bad_id)
        error_set(e, EINVAL, "the recording %s is cut short: an id was used out of order (a defect of pitviper)",
            w->out.path);
    else if (failure != 0)
        error_set(e, -failure, "cannot write the recording to %s: %s", w->out.path, strerror(-failure));
    writer_free(w);
    return failure;
}

/* ---- the hot path ---- */

static void write_state(struct record_writer *w, uint32_t thread, uint32_t stack, uint32_t state)
{
    struct last_state *last = &w->threads[thread];
    if (last->stack == stack && last->state == state)
        return;
    uint8_t *at = chunk_room(w, SMALL_EVENT);
    if (at == NULL)
        return;
    uint64_t delta = zigzag((int64_t)stack - (int64_t)last->stack);
    uint8_t *op = at++;
    *op = (uint8_t)(FORMAT_STATE | (delta & ((1u << FORMAT_STATE_BITS) - 1)));
    if (thread != w->last_thread) {
        *op |= FORMAT_STATE_THREAD;
        at = put_varint(at, thread);
    }
    if (state != last->state) {
        *op |= FORMAT_STATE_FLAGS;
        *at++ = (uint8_t)state;
    }
    delta >>= FORMAT_STATE_BITS;
    if (delta != 0) {
        *op |= FORMAT_STATE_MORE;
        at = put_varint(at, delta);
    }
    w->last_thread = thread;
    last->stack = stack;
    last->state = state;
    small_done(w, at);
}

void record_put_state(struct record_writer *w, uint32_t thread, uint32_t stack, uint32_t state)
{
    if (thread >= w->thread_count || stack >= w->stacks || state > 0xff) {
        fail_id(w);
        return;
    }
    struct last_state *last = &w->threads[thread];
    if (w->keep > 1) {
        if (array_reserve(&w->waiting, &w->waiting_capacity, w->waiting_count + 1, sizeof(*w->waiting)) < 0) {
            fail(w, -ENOMEM);
            return;
        }
        last->next_stack = stack;
        last->next_state = state;
        if (!last->waiting)
            w->waiting[w->waiting_count++] = thread;
        last->waiting = true;
        return;
    }
    write_state(w, thread, stack, state);
}

void record_put_tick(struct record_writer *w, uint64_t time_ns)
{
    record_writer_flush(w, time_ns, false);
    if (w->now_ns == 0 && w->ring.last_ns > 0)
        w->ring.restarts[w->ring.count++] = (struct ring_part){FORMAT_HEADER_SIZE, time_ns};
    w->now_ns = time_ns;
    if (++w->ticks % w->keep != 0)
        return;
    for (size_t i = 0; i < w->waiting_count; i++) {
        struct last_state *last = &w->threads[w->waiting[i]];
        write_state(w, w->waiting[i], last->next_stack, last->next_state);
        last->waiting = false;
    }
    w->waiting_count = 0;
    uint8_t *at = chunk_room(w, SMALL_EVENT);
    if (at == NULL)
        return;
    uint64_t tick = time_ns / FORMAT_TICK_NS, delta = tick > w->last_tick ? tick - w->last_tick : 0;
    w->last_tick += delta;
    if (delta < 1u << 14) {
        *at++ = (uint8_t)(0x80 | delta >> 8);
    } else if (delta < 1u << 21) {
        *at++ = (uint8_t)(0xc0 | delta >> 16);
        *at++ = (uint8_t)(delta >> 8);
    } else if (delta < 1u << 28) {
        *at++ = (uint8_t)(0xe0 | delta >> 24);
        *at++ = (uint8_t)(delta >> 16);
        *at++ = (uint8_t)(delta >> 8);
    } else {
        *at++ = FORMAT_TICK_VARINT;
        small_done(w, put_varint(at, delta));
        return;
    }
    *at++ = (uint8_t)delta;
    small_done(w, at);
}

void record_put_stack(struct record_writer *w, uint32_t id, uint32_t parent, uint32_t frame)
{
    if (id != w->stacks || parent >= id || frame >= w->frames || id >= FORMAT_IDS_MAX) {
        fail_id(w);
        return;
    }
    uint8_t *at = chunk_room(w, SMALL_EVENT);
    if (at == NULL)
        return;
    *at++ = FORMAT_STACK;
    at = put_varint(at, id - 1 - parent);
    at = put_varint(at, zigzag((int64_t)frame - (int64_t)w->stack_frame));
    small_done(w, at);
    w->stack_frame = frame;
    w->stacks++;
}

/* ---- definitions ---- */

/* Keeps for the restarts to come what was put. */
static void keep(struct record_writer *w, int result)
{
    if (result < 0)
        fail(w, result);
}

static void put_meta(struct record_writer *w, const char *key, const char *value)
{
    if (!scratch_begin(w))
        return;
    scratch_text(w, key);
    scratch_text(w, value);
    scratch_end(w, FORMAT_META);
}

void record_put_meta(struct record_writer *w, const char *key, const char *value)
{
    put_meta(w, key, value);
    keep(w, known_meta(&w->known, key, value));
}

static void put_process(struct record_writer *w, const struct record_process *p)
{
    if (!scratch_begin(w))
        return;
    buffer_append_varint(&w->scratch, p->id);
    buffer_append_varint(&w->scratch, p->parent);
    buffer_append_zigzag(&w->scratch, p->pid);
    buffer_append_varint(&w->scratch, p->start_ns);
    buffer_append_varint(&w->scratch, p->image);
    scratch_text(w, p->python);
    scratch_text(w, p->command);
    if (p->run > 0)
        buffer_append_varint(&w->scratch, p->run);
    scratch_end(w, FORMAT_PROCESS);
}

void record_put_process(struct record_writer *w, const struct record_process *p)
{
    if (p->id > w->processes || p->parent > p->id || p->id >= FORMAT_PROCESSES_MAX || p->run > w->runs ||
        p->run >= FORMAT_RUNS_MAX) {
        fail_id(w);
        return;
    }
    put_process(w, p);
    keep(w, known_process(&w->known, p));
    w->processes += p->id == w->processes;
    w->runs += p->run == w->runs;
}

void record_put_process_end(struct record_writer *w, const struct record_process_end *p)
{
    if (p->process >= w->processes) {
        fail_id(w);
        return;
    }
    if (!scratch_begin(w))
        return;
    buffer_append_varint(&w->scratch, p->process);
    buffer_append_varint(&w->scratch, p->time_ns);
    buffer_append_varint(&w->scratch, p->cpu_ns);
    buffer_append_zigzag(&w->scratch, p->status);
    scratch_end(w, FORMAT_PROCESS_END);
    known_process_end(&w->known, p->process);
}

static void put_thread(struct record_writer *w, const struct record_thread *t)
{
    if (!scratch_begin(w))
        return;
    buffer_append_varint(&w->scratch, t->id);
    buffer_append_varint(&w->scratch, t->process);
    buffer_append_zigzag(&w->scratch, t->tid);
    scratch_text(w, t->name);
    scratch_end(w, FORMAT_THREAD);
}

void record_put_thread(struct record_writer *w, const struct record_thread *t)
{
    if (t->id > w->thread_count || t->process >= w->processes || t->id >= FORMAT_THREADS_MAX) {
        fail_id(w);
        return;
    }
    if (t->id == w->thread_count) {
        if (array_reserve(&w->threads, &w->thread_capacity, w->thread_count + 1, sizeof(*w->threads)) < 0) {
            fail(w, -ENOMEM);
            return;
        }
        w->threads[w->thread_count++] = (struct last_state){0};
    }
    put_thread(w, t);
    keep(w, known_thread(&w->known, t));
}

void record_put_thread_end(struct record_writer *w, uint32_t thread)
{
    if (thread >= w->thread_count) {
        fail_id(w);
        return;
    }
    record_put_state(w, thread, 0, 0);
    known_thread_end(&w->known, thread);
}

static void put_thread_cpu(struct record_writer *w, const struct record_thread_cpu *c)
{
    if (!scratch_begin(w))
        return;
    buffer_append_varint(&w->scratch, c->thread);
    buffer_append_varint(&w->scratch, c->kernel_cpu_ns);
    buffer_append_varint(&w->scratch, c->kernel_wait_ns);
    scratch_end(w, FORMAT_THREAD_CPU);
}

void record_put_thread_cpu(struct record_writer *w, const struct record_thread_cpu *c)
{
    if (c->thread >= w->thread_count) {
        fail_id(w);
        return;
    }
    put_thread_cpu(w, c);
    known_thread_cpu(&w->known, c);
}

static int put_new_string(struct record_writer *w, const char *text, uint32_t *ret_id)
{
    size_t before = w->strings.count;
    int r = strings_intern(&w->strings, text, strlen(text), ret_id);
    if (r < 0) {
        fail(w, r);
        return r;
    }
    if (w->strings.count == before)
        return 0;
    w->strings_size += strlen(text) + FORMAT_STRING_OVERHEAD;
    if (w->strings_size > FORMAT_STRINGS_MAX) {
        fail(w, -EOVERFLOW); /* its reader would refuse it; a restart in time keeps it from coming to this */
        return -EOVERFLOW;
    }
    if (!scratch_begin(w))
        return w->out.failure;
    buffer_append_byte(&w->scratch, FORMAT_STRING);
    scratch_text(w, text);
    scratch_end(w, 0);
    return w->out.failure;
}

/* Cut before it is interned: two long strings that are cut to the same one must be one string. */
static int put_string(struct record_writer *w, const char *text, uint32_t *ret_id)
{
    if (text == NULL || strlen(text) <= FORMAT_STRING_MAX)
        return put_new_string(w, text == NULL ? "" : text, ret_id);
    char *cut = malloc(FORMAT_STRING_MAX + 1);
    if (cut == NULL) {
        fail(w, -ENOMEM);
        return -ENOMEM;
    }
    memcpy(cut, text, FORMAT_STRING_MAX - 3);
    memcpy(cut + FORMAT_STRING_MAX - 3, cut_mark, sizeof(cut_mark)); /* with its end */
    int r = put_new_string(w, cut, ret_id);
    free(cut);
    return r;
}

void record_put_code(struct record_writer *w, const struct record_code *c)
{
    uint32_t qualname, file;
    if (c->id != w->codes || c->process >= w->processes || c->id >= FORMAT_IDS_MAX) {
        fail_id(w);
        return;
    }
    if (w->out.failure != 0 || put_string(w, c->qualname, &qualname) < 0 || put_string(w, c->file, &file) < 0)
        return;
    uint8_t *at = chunk_room(w, SMALL_EVENT);
    if (at == NULL)
        return;
    *at++ = FORMAT_CODE;
    at = put_varint(at, c->process);
    at = put_varint(at, qualname);
    at = put_varint(at, file);
    at = put_varint(at, c->first_line);
    small_done(w, at);
    w->codes++;
}

void record_put_task(struct record_writer *w, const struct record_task *t)
{
    if (t->id != w->tasks + 1 || t->process >= w->processes || t->code >= w->codes || t->id >= FORMAT_TASKS_MAX) {
        fail_id(w);
        return;
    }
    if (!scratch_begin(w))
        return;
    buffer_append_varint(&w->scratch, t->id);
    buffer_append_varint(&w->scratch, t->process);
    buffer_append_varint(&w->scratch, t->code);
    scratch_text(w, t->name);
    scratch_end(w, FORMAT_TASK);
    w->tasks++;
}

void record_put_thread_task(struct record_writer *w, uint32_t thread, uint32_t task)
{
    if (thread >= w->thread_count || task > w->tasks) {
        fail_id(w);
        return;
    }
    if (!scratch_begin(w))
        return;
    buffer_append_varint(&w->scratch, thread);
    buffer_append_varint(&w->scratch, task);
    scratch_end(w, FORMAT_THREAD_TASK);
}

void record_put_frame(struct record_writer *w, const struct record_frame *f)
{
    /* A pseudo frame stands for no code; its code is not looked at. */
    uint32_t code = f->kind == RECORD_FRAME_PYTHON ? f->code : w->frame_code;
    if (f->id != w->frames || f->id >= FORMAT_IDS_MAX || (unsigned)f->kind > RECORD_FRAME_CUT ||
        (f->kind == RECORD_FRAME_PYTHON && code >= w->codes)) {
        fail_id(w);
        return;
    }
    if (!scratch_begin(w))
        return;
    buffer_append_byte(&w->scratch, FORMAT_FRAME);
    buffer_append_byte(&w->scratch, (uint8_t)f->kind);
    buffer_append_zigzag(&w->scratch, (int64_t)code - (int64_t)w->frame_code);
    buffer_append_varint(&w->scratch, f->line);
    buffer_append_zigzag(&w->scratch, (int64_t)f->end_line - (int64_t)f->line);
    buffer_append_varint(&w->scratch, f->column);
    buffer_append_varint(&w->scratch, f->end_column);
    scratch_end(w, 0);
    w->frame_code = code;
    w->frames++;
}

static void put_counters(struct record_writer *w, const struct record_counters *c)
{
    if (!scratch_begin(w))
        return;
#define PUT_COUNTER(name) buffer_append_varint(&w->scratch, c->name);
    RECORD_COUNTERS(PUT_COUNTER)
#undef PUT_COUNTER
    scratch_end(w, FORMAT_COUNTERS);
}

void record_put_counters(struct record_writer *w, const struct record_counters *c)
{
    put_counters(w, c);
    w->known.counters = *c;
    w->known.counted = true;
}

void record_put_source(
    struct record_writer *w, const char *path, const uint8_t digest[32], const void *text, size_t size, bool whole)
{
    /* In a ring it outlives what stands beside it. */
    bool apart = w->ring.last_ns > 0;
    if (apart)
        close_chunk(w);
    uint64_t at = w->out.bytes;
    if (!scratch_begin(w))
        return;
    /* Texts do not get fewer by thinning. */
    if (w->thin.limit > 0 && w->source_bytes + size > w->thin.limit / 4)
        text = NULL;
    if (text == NULL || size > FORMAT_SOURCE_MAX) {
        size = text == NULL ? 0 : FORMAT_SOURCE_MAX;
        whole = false;
    }
    w->source_bytes += size;
    buffer_append_byte(&w->scratch, whole);
    buffer_append(&w->scratch, digest, 32);
    scratch_text(w, path);
    buffer_append_varint(&w->scratch, size);
    if (size > 0)
        buffer_append(&w->scratch, text, size);
    scratch_end(w, FORMAT_SOURCE);
    if (apart) {
        close_chunk(w);
        keep(w, ring_source(&w->ring, at, w->out.bytes - at));
    }
}

/* ---- chunks ---- */

/* Nothing before the restart is needed after it. A process goes before its threads. */
static void repeat(struct record_writer *w)
{
    struct known *k = &w->known;
    known_forget_ended(k);
    for (size_t i = 0; i < k->meta_count; i++)
        put_meta(w, k->metas[i].key, k->metas[i].value);
    for (size_t i = 0; i < k->process_count; i++)
        put_process(w, &k->processes[i].put);
    for (size_t i = 0; i < k->thread_count; i++) {
        put_thread(w, &k->threads[i].put);
        if (k->threads[i].measured)
            put_thread_cpu(w, &k->threads[i].cpu);
    }
    if (k->counted)
        put_counters(w, &k->counters);
}

static bool nearly_full(const struct record_writer *w)
{
    return w->thin.limit > 0 && w->thin.child == 0 && w->out.bytes > w->thin.limit / 4 * 3 && w->keep < 1u << 30;
}

void record_put_restart(struct record_writer *w)
{
    if (w->out.failure != 0)
        return;
    close_chunk(w);
    thinned(w, false);
    if (w->ring.last_ns > 0 && w->ring.count > 0 && w->out.failure == 0)
        output_fail(&w->out, ring_restart(&w->ring, &w->out, w->now_ns));
    bool thin = nearly_full(w) && thin_start(&w->thin, &w->out) == 0;
    w->type = FORMAT_CHUNK_RESTART;
    strings_release(&w->strings);
    int r = strings_init(&w->strings, SIZE_MAX);
    if (r < 0)
        fail(w, r);
    w->strings_size = 0;
    w->codes = w->frames = w->tasks = 0;
    w->stacks = 1;
    w->last_thread = w->frame_code = w->stack_frame = 0;
    w->last_tick = 0;
    for (size_t i = 0; i < w->thread_count; i++)
        w->threads[i] = (struct last_state){0};
    w->waiting_count = 0;
    if (thin) {
        char text[16];
        w->keep *= 2;
        snprintf(text, sizeof(text), "%u", w->keep);
        keep(w, known_meta(&w->known, "thinned", text));
    }
    repeat(w);
}

bool record_writer_wants_restart(const struct record_writer *w)
{
    return nearly_full(w) || ring_wants_restart(&w->ring, w->now_ns) ||
           w->out.bytes - w->out.restart_at > FORMAT_RESTART_BYTES || w->strings_size > FORMAT_STRINGS_MAX / 2;
}

void record_writer_flush(struct record_writer *w, uint64_t now_ns, bool force)
{
    if (w->out.failure != 0)
        return;
    thinned(w, false);
    if (w->used == 0)
        return;
    if (w->opened_ns == 0)
        w->opened_ns = now_ns;
    if (force || (now_ns > w->opened_ns && now_ns - w->opened_ns >= FORMAT_CHUNK_NS))
        close_chunk(w);
}

int record_writer_failure(const struct record_writer *w)
{
    return w->out.failure;
}

pid_t record_writer_helper(const struct record_writer *w)
{
    return w->thin.child;
}

uint64_t record_writer_bytes(const struct record_writer *w)
{
    return w->out.bytes + (w->used > 0 ? FORMAT_CHUNK_HEADER + w->used : 0);
}
