/* Chunks on their way out: packed, checksummed, written whole. */
#include "record/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

/* docs/format.md has the measurement: the writer runs between two ticks. */
#define LEVEL 3
#define LEVEL_LARGE 1 /* of an event that is larger than a chunk is made to be */
#define WORTH 32      /* bytes that packing has to save */

void output_fail(struct output *o, int failure)
{
    if (o->failure == 0)
        o->failure = failure;
}

/* A pipe whose reader is gone must not end the profiler: SIGPIPE is held back in this thread for the write,
 * and taken if this write raised it. */
static int write_guarded(struct output *o, const void *data, size_t size)
{
    if (o->regular)
        return file_write_all(o->fd, data, size);
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    int blocked = pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    int r = file_write_all(o->fd, data, size);
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

/* The payload behind the header's room in o->packed; its size there, 0 when out of memory. */
static size_t pack(struct output *o, const uint8_t *payload, size_t size, enum format_encoding *ret)
{
    size_t room = ZSTD_compressBound(size);
    buffer_clear(&o->packed);
    if (buffer_reserve(&o->packed, FORMAT_CHUNK_HEADER + room) < 0)
        return 0;
    uint8_t *to = o->packed.data + FORMAT_CHUNK_HEADER;
    int level = size > FORMAT_CHUNK_TARGET ? LEVEL_LARGE : LEVEL;
    (void)ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_compressionLevel, level);
    size_t packed = ZSTD_compress2(o->zstd, to, room, payload, size);
    *ret = FORMAT_ZSTD;
    if (!ZSTD_isError(packed) && packed + WORTH <= size)
        return packed;
    *ret = FORMAT_RAW;
    if (size > 0)
        memcpy(to, payload, size);
    return size;
}

void output_chunk(struct output *o, enum format_chunk type, const uint8_t *payload, size_t size)
{
    enum format_encoding encoding = FORMAT_RAW;
    if (o->failure != 0)
        return;
    size_t stored = pack(o, payload, size, &encoding);
    if (stored == 0 && size > 0) {
        output_fail(o, -ENOMEM);
        return;
    }
    uint8_t *header = o->packed.data;
    memset(header, 0, FORMAT_CHUNK_HEADER);
    header[0] = (uint8_t)type;
    header[1] = (uint8_t)encoding;
    put_le32(header + 4, (uint32_t)stored);
    put_le32(header + 8, o->sequence);
    put_le32(header + 12, crc32c(0, header + FORMAT_CHUNK_HEADER, stored));
    put_le32(header + 16, crc32c(0, header, 16));
    int r = write_guarded(o, header, FORMAT_CHUNK_HEADER + stored);
    if (r < 0) {
        output_fail(o, r);
        /* What came before stays a sound file; where this fails, the reader finds the half chunk. */
        if (o->regular && ftruncate(o->fd, (off_t)o->bytes) < 0)
            output_fail(o, -errno);
        return;
    }
    if (type == FORMAT_CHUNK_RESTART)
        o->restart_at = o->bytes;
    o->sequence++;
    o->bytes += FORMAT_CHUNK_HEADER + stored;
}

void output_number(uint8_t *chunk, uint32_t sequence)
{
    put_le32(chunk + 8, sequence);
    put_le32(chunk + 16, crc32c(0, chunk, 16));
}

int output_copy(int fd, uint64_t at, struct buffer *chunk)
{
    uint8_t head[FORMAT_CHUNK_HEADER];
    if (pread(fd, head, sizeof(head), (off_t)at) != (ssize_t)sizeof(head))
        return -EIO;
    struct reader length = {.at = head + 4, .end = head + 8};
    size_t size = sizeof(head) + reader_le32(&length);
    buffer_clear(chunk);
    int r = buffer_reserve(chunk, size);
    if (r == 0 && pread(fd, chunk->data, size, (off_t)at) != (ssize_t)size)
        r = -EIO;
    if (r == 0)
        chunk->size = size;
    return r;
}

void output_end(uint8_t chunk[FORMAT_CHUNK_HEADER], uint32_t sequence)
{
    memset(chunk, 0, FORMAT_CHUNK_HEADER);
    chunk[0] = FORMAT_CHUNK_END;
    output_number(chunk, sequence);
}

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

/* What a writer of this file that was killed had aside (thin.c, ring.c). The file itself was whole; now it is written
 * anew. Only what is a recording, or the beginning of one, is taken for that. */
static void drop_leftover(const char *path, const char *suffix)
{
    char aside[4200];
    uint8_t head[sizeof(format_magic)];
    struct stat st;
    if (snprintf(aside, sizeof(aside), "%s%s", path, suffix) >= (int)sizeof(aside))
        return;
    CLEANUP(fd_close) int fd = open(aside, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    ssize_t n = pread(fd, head, sizeof(head), 0);
    if (n >= 0 && memcmp(head, format_magic, (size_t)n) == 0)
        (void)unlink(aside);
}

int output_open(struct output *o, const char *path, struct error *e)
{
    memset(o, 0, sizeof(*o));
    o->fd = -1;
    buffer_init(&o->packed, FORMAT_CHUNK_HEADER + ZSTD_COMPRESSBOUND(FORMAT_CHUNK_MAX));
    o->path = strdup(path);
    o->zstd = ZSTD_createCCtx();
    if (o->path == NULL || o->zstd == NULL)
        return error_set(e, ENOMEM, "out of memory for the recording");
    o->fd = open_path(path, &o->regular, e);
    if (o->fd < 0)
        return o->fd;
    /* "-" may be a file that something else has written to before. */
    if (o->regular && strcmp(path, "-") == 0)
        o->regular = false;
    if (o->regular) {
        drop_leftover(path, THIN_SUFFIX);
        drop_leftover(path, RING_SUFFIX);
    }
    uint8_t header[FORMAT_HEADER_SIZE];
    memcpy(header, format_magic, sizeof(format_magic));
    put_le32(header + 8, FORMAT_VERSION);
    put_le32(header + 12, crc32c(0, header, 12));
    int r = write_guarded(o, header, sizeof(header));
    if (r < 0)
        return error_set(e, -r, "cannot write the recording to %s: %s", path, strerror(-r));
    o->bytes = sizeof(header);
    return 0;
}

int output_close(struct output *o)
{
    int fd = o->fd;
    o->fd = -1;
    if (fd >= 0 && close(fd) < 0 && errno != EINTR)
        output_fail(o, -errno);
    return o->failure;
}

void output_release(struct output *o)
{
    fd_close(&o->fd);
    buffer_release(&o->packed);
    ZSTD_freeCCtx(o->zstd);
    free(o->path);
}
