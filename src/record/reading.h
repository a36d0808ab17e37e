/* What the reader's files share. Private to src/record. */
#ifndef PITVIPER_RECORD_READING_H
#define PITVIPER_RECORD_READING_H

#include "record/format.h"
#include "record/record.h"

#include <errno.h>

struct last_state {
    uint32_t stack, state;
};

enum stage { FILE_HEAD, CHUNK_HEAD, CHUNK_PAYLOAD, DONE };

/* A file's ids to those that are called back, which have no gaps: a reader that began in the middle knows but some. */
struct ids {
    uint32_t count, same; /* a file's ids below `same` are ours; of the others the map knows */
    struct map map;
};

struct record_reader {
    const struct record_events *events;
    void *context;
    const char *name;
    struct record_summary summary;
    enum stage stage;
    uint32_t version;
    struct buffer chunk, text; /* what came of the head or chunk so far; NUL-terminated copies for one event */
    struct buffer unpacked;
    struct ZSTD_DCtx_s *zstd;
    uint32_t payload_size, sequence;
    uint64_t offset, gap_at; /* of the present piece; where what is being passed over began */
    uint64_t looked_to;      /* what stands before was looked through twice */
    bool looking;            /* for the next restart */
    bool gaps;               /* something before was not read: its processes and threads may be unknown */
    struct strings strings;
    uint64_t strings_size;
    struct last_state *threads;
    size_t thread_capacity;
    struct ids processes, thread_ids, runs;
    uint32_t codes, frames, stacks, tasks, string_count;
    uint32_t last_thread, frame_code, stack_frame;
    uint64_t time_ns;
    const char *damage; /* of the event being parsed */
};

/* What a parser of one event returns: 0, DAMAGED with `damage` set, or what a callback returned. Callbacks
 * may return any number, so damage is told by the pointer, never by the number. */
#define DAMAGED (-EBADMSG)

static inline int damaged(struct record_reader *g, const char *what)
{
    g->damage = what;
    return DAMAGED;
}

/* ---- events.c: the events of one chunk, checked and called back. 0, DAMAGED, or what a callback returned. */
int events_read(struct record_reader *g, const uint8_t *payload, size_t size);
int events_restart(struct record_reader *g); /* forgets what a restart forgets */

#endif
