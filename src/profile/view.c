/* Questions to a finished profile. */
#include "profile/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct profile_share profile_share(const struct profile *p, const struct profile_sums *s)
{
    return profile_interval((double)s->y, s->yy, s->yn, (double)p->hits, p->nn, (double)p->ticks);
}

double profile_time_ns(const struct profile *p, uint64_t hits)
{
    return p->ticks == 0 ? 0 : (double)hits * (double)p->wall_ns / (double)p->ticks;
}

const char *profile_meta(const struct profile *p, const char *key)
{
    for (size_t i = p->meta_count; i-- > 0;)
        if (strcmp(p->metas[i].key, key) == 0)
            return p->metas[i].value;
    return NULL;
}

/* ---- orders ---- */

static int by_number(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

static int by_place(const struct profile_function *a, const struct profile_function *b)
{
    int r = strcmp(a->name, b->name);
    if (r == 0)
        r = strcmp(a->file, b->file);
    return r != 0 ? r : by_number(b->first_line, a->first_line);
}

static int compare_self(const void *a, const void *b, void *context)
{
    const struct profile *p = context;
    const struct profile_function *f = &p->functions[*(const uint32_t *)a], *g = &p->functions[*(const uint32_t *)b];
    int r = by_number(f->self.y, g->self.y);
    if (r == 0)
        r = by_number(f->total.y, g->total.y);
    return r != 0 ? r : by_place(f, g);
}

static int compare_total(const void *a, const void *b, void *context)
{
    const struct profile *p = context;
    const struct profile_function *f = &p->functions[*(const uint32_t *)a], *g = &p->functions[*(const uint32_t *)b];
    int r = by_number(f->total.y, g->total.y);
    if (r == 0)
        r = by_number(f->self.y, g->self.y);
    return r != 0 ? r : by_place(f, g);
}

static int compare_lines(const void *a, const void *b, void *context)
{
    const struct profile *p = context;
    const struct profile_line *k = &p->lines[*(const uint32_t *)a], *m = &p->lines[*(const uint32_t *)b];
    int r = by_number(k->self.y, m->self.y);
    if (r == 0)
        r = by_place(&p->functions[k->function], &p->functions[m->function]);
    return r != 0 ? r : by_number(m->line, k->line);
}

static int sorted(const struct profile *p, size_t count, bool (*has_hits)(const struct profile *p, size_t i),
    int (*compare)(const void *, const void *, void *), uint32_t **ret, size_t *ret_count)
{
    uint32_t *order = malloc((count + 1) * sizeof(*order));
    size_t kept = 0;
    if (order == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (has_hits(p, i))
            order[kept++] = (uint32_t)i;
    qsort_r(order, kept, sizeof(*order), compare, (void *)p);
    *ret = order;
    *ret_count = kept;
    return 0;
}

static bool has_total(const struct profile *p, size_t i)
{
    return p->functions[i].total.y > 0;
}

static bool line_has_self(const struct profile *p, size_t i)
{
    return p->lines[i].self.y > 0;
}

int profile_functions_by_self(const struct profile *p, uint32_t **ret, size_t *ret_count)
{
    return sorted(p, p->function_count, has_total, compare_self, ret, ret_count);
}

int profile_functions_by_total(const struct profile *p, uint32_t **ret, size_t *ret_count)
{
    return sorted(p, p->function_count, has_total, compare_total, ret, ret_count);
}

int profile_lines_by_self(const struct profile *p, uint32_t **ret, size_t *ret_count)
{
    return sorted(p, p->line_count, line_has_self, compare_lines, ret, ret_count);
}

/* ---- the heaviest path ---- */

static uint32_t heaviest_child(const struct profile *p, uint32_t node)
{
    uint32_t best = PROFILE_NONE;
    for (uint32_t c = p->nodes[node].first_child; c != PROFILE_NONE; c = p->nodes[c].sibling)
        if (best == PROFILE_NONE || p->nodes[c].total > p->nodes[best].total)
            best = c;
    if (best == PROFILE_NONE || p->nodes[best].total == 0 || p->nodes[best].total < p->nodes[node].self)
        return PROFILE_NONE;
    return best;
}

int profile_heaviest_path(const struct profile *p, uint32_t **ret, size_t *ret_count)
{
    uint32_t *path = NULL;
    size_t count = 0, capacity = 0;
    for (uint32_t at = heaviest_child(p, 0); at != PROFILE_NONE; at = heaviest_child(p, at)) {
        if (array_reserve(&path, &capacity, count + 1, sizeof(*path)) < 0) {
            free(path);
            return -ENOMEM;
        }
        path[count++] = at;
    }
    *ret = path;
    *ret_count = count;
    return 0;
}

struct profile_share view_share_like(const struct profile *p, uint64_t hits, const struct profile_sums *f)
{
    struct profile_sums s = {.y = hits, .yy = (double)hits, .yn = (double)hits};
    if (f != NULL && f->y > 0) {
        s.yy *= f->yy / (double)f->y;
        s.yn *= f->yn / (double)f->y;
    }
    return profile_share(p, &s);
}

struct profile_share profile_node_share(const struct profile *p, uint32_t node)
{
    const struct profile_node *n = &p->nodes[node];
    return view_share_like(
        p, n->total, n->line != PROFILE_NONE ? &p->functions[p->lines[n->line].function].total : NULL);
}

/* ---- sources ---- */

const struct profile_source *profile_source(const struct profile *p, const char *path)
{
    for (size_t i = 0; i < p->source_count; i++)
        if (strcmp(p->sources[i].path, path) == 0)
            return &p->sources[i];
    return NULL;
}

bool profile_source_line(const struct profile *p, const char *path, uint32_t line, const char **ret, size_t *ret_size)
{
    const struct profile_source *s = profile_source(p, path);
    if (s == NULL || s->size == 0 || line == 0)
        return false;
    const char *at = s->text, *end = s->text + s->size;
    for (uint32_t i = 1; i < line; i++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        if (next == NULL)
            return false;
        at = next + 1;
    }
    if (at == end)
        return false;
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    /* The last line of a text that was cut is not all there. */
    if (stop == NULL && !s->whole)
        return false;
    stop = stop == NULL ? end : stop;
    if (stop > at && stop[-1] == '\r')
        stop--;
    *ret = at;
    *ret_size = (size_t)(stop - at);
    return true;
}

/* ---- what the kernel says ---- */

struct profile_reconciliation profile_reconcile(const struct profile *p)
{
    struct profile_reconciliation r = {0};
    for (size_t i = 0; i < p->thread_count; i++) {
        const struct profile_thread *t = &p->threads[i];
        /* A thread that the options leave out has no samples, and its kernel figure would stand alone. */
        if (!t->measured || t->present == 0)
            continue;
        r.threads++;
        r.sampled += profile_time_ns(p, t->on_cpu);
        r.kernel_cpu += (double)t->kernel_cpu_ns;
        r.kernel_wait += (double)t->kernel_wait_ns;
    }
    return r;
}
