/*
 * live: the terminal user interface of `pitviper top`. It follows a recording that somebody else writes and draws the
 * profile of it a few times a second. It knows no target: whoever samples is another process, which neither waits for
 * this one nor notices when it stalls; and asyncio's tasks, which no recording lists, are asked for by a callback.
 *
 * The terminal is put back whatever ends it: the end of live_run, a signal, a crash. One thread, one at a time.
 */
#ifndef PITVIPER_LIVE_H
#define PITVIPER_LIVE_H

#include "profile/profile.h"

enum live_phase {
    LIVE_SAMPLING,
    LIVE_ENDED, /* no more will come, in order */
    LIVE_LOST,  /* the sampler is gone without having said so */
};
struct live_news {
    enum live_phase phase;
    bool running;   /* the program that was started lives: to quit ends it, so quitting asks */
    char text[256]; /* "", or what the foot says: how the program ended */
};

enum live_task_state { LIVE_TASK_RUNNING, LIVE_TASK_READY, LIVE_TASK_WAITING };
struct live_task {
    uint64_t id; /* the same while the task lives */
    const char *name;
    const char *function, *file; /* its own coroutine */
    uint32_t first_line;
    enum live_task_state state;
    const char *where; /* the innermost of what it awaits, or "" */
    uint32_t line;
    const char *awaits; /* type of the future that it waits for, or the name of the task; "" none */
};
struct live_tasks {
    const struct live_task *items;
    size_t count;
    bool cut;         /* there are more */
    const char *text; /* "", or why there are none to be shown */
};

struct live_options {
    int recording; /* a file that grows; borrowed, read by position */
    int output;    /* a file that the program's output goes to; -1: it has its own terminal */
    int32_t pid;
    enum profile_mode mode;
    const char *save_as;                                /* the name that saving proposes */
    void (*news)(void *context, struct live_news *ret); /* asked several times a second; must not block */
    void *context;
    /* All tasks of a process, now. Asked only while they are looked at, and the less often the longer it takes. What it
     * gives stays until it is asked again. */
    void (*tasks)(void *context, int64_t pid, struct live_tasks *ret);
};

/* Whether there is a terminal to draw on. -ENOTTY with a line in e. */
int live_check(struct error *e);
/* Returns when the user quits (0), or when a signal asks to: then its number, for the caller to end by. -errno with a
 * line in e where the terminal cannot be used, or the recording no longer read. */
int live_run(const struct live_options *options, struct error *e);

#endif
