#include "record/record.h"

#include "record/format.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The longest tick or state: an opcode and two varints or one and a byte. */
#define SMALL_EVENT 24

struct last_state {
    uint32_t stack, state;
};

struct record_writer {
    int fd, failure;
    bool regular; /* only then can a chunk cut by a full disk be taken back, and SIGPIPE not come */
    bool bad_id;  /* the failure is the caller's: an id out of order */
    char *path;
    uint8_t *chunk; /* header, then payload */
    size_t used;    /* of the payload */
    enum format_chunk type;
    uint32_t sequence;
    uint64_t bytes, opened_ns, last_tick_ns;
    struct strings strings;
    uint64_t strings_size;
    struct buffer scratch; /* room for a chunk header, then one rare event */
    struct last_state *threads;
    size_t thread_count, thread_capacity;
    uint32_t processes, codes, frames, stacks; /* stacks counts the empty one */
    uint32_t last_thread, frame_code, stack_frame;
};

static void fail(struct record_writer *w, int failure)
{
    if (w->failure == 0)
        w->failure = failure;
}

static void fail_id(struct record_writer *w)
{
    if (w->failure == 0)
        w->bad_id = true;
    fail(w, -EINVAL);
}

/* A pipe whose reader is gone must not end the profiler: SIGPIPE is held back in this thread for the write,
 * and taken if this write raised it. */
static int write_guarded(struct record_writer *w, const void *data, size_t size)
{
    if (w->regular)
        return file_write_all(w->fd, data, size);
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    int blocked = pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    int r = file_write_all(w->fd, data, size);
    if (r == -EPIPE && !was_pending && blocked == 0) {
        struct timespec none = {0};
        while (sigtimedwait(&pipe_signal, NULL, &none) < 0 && errno == EINTR)
            continue;
    }
    if (blocked == 0)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

static void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void write_chunk(struct record_writer *w, enum format_chunk type, uint8_t *chunk, size_t payload)
{
    if (w->failure != 0)
        return;
    memset(chunk, 0, FORMAT_CHUNK_HEADER);
    chunk[0] = (uint8_t)type;
    chunk[1] = FORMAT_RAW;
    put_le32(chunk + 4, (uint32_t)payload);
    put_le32(chunk + 8, w->sequence);
    uint32_t crc = crc32c(0, chunk, 12);
    put_le32(chunk + 12, crc32c(crc, chunk + FORMAT_CHUNK_HEADER, payload));
    int r = write_guarded(w, chunk, FORMAT_CHUNK_HEADER + payload);
    if (r < 0) {
        fail(w, r);
        /* What came before stays a sound file; where this fails, the reader finds the half chunk. */
        if (w->regular && ftruncate(w->fd, (off_t)w->bytes) < 0)
            fail(w, -errno);
        return;
    }
    w->sequence++;
    w->bytes += FORMAT_CHUNK_HEADER + payload;
}

static void close_chunk(struct record_writer *w)
{
    if (w->used > 0 || w->type == FORMAT_CHUNK_RESTART)
        write_chunk(w, w->type, w->chunk, w->used);
    w->type = FORMAT_CHUNK_DATA;
    w->used = 0;
    w->opened_ns = 0;
}

/* Room for `size` more bytes of the chunk, or NULL once something has failed. */
static uint8_t *chunk_room(struct record_writer *w, size_t size)
{
    if (w->failure != 0)
        return NULL;
    if (w->used + size > FORMAT_CHUNK_TARGET) {
        close_chunk(w);
        if (w->failure != 0)
            return NULL;
    }
    return w->chunk + FORMAT_CHUNK_HEADER + w->used;
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
    w->used = (size_t)(end - (w->chunk + FORMAT_CHUNK_HEADER));
}

/* ---- rare events are built in the scratch buffer and moved to the chunk whole ---- */

static bool scratch_begin(struct record_writer *w)
{
    static const uint8_t header[FORMAT_CHUNK_HEADER];
    if (w->failure != 0)
        return false;
    buffer_clear(&w->scratch);
    buffer_append(&w->scratch, header, sizeof(header));
    return true;
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
    size_t size = w->scratch.size - FORMAT_CHUNK_HEADER, head = 0;
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
        memcpy(at + head, w->scratch.data + FORMAT_CHUNK_HEADER, size);
        w->used += head + size;
        return;
    }
    close_chunk(w);
    if (buffer_append(&w->scratch, prefix, head) < 0) {
        fail(w, -ENOMEM);
        return;
    }
    uint8_t *payload = w->scratch.data + FORMAT_CHUNK_HEADER;
    memmove(payload + head, payload, size);
    memcpy(payload, prefix, head);
    write_chunk(w, FORMAT_CHUNK_DATA, w->scratch.data, head + size);
}

