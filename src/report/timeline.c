/* What ran when, for the page: the spans of a profile, counted into at most BUCKETS_MAX buckets of time. */
#include "report/inside.h"

#include <errno.h>
#include <stdlib.h>

#define FINEST_SHIFT 14          /* a bucket is 2^shift ns: 16 us, doubled as the run gets longer */
#define BUCKETS_MAX 2048         /* of the whole run */
#define SLICES_MANY (256u << 10) /* above it, buckets are merged as long as there are more than BUCKETS_FEW */
#define BUCKETS_FEW 128
#define SLICES_MOST (4u << 20) /* above it, to the last one */
#define LOG_LEAST (1u << 20)   /* slices are put down as they come, and sorted and merged when there are so many */

int report_timeline_new(struct report_timeline **ret)
{
    struct report_timeline *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return -ENOMEM;
    t->shift = FINEST_SHIFT;
    t->limit = LOG_LEAST;
    *ret = t;
    return 0;
}

void report_timeline_free(struct report_timeline *t)
{
    if (t == NULL)
        return;
    free(t->slices);
    free(t);
}

static uint64_t bucket_count(const struct report_timeline *t)
{
    return t->any ? t->last - t->first + 1 : 0;
}

static void coarsen(struct report_timeline *t)
{
    for (size_t i = 0; i < t->count; i++)
        t->slices[i].bucket >>= 1;
    t->first >>= 1;
    t->last >>= 1;
    t->shift++;
}

static int by_number(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare(const void *a, const void *b)
{
    const struct report_slice *s = a, *u = b;
    int r = by_number(s->bucket, u->bucket);
    if (r == 0)
        r = by_number(s->thread, u->thread);
    if (r == 0)
        r = by_number(s->node, u->node);
    return r != 0 ? r : by_number(s->state, u->state);
}

static void merge(struct report_timeline *t)
{
    size_t kept = 0;
    if (t->count == 0)
        return;
    qsort(t->slices, t->count, sizeof(*t->slices), compare);
    for (size_t i = 1; i < t->count; i++) {
        if (compare(&t->slices[kept], &t->slices[i]) == 0)
            t->slices[kept].ticks += t->slices[i].ticks;
        else
            t->slices[++kept] = t->slices[i];
    }
    t->count = kept + 1;
}

void timeline_settle(struct report_timeline *t)
{
    merge(t);
    while (
        (t->count > SLICES_MANY && bucket_count(t) > BUCKETS_FEW) || (t->count > SLICES_MOST && bucket_count(t) > 1)) {
        coarsen(t);
        merge(t);
    }
    t->limit = t->count * 2 > LOG_LEAST ? t->count * 2 : LOG_LEAST;
}

static int put(struct report_timeline *t, uint64_t bucket, const struct profile_span *s, uint64_t ticks)
{
    int r = array_reserve(&t->slices, &t->capacity, t->count + 1, sizeof(*t->slices));
    if (r < 0)
        return r;
    t->slices[t->count++] = (struct report_slice){.bucket = bucket,
        .ticks = ticks,
        .thread = s->thread,
        .node = s->node,
        .state = s->state & (RECORD_ON_CPU | RECORD_HAS_GIL | RECORD_WAITS_FOR_GIL | RECORD_IN_GC)};
    return 0;
}

/* A span's last tick is at its end, and the others are taken to be spread evenly: those in a bucket are those up to its
 * end less those up to its beginning, so that none is lost. */
int report_timeline_span(void *timeline, const struct profile_span *s)
{
    struct report_timeline *t = timeline;
    if (t->count >= t->limit)
        timeline_settle(t);
    uint64_t from = s->from_ns <= s->to_ns ? s->from_ns : s->to_ns;
    double length = (double)(s->to_ns - from);
    uint64_t first = from >> t->shift, last = s->to_ns >> t->shift;
    t->first = !t->any || first < t->first ? first : t->first;
    t->last = !t->any || last > t->last ? last : t->last;
    t->any = true;
    while (bucket_count(t) > BUCKETS_MAX)
        coarsen(t);
    last = s->to_ns >> t->shift;
    uint64_t before = 0;
    for (uint64_t bucket = from >> t->shift; bucket <= last; bucket++) {
        uint64_t upto = s->ticks;
        if (bucket < last) {
            double part = (double)(((bucket + 1) << t->shift) - from) / length;
            upto = (uint64_t)((double)s->ticks * (part < 1 ? part : 1));
            upto = upto < s->ticks ? upto : s->ticks - 1;
        }
        int r = upto > before ? put(t, bucket, s, upto - before) : 0;
        if (r < 0)
            return r;
        before = upto > before ? upto : before;
    }
    return 0;
}
