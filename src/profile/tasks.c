/* Tasks of a finished profile, as people look at them. */
#include "profile/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "Task-17" (Lib/asyncio/tasks.py, _task_name_counter), or none. */
static bool is_own(const char *name)
{
    if (strncmp(name, "Task-", 5) != 0)
        return name[0] != '\0';
    return name[5] == '\0' || name[5 + strspn(name + 5, "0123456789")] != '\0';
}

static int compare_groups(const void *a, const void *b, void *context)
{
    const struct profile *p = context;
    const struct profile_task_group *x = a, *y = b;
    if (x->hits != y->hits)
        return x->hits < y->hits ? 1 : -1;
    int r = strcmp(p->functions[x->function].name, p->functions[y->function].name);
    if (r == 0)
        r = strcmp(x->name == NULL ? "" : x->name, y->name == NULL ? "" : y->name);
    return r != 0 ? r : (x->function > y->function) - (x->function < y->function);
}

int profile_task_groups(const struct profile *p, struct profile_task_group **ret, size_t *ret_count)
{
    struct profile_task_group *groups = calloc(p->task_count + 1, sizeof(*groups));
    struct map unnamed; /* function -> its group */
    size_t count = 0;
    int r = groups == NULL ? -ENOMEM : 0;
    map_init(&unnamed);
    for (size_t i = 0; r == 0 && i < p->task_count; i++) {
        const struct profile_task *t = &p->tasks[i];
        uint64_t at = count;
        bool own = is_own(t->name);
        if (t->hits == 0)
            continue;
        if (own || !map_get(&unnamed, t->function, &at)) {
            groups[count++] = (struct profile_task_group){.name = own ? t->name : NULL, .function = t->function};
            r = own ? 0 : map_put(&unnamed, t->function, at);
        }
        groups[at].hits += t->hits;
        groups[at].on_cpu += t->on_cpu;
        groups[at].tasks++;
    }
    map_release(&unnamed);
    if (r < 0) {
        free(groups);
        return r;
    }
    qsort_r(groups, count, sizeof(*groups), compare_groups, (void *)p);
    *ret = groups;
    *ret_count = count;
    return 0;
}

struct profile_share profile_task_share(const struct profile *p, const struct profile_task_group *g)
{
    return view_share_like(p, g->hits, &p->functions[g->function].total);
}