/* ---- open and close ---- */

static int open_path(const char *path, bool *ret_regular, struct error *e)
{
    struct stat st;
    int fd;
    if (strcmp(path, "-") == 0) {
        fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    } else if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        if (strlen(path) >= sizeof(address.sun_path))
            return error_set(e, ENAMETOOLONG, "cannot connect to socket %s: its path is too long", path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
            int number = errno;
            close(fd);
            return error_set(e, number, "cannot connect to socket %s: %s", path, strerror(number));
        }
    } else {
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    }
    if (fd < 0) {
        int number = errno;
        return error_set(e, number, "cannot write the recording to %s: %s", path, strerror(number));
    }
    *ret_regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    return fd;
}

static void writer_free(struct record_writer *w)
{
    fd_close(&w->fd);
    strings_release(&w->strings);
    buffer_release(&w->scratch);
    free(w->threads);
    free(w->chunk);
    free(w->path);
    free(w);
}

static int write_error(struct error *e, const struct record_writer *w, int failure)
{
    return error_set(e, -failure, "cannot write the recording to %s: %s", w->path, strerror(-failure));
}

int record_writer_open(const char *path, struct record_writer **ret, struct error *e)
{
    struct record_writer *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return error_set(e, ENOMEM, "out of memory for the recording");
    w->fd = -1;
    w->type = FORMAT_CHUNK_DATA;
    w->stacks = 1;
    buffer_init(&w->scratch, FORMAT_CHUNK_MAX + FORMAT_CHUNK_HEADER);
    int r = strings_init(&w->strings, SIZE_MAX);
    w->path = strdup(path);
    w->chunk = malloc(FORMAT_CHUNK_HEADER + FORMAT_CHUNK_TARGET + SMALL_EVENT);
    if (r < 0 || w->path == NULL || w->chunk == NULL) {
        writer_free(w);
        return error_set(e, ENOMEM, "out of memory for the recording");
    }
    w->fd = open_path(path, &w->regular, e);
    if (w->fd < 0) {
        r = w->fd;
        writer_free(w);
        return r;
    }
    /* "-" may be a file that something else has written to before. */
    if (w->regular && strcmp(path, "-") == 0)
        w->regular = false;
    uint8_t header[FORMAT_HEADER_SIZE];
    memcpy(header, format_magic, sizeof(format_magic));
    put_le32(header + 8, FORMAT_VERSION);
    put_le32(header + 12, crc32c(0, header, 12));
    r = write_guarded(w, header, sizeof(header));
    if (r < 0) {
        write_error(e, w, r);
        writer_free(w);
        return r;
    }
    w->bytes = sizeof(header);
    *ret = w;
    return 0;
}

int record_writer_close(struct record_writer *w, struct error *e)
{
    if (w == NULL)
        return 0;
    close_chunk(w);
    uint8_t end[FORMAT_CHUNK_HEADER];
    write_chunk(w, FORMAT_CHUNK_END, end, 0);
    /* close() is where NFS and quotas report what write() could not. */
    int fd = w->fd;
    w->fd = -1;
    if (close(fd) < 0 && errno != EINTR)
        fail(w, -errno);
    int failure = w->failure;
    if (failure != 0 && w->bad_id)
        error_set(
            e, EINVAL, "the recording %s is cut short: an id was used out of order (a defect of pitviper)", w->path);
    else if (failure != 0)
        write_error(e, w, failure);
    writer_free(w);
    return failure;
}

/* ---- the hot path ---- */

