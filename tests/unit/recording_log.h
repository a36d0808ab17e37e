/* For tests of recordings: a reader whose events become lines of text. */
#ifndef PITVIPER_TESTS_RECORDING_LOG_H
#define PITVIPER_TESTS_RECORDING_LOG_H

#include "record/record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline int log_meta(void *log, const char *key, const char *value)
{
    return buffer_printf(log, "meta %s=%s\n", key, value);
}
static inline int log_process(void *log, const struct record_process *p)
{
    return buffer_printf(log, "process %u parent %u pid %d at %" PRIu64 " image %" PRIu64 " python '%s' command '%s'\n",
        p->id, p->parent, p->pid, p->start_ns, p->image, p->python, p->command);
}
static inline int log_process_end(void *log, const struct record_process_end *p)
{
    return buffer_printf(log, "process %u ends at %" PRIu64 " cpu %" PRIu64 " status %d\n", p->process, p->time_ns,
        p->cpu_ns, p->status);
}
static inline int log_thread(void *log, const struct record_thread *t)
{
    return buffer_printf(log, "thread %u of %u tid %d '%s'\n", t->id, t->process, t->tid, t->name);
}
static inline int log_thread_cpu(void *log, const struct record_thread_cpu *c)
{
    return buffer_printf(
        log, "thread %u cpu %" PRIu64 " wait %" PRIu64 "\n", c->thread, c->kernel_cpu_ns, c->kernel_wait_ns);
}
static inline int log_code(void *log, const struct record_code *c)
{
    return buffer_printf(
        log, "code %u of %u '%s' in '%s' line %u\n", c->id, c->process, c->qualname, c->file, c->first_line);
}
static inline int log_frame(void *log, const struct record_frame *f)
{
    return buffer_printf(log, "frame %u code %u kind %d at %u:%u to %u:%u\n", f->id, f->code, (int)f->kind, f->line,
        f->column, f->end_line, f->end_column);
}
static inline int log_stack(void *log, uint32_t id, uint32_t parent, uint32_t frame)
{
    return buffer_printf(log, "stack %u on %u frame %u\n", id, parent, frame);
}
static inline int log_state(void *log, uint32_t thread, uint32_t stack, uint32_t state)
{
    return buffer_printf(log, "state of %u: stack %u flags %u\n", thread, stack, state);
}
static inline int log_task(void *log, const struct record_task *t)
{
    return buffer_printf(log, "task %u of %u code %u '%s'\n", t->id, t->process, t->code, t->name);
}
static inline int log_thread_task(void *log, uint32_t thread, uint32_t task)
{
    return buffer_printf(log, "thread %u runs task %u\n", thread, task);
}
static inline int log_tick(void *log, uint64_t time_ns)
{
    return buffer_printf(log, "tick %" PRIu64 "\n", time_ns);
}
static inline int log_counters(void *log, const struct record_counters *c)
{
    buffer_printf(log, "counters");
#define LOG_COUNTER(name)                                                                                              \
    if (c->name != 0)                                                                                                  \
        buffer_printf(log, " %s=%" PRIu64, #name, c->name);
    RECORD_COUNTERS(LOG_COUNTER)
#undef LOG_COUNTER
    return buffer_printf(log, "\n");
}
static inline int log_source(
    void *log, const char *path, const uint8_t digest[32], const uint8_t *text, size_t size, bool whole)
{
    return buffer_printf(log, "source %s %02x..%02x %s %zu bytes: %.*s\n", path, digest[0], digest[31],
        whole ? "whole" : "part", size, size > 40 ? 40 : (int)size, (const char *)text);
}
static inline int log_restart(void *log)
{
    return buffer_printf(log, "restart\n");
}

static const struct record_events log_events = {
    .meta = log_meta,
    .process = log_process,
    .process_end = log_process_end,
    .thread = log_thread,
    .thread_cpu = log_thread_cpu,
    .code = log_code,
    .frame = log_frame,
    .stack = log_stack,
    .state = log_state,
    .task = log_task,
    .thread_task = log_thread_task,
    .tick = log_tick,
    .counters = log_counters,
    .source = log_source,
    .restart = log_restart,
};

/* The path of a new empty temporary file, in a buffer of the caller's. */
static inline char *log_temporary(char path[64])
{
    memcpy(path, "/tmp/pitviper-test-XXXXXX", 26);
    int fd = mkstemp(path);
    if (fd < 0)
        abort();
    close(fd);
    return path;
}

#endif
