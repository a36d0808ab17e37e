/* The asyncio tasks of the program that `top` watches, read by the process that draws. Private to src/cmd. */
#ifndef PITVIPER_CMD_TOP_TASKS_H
#define PITVIPER_CMD_TOP_TASKS_H

#include "live/live.h"
#include "python/python.h"

struct top_tasks {
    int64_t pid; /* of what is open; 0: nothing */
    struct target *target;
    struct python_process *python;
    struct python_tasks found;
    struct live_task *items;
    size_t capacity;
    char text[200];
};

/* What it gives stays until it is asked again, or released. */
void top_tasks_list(struct top_tasks *t, int64_t pid, struct live_tasks *ret);
void top_tasks_release(struct top_tasks *t);

#endif
