/* One call of a function, counted in two processes: what is the same in both is exact. */
#include "growth/inside.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

static int count_once(struct prove_runner *r, const struct prove_subject *s, bool memory, uint64_t timeout_ns,
    double ret[GROWTH_COUNTS], char by[32], struct error *e)
{
    const char *extra = memory ? "\"mode\":\"memory\",\"n\":null" : "\"mode\":\"count\",\"n\":null";
    struct prove_process how = {.seeded = true, .hash_seed = 0, .timeout_ns = timeout_ns};
    struct prove_run run = {0};
    int result = prove_harness_run(r, s, growth_harness_grow, extra, &how, &run, e);
    if (result < 0)
        return result;
    result =
        memory ? growth_read_memory(&run.answer, &ret[GROWTH_COUNT_PEAK]) : growth_read_counts(&run.answer, ret, by);
    prove_run_release(&run);
    return result == 0 ? 0 : error_set(e, -result, "cannot read what the harness of '%.100s' answered", s->name);
}

int growth_count(struct prove_runner *r, const struct prove_subject *s, uint64_t timeout_ns, struct growth_counts *ret,
    struct error *e)
{
    struct growth_counts c = {.by = ""};
    double again[GROWTH_COUNTS];
    int result = 0;
    for (int memory = 0; memory < 2 && result == 0; memory++) {
        result = count_once(r, s, memory == 1, timeout_ns, c.values, c.by, e);
        if (result == 0)
            result = count_once(r, s, memory == 1, timeout_ns, again, c.by, e);
    }
    for (int i = 0; i < GROWTH_COUNTS && result == 0; i++)
        c.same[i] = c.values[i] == again[i];
    if (result == 0)
        *ret = c;
    return result;
}
