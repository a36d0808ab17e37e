/*
 * asyncio: what the task readers of this room share. Where asyncio keeps its tasks in this process, what a task object
 * holds, and one link of a chain of awaits. Everything read here is hostile, as in objects.h. Private to src/python.
 *
 * Facts: Modules/_asynciomodule.c (struct TaskObj, FutureIter; 3.14+ publishes offsets in a section .AsyncioDebug),
 * Lib/asyncio/tasks.py (_all_tasks, _scheduled_tasks, _current_tasks), Objects/genobject.c (_PyGen_yf).
 */
#ifndef PITVIPER_PYTHON_ASYNCIO_H
#define PITVIPER_PYTHON_ASYNCIO_H

#include "python/inside.h"
#include "python/objects.h"

enum {
    ASYNCIO_TASKS_CAP = 1 << 16, /* tasks of one process that are listed */
    ASYNCIO_CHAIN_CAP = 1024,    /* coroutines in one chain of awaits */
    ASYNCIO_SET_CAP = 1 << 20,   /* slots of a set that are looked at */
    ASYNCIO_TYPES_CAP = 4096,    /* types remembered; then all are forgotten */
    ASYNCIO_NAMES_BYTES = 8 << 20,
    ASYNCIO_NAME_CAP = 200, /* bytes of a task's name; a longer one ends in an ellipsis */
};

/* ---- what an object is, as far as awaiting goes; by its type's name, which no subclass can have ---- */
enum asyncio_kind {
    ASYNCIO_OTHER,
    ASYNCIO_GENERATOR, /* a coroutine, generator or asynchronous generator: begins as PyGenObject does */
    ASYNCIO_WRAPPER,   /* its first field is what it awaits: asend, athrow, anext_awaitable, coroutine_wrapper */
    ASYNCIO_ITERATOR,  /* FutureIter: its first field is the future */
    ASYNCIO_TASK,      /* _asyncio.Task or a class of the program's that derives from it */
    ASYNCIO_GATHERING, /* the future that gather() returns */
};
struct asyncio_type {
    uint64_t address;
    enum asyncio_kind kind;
    char name[64]; /* without its module */
};

struct asyncio_place { /* of one interpreter */
    uint64_t interpreter;
    uint64_t task_type; /* its own _asyncio.Task (3.12+; before, all have one) */
    uint64_t current;   /* the dict {loop: its running task}; 3.14+: of tasks written in Python only, 0 here */
    uint64_t scheduled; /* the WeakSet of tasks, in 3.14+ of those that are not in the lists */
    uint64_t eager;     /* the set of eager tasks (3.12+), or 0 */
};

struct asyncio {
    /* offsets in a Task object; those from awaited_by on are 0 before 3.14 */
    uint16_t task_size, loop, waiter, coroutine, name, awaited_by, awaited_by_is_set, node;
    /* 3.14+: in the thread state and in the interpreter state */
    uint32_t running_loop, running_task, thread_tasks, interpreter_tasks;
    uint64_t task_type; /* of the first place */
    struct asyncio_place *places;
    size_t place_count, place_capacity;
    bool found;
    uint64_t look_ns;     /* when it is looked for again; */
    unsigned looks;       /* how often that was already */
    char unreadable[160]; /* "", or why tasks cannot be read here */
    struct asyncio_type *types;
    size_t type_count, type_capacity;
    struct map type_index;
    struct strings names; /* of tasks that ran in a sample */
    struct running_pair {
        uint32_t name, code;
    } * running;
    size_t running_count, running_capacity;
    struct map running_index;
};

/* Where asyncio is in this process. 0; -ENOENT: not imported; -ENOTSUP: it cannot be read, p->asyncio->unreadable says
 * why; -ENOMEM. The answer is kept; a miss is not asked again at once unless `now`. */
int asyncio_find(struct python_process *p, bool now);
void asyncio_free(struct asyncio *a);
const struct asyncio_type *asyncio_type_of(struct python_process *p, uint64_t object); /* NULL: no such object */

struct asyncio_task {
    uint64_t address, loop, waiter, coroutine, name; /* waiter: the future that it waits for, 0 none */
    uint64_t awaited_by;
    bool awaited_by_is_set;
};
/* -EAGAIN: no task is there. */
int asyncio_task_read(struct python_process *p, uint64_t address, struct asyncio_task *ret);
/* The same of asyncio->task_size bytes that were read there. */
int asyncio_task_take(struct python_process *p, uint64_t address, const uint8_t *head, struct asyncio_task *ret);
/* get_name(), where 3.12 and later may still hold the number of "Task-N". */
int asyncio_name_read(struct python_process *p, uint64_t name, struct buffer *into);
/* The keys of a set; *ret is for free(). */
int asyncio_set_read(struct python_process *p, uint64_t set, uint64_t **ret, size_t *ret_count);
/* The tasks of the dict {loop: its running task}: at most `most`. *ret_keys: where its table is, if that is one of the
 * least size, as it is for a few loops; else 0. */
int asyncio_current_read(struct python_process *p, const struct asyncio_place *place, uint64_t *ret, size_t most,
    size_t *ret_count, uint64_t *ret_keys);
/* Such a table has so many bytes (0: unknown), and holds these tasks; false: it is another. */
#define ASYNCIO_SMALL_MAX 192
uint32_t asyncio_small_size(const struct python_layout *l);
bool asyncio_small_take(
    const struct python_layout *l, const uint8_t *keys, uint64_t *ret, size_t most, size_t *ret_count);

/* ---- coroutines.c ---- */
enum asyncio_progress {
    ASYNCIO_CREATED,
    ASYNCIO_SUSPENDED,
    ASYNCIO_EXECUTING,
    ASYNCIO_FINISHED,
};
struct asyncio_link {
    enum asyncio_progress progress;
    uint64_t frame;            /* address of its frame; 0 when finished */
    struct python_frame place; /* where it stands */
    uint64_t awaits;           /* the object that it awaits, if it is suspended there; else 0 */
};
/* One coroutine, generator or asynchronous generator. -EAGAIN: it makes no sense. */
int asyncio_link_read(struct python_process *p, uint64_t generator, struct asyncio_link *ret);
/* From what an await waits for to the coroutine or generator behind it; 0: none, the chain ends there. */
uint64_t asyncio_next(struct python_process *p, uint64_t awaited);

#endif
