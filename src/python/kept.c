/*
 * A sample that needs more than one read. To believe the later one alone would be to wait for a moment that is easier
 * to read, and to show those too often: where generators, or before 3.11 frames, are new each time, that is most
 * samples, and the time of what runs there would go to what runs some microseconds later. So what the first read shows
 * by itself is kept, and shown, unless the later one goes on from there.
 */
#include "python/inside.h"

#include <string.h>

/* What was published is not shown, and not counted. */
static void discard(struct python_process *p, struct thread *t)
{
    if (t->result == PYTHON_STACK_REPAIRED)
        p->counters.repaired--;
    t->result = PYTHON_STACK_REJECTED;
}

void kept_take(struct python_process *p, struct thread *t)
{
    t->kept_count = 0;
    if (t->result == PYTHON_STACK_REJECTED)
        return;
    discard(p, t);
    if (array_reserve(&t->kept, &t->kept_capacity, t->order_depth, sizeof(*t->kept)) < 0)
        return;
    memcpy(t->kept, t->steps + t->order, t->order_depth * sizeof(*t->kept));
    t->kept_count = t->order_depth;
}

static bool goes_on_from_kept(const struct thread *t)
{
    const struct step *order = t->steps + t->order;

    if (t->order_depth < t->kept_count)
        return false;
    for (size_t i = 0; i < t->kept_count; i++)
        if (order[i].address != t->kept[i].address || order[i].code != t->kept[i].code || order[i].at != t->kept[i].at)
            return false;
    return true;
}

void kept_hold(struct python_process *p, struct thread *t)
{
    if (t->kept_count == 0 || (t->result != PYTHON_STACK_REJECTED && goes_on_from_kept(t)) ||
        walk_reserve(t, t->kept_count) < 0)
        return;
    discard(p, t);
    memcpy(t->steps, t->kept, t->kept_count * sizeof(*t->kept));
    stack_publish_steps(p, t, t->steps, t->kept_count, true);
}
