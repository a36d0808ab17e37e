/* Chunks of a recording, as they come. What is damaged is passed over, up to the next restart. */
#include "record/reading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define READ_SIZE (256u << 10)

static uint32_t get_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int file_head(struct record_reader *g, struct error *e)
{
    const uint8_t *header = g->chunk.data;
    if (memcmp(header, format_magic, sizeof(format_magic)) != 0)
        return error_set(e, EINVAL, "%s is not a recording of pitviper", g->name);
    if (crc32c(0, header, 12) != get_le32(header + 12))
        return error_set(e, EINVAL, "%s is damaged in its first bytes: it cannot be read", g->name);
    uint32_t version = get_le32(header + 8);
    if (version > FORMAT_VERSION)
        return error_set(e, EINVAL,
            "%s was written in format %u, and this pitviper reads up to %d: use a newer pitviper", g->name, version,
            FORMAT_VERSION);
    if (version == 0)
        return error_set(e, EINVAL, "%s is not a recording of pitviper: it names format 0", g->name);
    g->version = version;
    g->summary.bytes = g->offset = FORMAT_HEADER_SIZE;
    g->stage = CHUNK_HEAD;
    return 0;
}

/* Where it begins, and what is wrong; the first damage is the one that is told. */
static void lose(struct record_reader *g, const char *what)
{
    if (g->looking)
        return;
    g->looking = g->gaps = true;
    g->gap_at = g->offset;
    if (g->summary.damage[0] == '\0') {
        g->summary.damaged_at = g->offset;
        snprintf(g->summary.damage, sizeof(g->summary.damage), "%s", what);
    }
}

static void lose_end(struct record_reader *g)
{
    g->summary.bytes_lost += g->looking ? g->offset - g->gap_at : 0;
    g->summary.gaps += g->looking;
    g->looking = false;
}

static size_t head_size(const struct record_reader *g)
{
    return g->version == 1 ? FORMAT_CHUNK_HEADER_1 : FORMAT_CHUNK_HEADER;
}

/* The cheap half first: after damage it is asked for every byte. */
static bool head_sound(const struct record_reader *g, const uint8_t *header)
{
    if (header[0] < FORMAT_CHUNK_DATA || header[0] > FORMAT_CHUNK_END || get_le32(header + 4) > FORMAT_CHUNK_MAX)
        return false;
    return g->version == 1 || (header[2] == 0 && header[3] == 0 && crc32c(0, header, 16) == get_le32(header + 16));
}

static int chunk_head(struct record_reader *g)
{
    const uint8_t *header = g->chunk.data;
    if (head_sound(g, header)) {
        g->payload_size = get_le32(header + 4);
        g->stage = CHUNK_PAYLOAD;
        return 0;
    }
    lose(g, "not the head of a chunk");
    if (g->version == 1) { /* nothing after it can be told from chance */
        g->stage = DONE;
        return 0;
    }
    size_t next = 1;
    while (next < g->chunk.size && (header[next] < FORMAT_CHUNK_DATA || header[next] > FORMAT_CHUNK_END))
        next++;
    memmove(g->chunk.data, g->chunk.data + next, g->chunk.size - next);
    g->chunk.size -= next;
    g->offset += next;
    return 0;
}

static uint32_t payload_crc(const struct record_reader *g, const uint8_t *header, const uint8_t *payload)
{
    return crc32c(g->version == 1 ? crc32c(0, header, 12) : 0, payload, g->payload_size);
}

/* *payload and *size become those of what was packed. 0, -ENOMEM, or DAMAGED. */
static int unpack(struct record_reader *g, uint8_t encoding, const uint8_t **payload, size_t *size)
{
    if (encoding == FORMAT_RAW)
        return 0;
    if (encoding != FORMAT_ZSTD || g->version == 1)
        return damaged(g, "a chunk in an encoding that this version does not know");
    unsigned long long content = ZSTD_getFrameContentSize(*payload, *size);
    if (content == ZSTD_CONTENTSIZE_ERROR || content == ZSTD_CONTENTSIZE_UNKNOWN || content > FORMAT_CHUNK_MAX)
        return damaged(g, "a packed chunk that does not tell its size, or too large a one");
    if (g->zstd == NULL)
        g->zstd = ZSTD_createDCtx();
    buffer_clear(&g->unpacked);
    if (g->zstd == NULL || buffer_reserve(&g->unpacked, (size_t)content + 1) < 0)
        return -ENOMEM;
    size_t n = ZSTD_decompressDCtx(g->zstd, g->unpacked.data, (size_t)content, *payload, *size);
    if (ZSTD_isError(n) || n != content)
        return damaged(g, "a packed chunk that cannot be unpacked");
    *payload = g->unpacked.data;
    *size = n;
    return 0;
}

