/* What the files of this room share. Nothing outside the room (its tests and fuzzers apart) includes it. */
#ifndef PITVIPER_PROVE_INSIDE_H
#define PITVIPER_PROVE_INSIDE_H

#include "prove/prove.h"

/* ---- spawner.c: the small process that starts, times and ends the others. Between it and the runner, over a stream
 * socket: a request, with its descriptors in the first byte's control message; 'k' where the runs are to end; one
 * reply. Both ends are one program, so structs go as they are. ---- */
#define SPAWN_WORDS_MAX (8u << 20) /* bytes of argv and environment in a request */
#define SPAWN_FILES 4              /* stdin, stdout, stderr, the harness's answer */

struct spawn_one {
    uint32_t argc, variables; /* strings of it in the words, in this order */
    bool has_folder;          /* one more string */
    bool pinned, watched, answers;
    int cpu;
    uint64_t timeout_ns;
};
struct spawn_request {
    uint32_t count;
    uint32_t words; /* bytes of NUL-terminated strings behind this struct */
    struct spawn_one each[PROVE_AT_ONCE_MAX];
};
struct spawn_usage {
    int status;
    bool timed_out;
    bool queued_known;
    uint64_t begun_ns, wall_ns, user_ns, system_ns, queued_ns;
    uint64_t memory, minor_faults, major_faults, voluntary, involuntary;
    uint32_t leftovers, threads, processes;
};
struct spawn_reply {
    int result; /* 0, or why one could not be started; then `why` */
    bool interrupted;
    char why[600];
    struct spawn_usage each[PROVE_AT_ONCE_MAX];
};
/* Serves until the socket is closed; ends what runs then. Does not return. */
_Noreturn void spawner_serve(int socket);

/* Reads or writes all of it. -EPIPE: the other end has gone. */
int wire_read(int fd, void *into, size_t size);
int wire_write(int fd, const void *data, size_t size);

/* ---- split.c ---- */
#define SPLIT_MAX (1u << 17)              /* bytes of a command: what the kernel takes as one word (MAX_ARG_STRLEN) */
bool split_is_function(const char *text); /* MODULE:NAME or FILE.py:NAME */
/* The words of a command as a shell would cut them, NULL behind them. ret_shell: it has other syntax of the shell, and
 * the words are not to be used. */
int split_words(
    const char *text, struct arena *arena, char ***ret, size_t *ret_count, bool *ret_shell, struct error *e);

/* ---- subject.c ---- */
bool subject_is_python(const struct prove_subject *s); /* what it starts is called python */

/* ---- call.c: one process of a subject, made ready, and what it answered ---- */
struct subject_call {
    struct prove_process process;
    char *argv[5];
    struct buffer text, spec;
};
/* driver: NULL for commands. Released also after a failure. */
int subject_call_init(struct subject_call *c, const struct prove_subject *s, const char *driver, const char *extra,
    const struct prove_process *how, struct error *e);
void subject_call_release(struct subject_call *c);
/* The same with the driver of batches. */
int subject_batch_call_init(struct subject_call *c, const struct prove_subject *s,
    const struct prove_batch_options *options, const struct prove_process *how, struct error *e);
/* Whether the run went well, and what the harness said if not. */
int subject_check(const struct prove_subject *s, const struct prove_run *run, struct error *e);
int subject_read(
    const struct prove_subject *s, const struct prove_run *run, struct prove_batches *ret, struct error *e);
/* A harness's answer to the driver of batches: hostile, since the program under test holds the descriptor too. */
int batches_parse(const char *text, size_t size, uint64_t begun_ns, struct prove_batches *ret, struct error *e);

/* ---- imports.c ---- */
/* The next file that a module came from, in what python says on stderr under PYTHONVERBOSE. */
bool imports_next(const char **at, const char *end, char *into, size_t size);

#endif
