/* What `run` and `attach` share: their options, and a recording made from a target to its end. Private to src/cmd. */
#ifndef PITVIPER_CMD_SESSION_H
#define PITVIPER_CMD_SESSION_H

#include "cmd/cmd.h"
#include "sample/sample.h"

struct session_options {
    uint64_t rate, duration_ns, max_size, last_ns, flush_ns;
    int mode;
    bool children, sources;
    const char *output, *thread, *python;
};
#define SESSION_DEFAULTS                                                                                               \
    {                                                                                                                  \
        .rate = 1000, .children = true, .sources = true                                                                \
    }
extern const char *const session_modes[];

#define SESSION_OPTIONS(type, member)                                                                                  \
    {"rate", 'r', CMD_COUNT, offsetof(type, member.rate), "HZ", "samples a second and thread: 1000, 10k (default 1k)", \
        NULL},                                                                                                         \
        {"mode", 0, CMD_CHOICE, offsetof(type, member.mode), NULL,                                                     \
            "which samples to keep: all, on a CPU, holding the GIL (default wall)", session_modes},                    \
        {"duration", 'd', CMD_DURATION, offsetof(type, member.duration_ns), "TIME",                                    \
            "stop sampling after so long: 10, 1.5s, 2m (default: the program's end)", NULL},                           \
        {"output", 'o', CMD_TEXT, offsetof(type, member.output), "FILE",                                               \
            "the recording; a pipe or device is written in place (default NAME.pit)", NULL},                           \
        {"no-children", 0, CMD_FLAG_OFF, offsetof(type, member.children), NULL, "do not follow child processes",       \
            NULL},                                                                                                     \
        {"thread", 0, CMD_TEXT, offsetof(type, member.thread), "NAME|TID", "keep only this thread", NULL},             \
    {                                                                                                                  \
        "no-source", 0, CMD_FLAG_OFF, offsetof(type, member.sources), NULL,                                            \
            "keep the text of source files out of the recording", NULL                                                 \
    }

/* What drops or rewrites what was recorded: not for `top`, which reads the file while it grows. */
#define SESSION_LIMIT_OPTIONS(type, member)                                                                            \
    {"last", 0, CMD_DURATION, offsetof(type, member.last_ns), "TIME",                                                  \
        "keep only the last so long: 60s, 10m; 'pitviper cut PID' writes it out meanwhile", NULL},                     \
    {                                                                                                                  \
        "max-size", 0, CMD_COUNT, offsetof(type, member.max_size), "BYTES",                                            \
            "keep the recording under this, with fewer ticks of all of the run: 100M, 2G", NULL                        \
    }

struct session {
    const struct session_options *options;
    struct record_writer *writer;
    struct sampler *sampler;
    char path[4096];
    void (*ready)(void *context); /* called when the first process is readable, before the first sample; or NULL */
    void *context;
    bool seekable; /* a regular file: it can be read back for the summary */
};

extern volatile sig_atomic_t session_cut;  /* set by SIGRTMIN to cut a ring out */
extern volatile sig_atomic_t session_stop; /* set by a signal handler to end sampling */

/* A recording may be replaced; anything else that has bytes in it may not. */
int session_output_check(const char *path, bool *ret_regular, struct error *e);
/* Decides where the recording goes, and no more. */
int session_path(struct session *s, const struct session_options *options, const char *name, struct error *e);
/* Opens the recording before anything is started. `name` gives the default path (NAME.pit). */
int session_open(struct session *s, const struct session_options *options, const char *name, struct error *e);
/* Samples `target` (ownership is taken) until it ends. */
int session_sample(
    struct session *s, struct target *target, uint64_t wait_ns, struct sample_result *ret, struct error *e);
int session_close(struct session *s, struct error *e);
/* The summary, from the recording itself; where it cannot be read back, the counters only. */
void session_summary(const struct session *s, const struct sample_result *r);
/* Where the recording is and how it is read again, on standard error; the path as a terminal and a shell take it. */
void session_name_recording(const char *path);

/* Ends this process as one with this wait status ended; returns where that was by an exit status, which it returns. */
int session_end_as(int wait_status);

#endif
