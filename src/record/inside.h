/* What the writer's files share. Private to src/record. */
#ifndef PITVIPER_RECORD_INSIDE_H
#define PITVIPER_RECORD_INSIDE_H

#include "record/format.h"
#include "record/record.h"

/* ---- output.c: whole chunks to a file, pipe or device. The first failure is kept, and nothing is written after it. */
struct output {
    int fd, failure;
    bool regular; /* only then can a chunk cut by a full disk be taken back, and SIGPIPE not come */
    char *path;
    uint32_t sequence;
    uint64_t bytes, restart_at; /* written; where the last restart stands */
    struct ZSTD_CCtx_s *zstd;
    struct buffer packed; /* a chunk as it is stored */
};

int output_open(struct output *o, const char *path, struct error *e);
void output_release(struct output *o); /* closes without looking */
void output_chunk(struct output *o, enum format_chunk type, const uint8_t *payload, size_t size);
/* close() is where NFS and quotas report what write() could not. 0 or the failure kept. */
int output_close(struct output *o);
void output_fail(struct output *o, int failure);

int output_copy(int fd, uint64_t at, struct buffer *chunk); /* reads the chunk that stands there */
void output_end(uint8_t chunk[FORMAT_CHUNK_HEADER], uint32_t sequence);
void output_number(uint8_t *chunk, uint32_t sequence); /* gives a chunk, header and payload, another number */

/* ---- thin.c: a file that is to stay under a size ---- */
#define THIN_SUFFIX ".thin" /* of the file that it is written to until it takes the name */
struct thin {
    uint64_t limit; /* 0: none */
    pid_t child;    /* 0: none is at work */
    int answer;     /* how many chunks it wrote */
    uint64_t size;  /* of the part that it rewrites */
    char *aside;
};
int thin_start(struct thin *t, const struct output *o); /* right before a restart; 0 or a negative errno */
/* Takes the child's file over if it has ended. 0, or a negative errno where that failed; the old file is whole then. */
int thin_poll(struct thin *t, struct output *o, bool wait);
void thin_release(struct thin *t);

/* ---- ring.c: the last so many seconds ---- */
#define RING_PARTS 4
#define RING_SUFFIX ".part" /* as THIN_SUFFIX */
struct ring_part {
    uint64_t at, time_ns; /* of a restart */
};
struct ring_source {
    uint64_t at, size; /* of chunks that hold nothing but a source text */
};
struct ring {
    uint64_t last_ns; /* 0: none */
    struct ring_part restarts[64];
    struct ring_source *sources;
    size_t count, source_count, source_capacity;
};
void ring_release(struct ring *g);
bool ring_wants_restart(const struct ring *g, uint64_t now_ns);
int ring_restart(struct ring *g, struct output *o, uint64_t now_ns); /* before the restart's chunk is written */
int ring_source(struct ring *g, uint64_t at, uint64_t size);
int ring_end(struct ring *g, struct output *o, uint64_t now_ns);
/* Writes what is asked for to a file beside the recording; path becomes its name. */
int ring_cut(struct ring *g, struct output *o, uint64_t now_ns, char *path, size_t size);

/* ---- writer.c, for thin.c: keeps one tick in so many; closes without an end chunk ---- */
void record_writer_keep(struct record_writer *w, uint32_t one_in);
int record_writer_leave(struct record_writer *w, uint32_t *ret_sequence);

/* ---- known.c: what a restart repeats, so that nothing before it is needed. Flat: what has ended is let go. */
struct known_meta {
    char *key, *value;
};
struct known_process {
    struct record_process put; /* its texts are owned */
    bool ended;                /* let go at the next restart */
};
struct known_thread {
    struct record_thread put; /* its name is owned */
    struct record_thread_cpu cpu;
    bool measured;
};
struct known {
    struct known_meta *metas;
    struct known_process *processes; /* by id; some ids are missing */
    struct known_thread *threads;    /* in any order */
    struct map thread_index;         /* id -> index in threads */
    size_t meta_count, meta_capacity, process_count, process_capacity, thread_count, thread_capacity;
    struct record_counters counters;
    bool counted;
};

void known_init(struct known *k);
void known_release(struct known *k);
int known_meta(struct known *k, const char *key, const char *value);
int known_process(struct known *k, const struct record_process *p);
void known_process_end(struct known *k, uint32_t process);
int known_thread(struct known *k, const struct record_thread *t);
void known_thread_cpu(struct known *k, const struct record_thread_cpu *c);
void known_thread_end(struct known *k, uint32_t thread);
void known_forget_ended(struct known *k);

#endif