/* A chunk whose checksums hold. */
static int chunk_read(struct record_reader *g, const uint8_t *header, const uint8_t *payload)
{
    uint32_t sequence = get_le32(header + 8);
    size_t size = g->payload_size;
    bool first = g->summary.chunks == 0 && g->version > 1 && header[0] == FORMAT_CHUNK_RESTART;
    if (sequence < g->sequence)
        lose(g, "a chunk stands twice");
    else if (sequence > g->sequence && !first)
        lose(g, "a chunk is missing");
    if (g->looking && (sequence < g->sequence || header[0] == FORMAT_CHUNK_DATA))
        return 0;
    lose_end(g);
    g->gaps = g->gaps || (g->version > 1 && header[0] == FORMAT_CHUNK_RESTART);
    g->sequence = sequence;
    if (header[0] == FORMAT_CHUNK_END) {
        g->summary.complete = g->summary.damage[0] == '\0';
        g->stage = DONE;
    } else {
        int r = unpack(g, header[1], &payload, &size);
        if (r == 0 && header[0] == FORMAT_CHUNK_RESTART)
            r = events_restart(g);
        if (r == 0)
            r = events_read(g, payload, size);
        if (g->damage != NULL) {
            lose(g, g->damage);
            g->damage = NULL;
            r = 0;
        }
        if (r != 0)
            return r;
    }
    g->sequence++;
    if (!g->looking) {
        g->summary.bytes += head_size(g) + g->payload_size;
        g->summary.chunks++;
    }
    return 0;
}

/* A chunk that does not hold may be one whose end is missing, and then it has swallowed the next ones: its bytes are
 * looked through once more. Not those of a chunk that was found that way, so that no byte is looked at more than
 * thrice.
 */
static int look_again(struct record_reader *g, struct error *e)
{
    CLEANUP(buffer_release) struct buffer again = g->chunk;
    buffer_init(&g->chunk, again.max);
    g->looked_to = g->offset + again.size;
    g->offset++;
    g->stage = CHUNK_HEAD;
    return record_reader_feed(g, again.data + 1, again.size - 1, e);
}

static int chunk_payload(struct record_reader *g, struct error *e)
{
    const uint8_t *header = g->chunk.data, *payload = header + head_size(g);
    int r = 0;
    g->stage = CHUNK_HEAD;
    if (payload_crc(g, header, payload) == get_le32(header + 12)) {
        r = chunk_read(g, header, payload);
    } else {
        lose(g, "the checksum of a chunk is wrong");
        if (g->version > 1 && g->offset >= g->looked_to)
            return look_again(g, e);
    }
    g->offset += head_size(g) + g->payload_size;
    if (g->looking && g->version == 1)
        g->stage = DONE;
    buffer_clear(&g->chunk);
    return r;
}

/* How many bytes make the present piece whole, with what of it came before. */
static size_t needed(const struct record_reader *g)
{
    return g->stage == FILE_HEAD    ? FORMAT_HEADER_SIZE
           : g->stage == CHUNK_HEAD ? head_size(g)
                                    : head_size(g) + (size_t)g->payload_size;
}

/* The piece in g->chunk is whole. */
static int piece(struct record_reader *g, struct error *e)
{
    if (g->stage == CHUNK_HEAD)
        return chunk_head(g);
    if (g->stage == CHUNK_PAYLOAD)
        return chunk_payload(g, e);
    int r = file_head(g, e);
    buffer_clear(&g->chunk);
    return r;
}

/* ---- from outside ---- */

int record_reader_new(const char *name, const struct record_events *events, void *context, struct record_reader **ret)
{
    struct record_reader *g = calloc(1, sizeof(*g));
    if (g == NULL)
        return -ENOMEM;
    g->name = name;
    g->events = events;
    g->context = context;
    g->stacks = 1;
    buffer_init(&g->chunk, FORMAT_CHUNK_MAX + FORMAT_CHUNK_HEADER);
    buffer_init(&g->text, FORMAT_CHUNK_MAX + 16);
    buffer_init(&g->unpacked, FORMAT_CHUNK_MAX + 1);
    map_init(&g->processes.map);
    map_init(&g->thread_ids.map);
    map_init(&g->runs.map);
    int r = strings_init(&g->strings, SIZE_MAX);
    if (r < 0) {
        record_reader_free(g);
        return r;
    }
    *ret = g;
    return 0;
}

