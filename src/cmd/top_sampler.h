/* The process that samples for `top`, and what it tells the one that draws. Private to src/cmd. */
#ifndef PITVIPER_CMD_TOP_SAMPLER_H
#define PITVIPER_CMD_TOP_SAMPLER_H

#include "cmd/session.h"

struct top_sampler_options {
    struct session_options session; /* output: the recording's file, always given */
    uint64_t max_size;              /* of the recording: sampling ends there */
    int64_t attach;                 /* a process to attach to; 0: a command is started */
    char *const *command;
    int input, output; /* the command's; -1: none (attach) */
};

struct top_sampler {
    pid_t pid;                /* of the sampling process; 0: it was waited for */
    int messages;             /* from it */
    pid_t program;            /* started by it, or attached to; 0: not yet */
    bool started;             /* a program was started, and has not been waited for */
    bool ready, failed, done; /* sampling; it could not; it has told its end */
    bool first_ended;         /* sampling ended because the program did */
    bool program_ended;
    int program_status; /* wait status of what was started */
    bool lost;          /* it died without a word */
    int sample_errno;
    char text[256]; /* why it failed, or ended early */
};

/* Forks the sampling process; the terminal is not its own, and it ends when this process does. */
int top_sampler_start(const struct top_sampler_options *o, struct top_sampler *ret, struct error *e);
/* Waits until it samples, has failed or is gone. */
void top_sampler_wait_ready(struct top_sampler *s);
void top_sampler_hear(struct top_sampler *s); /* takes what it has told; does not block */
/* Ends the sampling, and the program that was started if it still runs; waits for both. */
void top_sampler_stop(struct top_sampler *s);

#endif
