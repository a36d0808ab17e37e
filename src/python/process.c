/* Opening an interpreter in a process, and what is known of it as a whole. */
#include "python/asyncio.h"
#include "python/inside.h"
#include "python/objects.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void widen(uint32_t *low, uint32_t *high, uint16_t field, uint32_t size)
{
    if (field == PYTHON_FIELD_NONE)
        return;
    if (field < *low)
        *low = field;
    if (field + size > *high)
        *high = field + size;
}

static void spans_set(struct python_process *p)
{
    const struct python_layout *l = &p->layout;

    p->thread_low = UINT32_MAX;
    widen(&p->thread_low, &p->thread_high, l->thread_next, 8);
    widen(&p->thread_low, &p->thread_high, l->thread_interpreter, 8);
    widen(&p->thread_low, &p->thread_high, l->thread_frame, 8);
    widen(&p->thread_low, &p->thread_high, l->thread_thread_id, 8);
    widen(&p->thread_low, &p->thread_high, l->thread_native_thread_id, 8);
    widen(&p->thread_low, &p->thread_high, l->thread_datastack_chunk, 8);
    widen(&p->thread_low, &p->thread_high, l->thread_datastack_top, 8);
    widen(&p->thread_low, &p->thread_high, l->thread_state, 4);
    p->thread_low &= ~7u;
    if (l->version >= 0x030b) {
        p->frame_header = l->frame_localsplus;
    } else { /* the block stack between the state and the locals is not needed */
        uint32_t low = 0, high = 0;
        widen(&low, &high, l->frame_previous, 8);
        widen(&low, &high, l->frame_code, 8);
        widen(&low, &high, l->frame_instr, 4);
        widen(&low, &high, l->frame_state, 1);
        p->frame_header = (high + 7u) & ~7u;
    }
}

/* sys.version begins with "3.12.1 (main, ..."; the interpreter's own word for what it is. */
void process_version_read(struct python_process *p, uint64_t interpreter)
{
    CLEANUP(buffer_release) struct buffer text;
    uint64_t sysdict, value;

    buffer_init(&text, 64 << 10);
    if (p->layout.interpreter_sysdict == PYTHON_FIELD_NONE ||
        target_read(p->target, interpreter + p->layout.interpreter_sysdict, &sysdict, 8) < 0 ||
        python_dict_get(p->target, &p->layout, sysdict, "version", &value) < 0 ||
        python_read_str(p->target, &p->layout, value, &text) < 0)
        return;
    const char *line = buffer_text(&text);
    size_t size = strcspn(line, " +(");
    if (size > 0 && size < sizeof(p->info.version_text) && strncmp(line, p->info.version_text, 3) == 0)
        snprintf(p->info.version_text, sizeof(p->info.version_text), "%.*s%s", (int)size, line,
            p->layout.free_threaded ? "t" : "");
}

int process_new(struct target *t, const struct python_found *found, const struct python_layout *layout,
    struct python_process **ret, struct error *e)
{
    struct python_process *p = calloc(1, sizeof(*p));

    if (!p)
        return error_set(e, ENOMEM, "out of memory");
    p->target = t;
    p->layout = *layout;
    p->opcodes = python_opcodes_table(layout->version);
    if (!p->opcodes) {
        free(p);
        return error_set(e, ENOTSUP, "process %d runs Python 3.%u, whose instructions are not known", target_pid(t),
            layout->version & 0xffu);
    }
    codes_init(&p->codes);
    edges_init(&p->edges);
    p->runtime = found->runtime;
    p->info.version = layout->version;
    p->info.found_by = found->by;
    p->info.versions_checked = layout->version >= 0x030b;
    if (!p->info.versions_checked)
        snprintf(p->info.weaker, sizeof(p->info.weaker),
            "callers are checked by their instruction and by names only: Python 3.%u keeps no function versions",
            layout->version & 0xffu);
    snprintf(p->info.version_text, sizeof(p->info.version_text), "3.%u%s", layout->version & 0xffu,
        layout->free_threaded ? "t" : "");
    spans_set(p);
    *ret = p;
    return 0;
}

int python_open(struct target *t, bool scan, struct python_process **ret, struct error *e)
{
    struct python_found found;
    struct python_layout layout;
    struct python_process *p;
    uint64_t interpreter = 0, thread = 0, gil;

    int r = python_find_runtime(t, scan, &found, &layout, e);
    if (r < 0)
        return r;
    (void)target_read(t, found.runtime + layout.runtime_interpreters_head, &interpreter, 8);
    if (interpreter)
        (void)target_read(t, interpreter + layout.interpreter_threads_head, &thread, 8);
    if (!thread)
        return error_set(e, EAGAIN, "process %d has a Python in it that is not running yet", target_pid(t));
    r = process_new(t, &found, &layout, &p, e);
    if (r < 0)
        return r;
    process_version_read(p, interpreter);
    if (process_gil_read(p, interpreter, &gil) < 0 || (layout.free_threaded && !gil)) {
        python_close(p);
        return error_set(e, EAGAIN, "process %d has a Python in it that is not running yet", target_pid(t));
    }
    *ret = p;
    return 0;
}

void python_close(struct python_process *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->interpreter_count; i++) {
        for (size_t k = 0; k < p->interpreters[i].count; k++)
            thread_free(p->interpreters[i].threads[k]);
        free(p->interpreters[i].threads);
    }
    free(p->interpreters);
    codes_release(&p->codes);
    edges_release(&p->edges);
    free(p->published);
    batch_release(&p->batch);
    asyncio_free(p->asyncio);
    free(p);
}

/* _gil_runtime_state (Include/internal/pycore_gil.h, 3.8 to 3.15): cond, mutex, switch_cond, switch_mutex follow
 * switch_number. */
bool python_futex_is_gil(const struct python_process *p, uint64_t futex)
{
    uint64_t first = p->layout.gil_switch_number + 8u;
    uint64_t size = 2 * (sizeof(pthread_cond_t) + sizeof(pthread_mutex_t));
    for (size_t i = 0; i < p->interpreter_count; i++)
        if (p->interpreters[i].gil != 0 && futex - p->interpreters[i].gil - first < size)
            return true;
    return false;
}

const struct python_info *python_info(const struct python_process *p)
{
    return &p->info;
}

const struct python_counters *python_counters(const struct python_process *p)
{
    return &p->counters;
}