void record_reader_free(struct record_reader *g)
{
    if (g == NULL)
        return;
    strings_release(&g->strings);
    buffer_release(&g->chunk);
    buffer_release(&g->text);
    buffer_release(&g->unpacked);
    map_release(&g->processes.map);
    map_release(&g->thread_ids.map);
    map_release(&g->runs.map);
    ZSTD_freeDCtx(g->zstd);
    free(g->threads);
    free(g);
}

int record_reader_feed(struct record_reader *g, const void *data, size_t size, struct error *e)
{
    const uint8_t *at = data;
    while (g->stage != DONE) {
        size_t missing = needed(g) - g->chunk.size, n = size < missing ? size : missing;
        int r = n > 0 ? buffer_append(&g->chunk, at, n) : 0;
        at += n;
        size -= n;
        if (r == 0 && n < missing)
            return 0;
        if (r == 0)
            r = piece(g, e);
        if (r == -ENOMEM)
            error_set(e, ENOMEM, "out of memory while reading %s", g->name);
        if (r != 0)
            return r;
    }
    return 0;
}

bool record_reader_done(const struct record_reader *g)
{
    return g->stage == DONE;
}

int record_reader_end(struct record_reader *g, struct record_summary *ret, struct error *e)
{
    if (g->stage == FILE_HEAD) {
        size_t got = g->chunk.size;
        if (got == 0)
            return error_set(e, EINVAL, "%s is empty: not a recording", g->name);
        if (memcmp(g->chunk.data, format_magic, got < sizeof(format_magic) ? got : sizeof(format_magic)) != 0)
            return error_set(e, EINVAL, "%s is not a recording of pitviper", g->name);
        return error_set(e, EINVAL, "%s is cut off in its first bytes: nothing of the recording is left", g->name);
    }
    if (g->stage == CHUNK_HEAD)
        lose(g, g->chunk.size == 0 ? "it ends without its end mark: the writer was killed, or is still at work"
                                   : "truncated in the head of a chunk");
    if (g->stage == CHUNK_PAYLOAD) {
        lose(g, "truncated in the middle of a chunk");
        int r = g->version > 1 && g->offset >= g->looked_to ? look_again(g, e) : 0;
        if (r != 0)
            return r;
    }
    g->stage = DONE;
    g->offset += g->chunk.size;
    lose_end(g);
    *ret = g->summary;
    return 0;
}

/* Up to size bytes from fd; 0 at its end; negative errno. */
static ssize_t read_some(int fd, void *into, size_t size)
{
    ssize_t n;
    do
        n = read(fd, into, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static int feed_file(struct record_reader *g, int fd, struct error *e)
{
    CLEANUP(buffer_release) struct buffer piece_read;
    buffer_init(&piece_read, READ_SIZE);
    int r = buffer_reserve(&piece_read, READ_SIZE);
    while (r == 0 && !record_reader_done(g)) {
        ssize_t n = read_some(fd, piece_read.data, READ_SIZE);
        if (n == 0)
            break;
        if (n < 0)
            return error_set(e, (int)-n, "cannot read %s: %s", g->name, strerror((int)-n));
        r = record_reader_feed(g, piece_read.data, (size_t)n, e);
    }
    return r;
}

/* One of fd and data. */
static int read_whole(int fd, const void *data, size_t size, const char *name, const struct record_events *events,
    void *context, struct record_summary *ret, struct error *e)
{
    struct record_reader *g;
    struct record_summary summary;
    int r = record_reader_new(name, events, context, &g);
    if (r < 0)
        return error_set(e, -r, "out of memory while reading %s", name);
    r = data == NULL ? feed_file(g, fd, e) : record_reader_feed(g, data, size, e);
    if (r == 0)
        r = record_reader_end(g, &summary, e);
    if (r == 0 && ret != NULL)
        *ret = summary;
    record_reader_free(g);
    return r;
}

int record_read(int fd, const char *name, const struct record_events *events, void *context, struct record_summary *ret,
    struct error *e)
{
    return read_whole(fd, NULL, 0, name, events, context, ret, e);
}

int record_read_memory(const void *data, size_t size, const char *name, const struct record_events *events,
    void *context, struct record_summary *ret, struct error *e)
{
    return read_whole(-1, data == NULL ? "" : data, size, name, events, context, ret, e);
}
