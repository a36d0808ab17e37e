/* Merges two recordings of any bytes, with their checksums put right: what comes out is a whole recording with what
 * could be read of both. The first byte tells where the one ends and the other begins, in 256ths of what follows. */
#include "record/record.h"

#include "put_right.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

struct sums {
    uint64_t ticks, last_ns, samples;
    bool *present; /* by thread */
    size_t threads, capacity;
    uint64_t here;
};

static int see_state(void *context, uint32_t thread, uint32_t stack, uint32_t state)
{
    struct sums *s = context;
    size_t before = s->capacity;
    (void)stack;
    int r = array_reserve(&s->present, &s->capacity, (size_t)thread + 1, sizeof(*s->present));
    if (s->capacity > before)
        memset(s->present + before, 0, (s->capacity - before) * sizeof(*s->present));
    if (r < 0)
        return r;
    bool is = (state & RECORD_PRESENT) != 0;
    s->here += is;
    s->here -= s->present[thread];
    s->present[thread] = is;
    return 0;
}

static int see_tick(void *context, uint64_t time_ns)
{
    struct sums *s = context;
    s->last_ns = time_ns;
    s->ticks++;
    s->samples += s->here;
    return 0;
}

static int see_restart(void *context)
{
    struct sums *s = context;
    if (s->capacity > 0)
        memset(s->present, 0, s->capacity * sizeof(*s->present));
    s->here = 0;
    return 0;
}

static const struct record_events see = {.state = see_state, .tick = see_tick, .restart = see_restart};

static bool add(struct record_merge *m, const uint8_t *data, size_t size, struct sums *s)
{
    struct record_summary summary;
    CLEANUP(fd_close) int fd = memfd_create("half", MFD_CLOEXEC);
    EXPECT(fd >= 0 && file_write_all(fd, data, size) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    if (record_merge_add(m, fd, "half", &summary, NULL) < 0)
        return false;
    struct sums own = {0};
    EXPECT(record_read_memory(data, size, "half", &see, &own, &summary, NULL) == 0);
    s->ticks += own.ticks;
    s->samples += own.samples;
    free(own.present);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct record_merge *m = NULL;
    struct record_summary summary;
    struct sums sum = {0}, merged = {0};
    CLEANUP(fd_close) int out = memfd_create("out", MFD_CLOEXEC);
    uint8_t *copy = malloc(size + 1);
    if (size < 2 || copy == NULL || out < 0) {
        free(copy);
        return 0;
    }
    memcpy(copy, data, size);
    size_t first = (size - 1) * copy[0] / 256;
    put_right(copy + 1, first);
    put_right(copy + 1 + first, size - 1 - first);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", out);
    EXPECT(record_merge_new(path, &m, NULL) == 0);
    bool any = add(m, copy + 1, first, &sum);
    any = add(m, copy + 1 + first, size - 1 - first, &sum) || any;
    EXPECT(record_merge_close(m, NULL) == 0);
    EXPECT(record_read(out, "merged", &see, &merged, &summary, NULL) == 0);
    /* Ticks before the first process are of no run: nothing was sampled at them. */
    EXPECT(summary.complete && merged.ticks <= sum.ticks && merged.samples == sum.samples);
    EXPECT(any || merged.ticks == 0);
    free(merged.present);
    free(copy);
    return 0;
}
