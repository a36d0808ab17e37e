/*
 * Thread names, from the threading module's own table: sys.modules['threading']._active maps get_ident() to
 * Thread objects (Lib/threading.py), which carry _name and, from 3.8, _native_id.
 */
#include "python/inside.h"
#include "python/objects.h"

#include <errno.h>

enum {
    PTHREAD_TID_AT = 0x2d0, /* struct pthread.tid in glibc on x86-64 (nptl/descr.h) */
    IDENT_BATCH = 128,
};

/* The Thread object under this ident in threading._active, whose keys are ints. */
static int find_ident(
    const struct target *t, const struct python_layout *l, uint64_t dict, uint64_t ident, uint64_t *ret_object)
{
    CLEANUP(free_pointer) struct python_dict_entry *entries = NULL;
    size_t count, size = python_int_head_size(l);
    int r = python_dict_entries(t, l, dict, &entries, &count);

    for (size_t at = 0; r == 0 && at < count; at += IDENT_BATCH) {
        uint64_t keys[IDENT_BATCH];
        uint8_t heads[IDENT_BATCH * PYTHON_HEAD_MAX];
        size_t n = count - at < IDENT_BATCH ? count - at : IDENT_BATCH;

        for (size_t i = 0; i < n; i++)
            keys[i] = entries[at + i].key;
        r = python_read_heads(t, keys, n, size, heads);
        for (size_t i = 0; r == 0 && i < n; i++) {
            int64_t found;
            if (python_int_from_head(l, heads + i * size, &found) == 0 && (uint64_t)found == ident) {
                *ret_object = entries[at + i].value;
                return 0;
            }
        }
    }
    return r < 0 ? r : -ENOENT;
}

/* Each interpreter has a threading module of its own. */
static uint64_t interpreter_of(const struct python_process *p, uint64_t thread)
{
    for (size_t i = 0; i < p->interpreter_count; i++)
        for (size_t k = 0; k < p->interpreters[i].count; k++)
            if (p->interpreters[i].threads[k]->address == thread)
                return p->interpreters[i].address;
    return 0;
}

static int thread_object_find(struct python_process *p, const struct python_thread *t, uint64_t *ret)
{
    const struct python_layout *l = &p->layout;
    uint64_t at = interpreter_of(p, t->address);

    if (!at || l->interpreter_modules == PYTHON_FIELD_NONE)
        return -ENOENT;
    int r = target_read(p->target, at + l->interpreter_modules, &at, sizeof(at));
    if (r == 0)
        r = python_dict_get(p->target, l, at, "threading", &at);
    if (r == 0)
        r = target_read(p->target, at + l->module_dict, &at, sizeof(at));
    if (r == 0)
        r = python_dict_get(p->target, l, at, "_active", &at);
    if (r == 0)
        r = find_ident(p->target, l, at, t->ident, ret);
    return r == -EFAULT ? -EAGAIN : r;
}

/* get_ident() is the pthread_t, on glibc the address of the thread's own block. */
static pid_t tid_of_block(const struct python_process *p, uint64_t ident)
{
    pid_t own;

    return target_read(p->target, ident + PTHREAD_TID_AT, &own, sizeof(own)) < 0 ? 0
                                                                                 : target_thread_number(p->target, own);
}

/* Python's own numbers may be those of the process that this one was forked from: up to 3.10 _native_id is not set anew
 * (Lib/threading.py, _after_fork), and where C forked nothing is. So they count only where the process has such a
 * thread. */
static pid_t kernel_thread(const struct python_process *p, const struct python_thread *t, uint64_t native_id)
{
    int64_t native;
    pid_t tid = target_thread_number(p->target, t->tid);

    if (!tid && native_id && python_read_int(p->target, &p->layout, native_id, &native) == 0 && native > 0 &&
        native <= INT32_MAX)
        tid = target_thread_number(p->target, (pid_t)native);
    return tid ? tid : tid_of_block(p, t->ident);
}

int python_thread_name(struct python_process *p, const struct python_thread *t, struct buffer *ret_name, pid_t *ret_tid)
{
    static const char *const names[] = {"_name", "_native_id"};
    uint64_t object, values[2] = {0};

    int r = thread_object_find(p, t, &object);
    if (r == 0)
        r = python_attributes_get(p->target, &p->layout, object, names, ARRAY_SIZE(names), values);
    *ret_tid = kernel_thread(p, t, values[1]);
    if (r < 0)
        return r;
    return values[0] ? python_read_str(p->target, &p->layout, values[0], ret_name) : -ENOENT;
}
