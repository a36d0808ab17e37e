#include "cmd/top_tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void close_process(struct top_tasks *t)
{
    python_tasks_release(&t->found);
    python_close(t->python);
    target_close(t->target);
    t->python = NULL;
    t->target = NULL;
    t->pid = 0;
}

void top_tasks_release(struct top_tasks *t)
{
    close_process(t);
    free(t->items);
    t->items = NULL;
    t->capacity = 0;
}

static int open_process(struct top_tasks *t, int64_t pid)
{
    struct error e = {.text = ""};

    if (t->pid == pid && target_alive(t->target))
        return 0;
    close_process(t);
    int r = target_open((pid_t)pid, &t->target, &e);
    if (r == 0)
        r = python_open(t->target, true, &t->python, &e);
    if (r < 0) {
        snprintf(t->text, sizeof(t->text), "%.199s", e.text);
        close_process(t);
        return r;
    }
    t->pid = pid;
    return 0;
}

/* The first sample learns where things are; the second is in time. */
static int read_all(struct top_tasks *t)
{
    struct python_sample sample;
    int r = python_sample(t->python, &sample);

    if (r == 0)
        r = python_sample(t->python, &sample);
    if (r == 0) {
        python_tasks_release(&t->found);
        r = python_tasks_read(t->python, &t->found);
    }
    if (r == 0)
        r = array_reserve(&t->items, &t->capacity, t->found.count + 1, sizeof(*t->items));
    return r;
}

static struct live_task task_of(const struct top_tasks *t, const struct python_task *from)
{
    static const struct python_code unknown = {.qualname = "?", .file = ""};
    struct live_task to = {.id = from->address,
        .name = from->name,
        .state = (enum live_task_state)from->state,
        .where = "",
        .awaits = from->awaits_task != UINT32_MAX ? t->found.items[from->awaits_task].name : from->awaits};
    const struct python_code *root = from->depth > 0 ? python_code(t->python, from->frames[0].code) : &unknown;
    to.function = root->qualname;
    to.file = root->file;
    to.first_line = root->first_line;
    if (from->depth > 0) {
        const struct python_frame *last = &from->frames[from->depth - 1];
        struct python_location at;
        python_code_location(t->python, last->code, last->at, &at);
        to.where = python_code(t->python, last->code)->qualname;
        to.line = at.line;
    }
    return to;
}

void top_tasks_list(struct top_tasks *t, int64_t pid, struct live_tasks *ret)
{
    *ret = (struct live_tasks){.text = t->text};
    if (open_process(t, pid) < 0)
        return;
    int r = read_all(t);
    if (r < 0) {
        snprintf(t->text, sizeof(t->text), "process %d cannot be read now: %s", (int)pid, strerror(-r));
        close_process(t); /* it may be another program by now */
        return;
    }
    snprintf(t->text, sizeof(t->text), "%s",
        t->found.unreadable[0] ? t->found.unreadable : "no asyncio tasks in this process");
    for (size_t i = 0; i < t->found.count; i++)
        t->items[i] = task_of(t, &t->found.items[i]);
    ret->items = t->items;
    ret->count = t->found.count;
    ret->cut = t->found.cut;
}