void record_put_state(struct record_writer *w, uint32_t thread, uint32_t stack, uint32_t state)
{
    if (thread >= w->thread_count || stack >= w->stacks || state > 0xff) {
        fail_id(w);
        return;
    }
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

void record_put_tick(struct record_writer *w, uint64_t time_ns)
{
    record_writer_flush(w, time_ns, false);
    uint8_t *at = chunk_room(w, SMALL_EVENT);
    if (at == NULL)
        return;
    uint64_t delta = time_ns > w->last_tick_ns ? time_ns - w->last_tick_ns : 0;
    w->last_tick_ns += delta;
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

void record_put_meta(struct record_writer *w, const char *key, const char *value)
{
    if (!scratch_begin(w))
        return;
    scratch_text(w, key);
    scratch_text(w, value);
    scratch_end(w, FORMAT_META);
}

void record_put_process(struct record_writer *w, const struct record_process *p)
{
    if (p->id > w->processes || p->parent > p->id || p->id >= FORMAT_PROCESSES_MAX) {
        fail_id(w);
        return;
    }
    if (!scratch_begin(w))
        return;
    buffer_append_varint(&w->scratch, p->id);
    buffer_append_varint(&w->scratch, p->parent);
    buffer_append_zigzag(&w->scratch, p->pid);
    buffer_append_varint(&w->scratch, p->start_ns);
    buffer_append_varint(&w->scratch, p->image);
    scratch_text(w, p->python);
    scratch_text(w, p->command);
    scratch_end(w, FORMAT_PROCESS);
    w->processes += p->id == w->processes;
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
}

void record_put_thread(struct record_writer *w, const struct record_thread *t)
{
    if (t->id > w->thread_count || t->process >= w->processes || t->id >= FORMAT_THREADS_MAX) {
        fail_id(w);
        return;
    }
    if (!scratch_begin(w))
        return;
    if (t->id == w->thread_count) {
        if (array_reserve(&w->threads, &w->thread_capacity, w->thread_count + 1, sizeof(*w->threads)) < 0) {
            fail(w, -ENOMEM);
            return;
        }
        w->threads[w->thread_count++] = (struct last_state){0};
    }
    buffer_append_varint(&w->scratch, t->id);
    buffer_append_varint(&w->scratch, t->process);
    buffer_append_zigzag(&w->scratch, t->tid);
    scratch_text(w, t->name);
    scratch_end(w, FORMAT_THREAD);
}

void record_put_thread_cpu(struct record_writer *w, const struct record_thread_cpu *c)
{
    if (c->thread >= w->thread_count) {
        fail_id(w);
        return;
    }
    if (!scratch_begin(w))
        return;
    buffer_append_varint(&w->scratch, c->thread);
    buffer_append_varint(&w->scratch, c->kernel_cpu_ns);
    buffer_append_varint(&w->scratch, c->kernel_wait_ns);
    scratch_end(w, FORMAT_THREAD_CPU);
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
        return w->failure;
    buffer_append_byte(&w->scratch, FORMAT_STRING);
    scratch_text(w, text);
    scratch_end(w, 0);
    return w->failure;
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
    if (w->failure != 0 || put_string(w, c->qualname, &qualname) < 0 || put_string(w, c->file, &file) < 0)
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

void record_put_counters(struct record_writer *w, const struct record_counters *c)
{
    if (!scratch_begin(w))
        return;
#define PUT_COUNTER(name) buffer_append_varint(&w->scratch, c->name);
    RECORD_COUNTERS(PUT_COUNTER)
#undef PUT_COUNTER
    scratch_end(w, FORMAT_COUNTERS);
}

void record_put_source(
    struct record_writer *w, const char *path, const uint8_t digest[32], const void *text, size_t size, bool whole)
{
    if (!scratch_begin(w))
        return;
    if (text == NULL || size > FORMAT_SOURCE_MAX) {
        size = text == NULL ? 0 : FORMAT_SOURCE_MAX;
        whole = false;
    }
    buffer_append_byte(&w->scratch, whole);
    buffer_append(&w->scratch, digest, 32);
    scratch_text(w, path);
    buffer_append_varint(&w->scratch, size);
    if (size > 0)
        buffer_append(&w->scratch, text, size);
    scratch_end(w, FORMAT_SOURCE);
}

/* ---- chunks ---- */

void record_put_restart(struct record_writer *w)
{
    if (w->failure != 0)
        return;
    close_chunk(w);
    w->type = FORMAT_CHUNK_RESTART;
    strings_release(&w->strings);
    int r = strings_init(&w->strings, SIZE_MAX);
    if (r < 0)
        fail(w, r);
    w->strings_size = 0;
    w->codes = w->frames = 0;
    w->stacks = 1;
    w->last_thread = w->frame_code = w->stack_frame = 0;
    w->last_tick_ns = 0;
    for (size_t i = 0; i < w->thread_count; i++)
        w->threads[i] = (struct last_state){0};
}

void record_writer_flush(struct record_writer *w, uint64_t now_ns, bool force)
{
    if (w->used == 0 || w->failure != 0)
        return;
    if (w->opened_ns == 0)
        w->opened_ns = now_ns;
    if (force || (now_ns > w->opened_ns && now_ns - w->opened_ns >= FORMAT_CHUNK_NS))
        close_chunk(w);
}

int record_writer_failure(const struct record_writer *w)
{
    return w->failure;
}

uint64_t record_writer_bytes(const struct record_writer *w)
{
    return w->bytes + (w->used > 0 ? FORMAT_CHUNK_HEADER + w->used : 0);
}
