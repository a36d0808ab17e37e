/* A flame graph laid out in cells: boxes of functions, without a terminal. */
#include "live/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct child {
    uint32_t function, node;
};
struct row { /* nodes of one row's boxes, box after box */
    uint32_t *nodes;
    size_t count, capacity;
};
struct span { /* of a box: where its nodes are in the row, and where its hits are among those of the whole width */
    size_t from, to;
    uint64_t start;
};
struct layout {
    const struct profile *p;
    int columns;
    uint64_t total;
    struct row now, next;
    struct child *children;
    size_t child_capacity;
    struct span *spans; /* by box */
    size_t span_capacity;
};

void flame_release(struct flame *f)
{
    free(f->boxes);
    free(f->zoom);
    free(f->path);
}

static uint32_t function_of(const struct profile *p, uint32_t node)
{
    return p->lines[p->nodes[node].line].function;
}

static int row_add(struct row *r, uint32_t node)
{
    int failed = array_reserve(&r->nodes, &r->capacity, r->count + 1, sizeof(*r->nodes));
    if (failed == 0)
        r->nodes[r->count++] = node;
    return failed;
}

static int by_function(const void *a, const void *b)
{
    const struct child *c = a, *d = b;
    if (c->function != d->function)
        return c->function < d->function ? -1 : 1;
    return (c->node > d->node) - (c->node < d->node);
}

/* The children with hits of so many nodes, those of one function beside each other. Functions are in the order in
 * which they were first seen, which does not change from one look to the next. */
static int gather(struct layout *y, const uint32_t *nodes, size_t count, size_t *ret_count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        for (uint32_t c = y->p->nodes[nodes[i]].first_child; c != PROFILE_NONE; c = y->p->nodes[c].sibling) {
            if (y->p->nodes[c].total == 0)
                continue;
            int r = array_reserve(&y->children, &y->child_capacity, found + 1, sizeof(*y->children));
            if (r < 0)
                return r;
            y->children[found++] = (struct child){function_of(y->p, c), c};
        }
    if (found > 1)
        qsort(y->children, found, sizeof(*y->children), by_function);
    *ret_count = found;
    return 0;
}

static int column_of(const struct layout *y, uint64_t hits)
{
    return (int)((double)hits * y->columns / (double)y->total);
}

static int box_add(struct flame *f, struct layout *y, struct flame_box box, struct span span)
{
    int r = array_reserve(&f->boxes, &f->capacity, f->count + 1, sizeof(*f->boxes));
    if (r == 0)
        r = array_reserve(&y->spans, &y->span_capacity, f->count + 1, sizeof(*y->spans));
    if (r < 0)
        return r;
    box.from = column_of(y, span.start);
    box.to = column_of(y, span.start + box.hits);
    f->boxes[f->count] = box;
    y->spans[f->count++] = span;
    return 0;
}

/* The boxes below one; those too narrow for a cell are left out, and all below them. */
static int expand(struct flame *f, struct layout *y, uint32_t box)
{
    size_t count;
    uint64_t start = y->spans[box].start;
    int r = gather(y, y->now.nodes + y->spans[box].from, y->spans[box].to - y->spans[box].from, &count);
    for (size_t i = 0, end; r == 0 && i < count; i = end) {
        struct flame_box b = {.function = y->children[i].function, .parent = box, .depth = f->boxes[box].depth + 1};
        struct span span = {.from = y->next.count, .start = start};
        for (end = i; end < count && y->children[end].function == b.function; end++) {
            b.hits += y->p->nodes[y->children[end].node].total;
            b.cpu += y->p->nodes[y->children[end].node].total_cpu;
        }
        start += b.hits;
        if (column_of(y, span.start) == column_of(y, start))
            continue;
        for (size_t k = i; k < end && r == 0; k++)
            r = row_add(&y->next, y->children[k].node);
        span.to = y->next.count;
        if (r == 0)
            r = box_add(f, y, b, span);
    }
    return r;
}

/* The nodes of the zoomed function; where it has no hits now, of the innermost above it that has. */
static int zoomed(struct flame *f, struct layout *y)
{
    int r = row_add(&y->now, 0);
    for (size_t i = 0; r == 0 && i < f->zoom_count; i++) {
        size_t count, found = 0;
        r = gather(y, y->now.nodes, y->now.count, &count);
        for (size_t k = 0; r == 0 && k < count; k++)
            if (y->children[k].function == f->zoom[i])
                y->children[found++] = y->children[k];
        if (r < 0 || found == 0) {
            f->zoom_count = i;
            break;
        }
        y->now.count = 0;
        for (size_t k = 0; r == 0 && k < found; k++)
            r = row_add(&y->now, y->children[k].node);
    }
    return r;
}

static uint32_t find_child(const struct flame *f, uint32_t parent, uint32_t function)
{
    for (size_t i = parent + 1; i < f->count && f->boxes[i].depth <= f->boxes[parent].depth + 1; i++)
        if (f->boxes[i].parent == parent && f->boxes[i].function == function)
            return (uint32_t)i;
    return PROFILE_NONE;
}

static void select_by_path(struct flame *f)
{
    uint32_t at = 0;
    for (size_t i = 0; i < f->path_count; i++) {
        uint32_t child = find_child(f, at, f->path[i]);
        if (child == PROFILE_NONE) {
            f->path_count = i;
            break;
        }
        at = child;
    }
    f->selected = at;
}

int flame_layout(struct flame *f, const struct profile *p, int columns, int rows)
{
    struct layout y = {.p = p, .columns = columns};
    f->count = 0;
    int r = zoomed(f, &y);
    struct flame_box root = {
        .function = f->zoom_count > 0 ? f->zoom[f->zoom_count - 1] : PROFILE_NONE, .parent = PROFILE_NONE};
    for (size_t i = 0; r == 0 && i < y.now.count; i++) {
        root.hits += p->nodes[y.now.nodes[i]].total;
        root.cpu += p->nodes[y.now.nodes[i]].total_cpu;
    }
    y.total = root.hits > 0 ? root.hits : 1;
    if (r == 0)
        r = box_add(f, &y, root, (struct span){.to = y.now.count});
    if (r == 0)
        f->boxes[0].to = columns;
    size_t first = 0;
    for (int depth = 1; r == 0 && depth < rows && first < f->count && root.hits > 0; depth++) {
        size_t end = f->count;
        y.next.count = 0;
        for (size_t i = first; r == 0 && i < end; i++)
            r = expand(f, &y, (uint32_t)i);
        first = end;
        struct row swapped = y.now;
        y.now = y.next;
        y.next = swapped;
    }
    if (r == 0)
        select_by_path(f);
    free(y.now.nodes);
    free(y.next.nodes);
    free(y.children);
    free(y.spans);
    return r;
}

/* ---- where the user is ---- */

static void select_box(struct flame *f, size_t box)
{
    size_t depth = (size_t)f->boxes[box].depth;
    if (array_reserve(&f->path, &f->path_capacity, depth + 1, sizeof(*f->path)) < 0)
        return; /* the selection stays where it is */
    f->path_count = depth;
    f->selected = box;
    for (size_t at = box; depth > 0; at = f->boxes[at].parent)
        f->path[--depth] = f->boxes[at].function;
}

void flame_move(struct flame *f, enum action a)
{
    size_t at = f->selected, best = at;
    if (at >= f->count)
        return;
    const struct flame_box *b = f->boxes;
    switch (a) {
    case ACTION_UP:
        best = at > 0 ? b[at].parent : 0;
        break;
    case ACTION_DOWN:
        for (size_t i = at + 1; i < f->count; i++)
            if (b[i].parent == at && (best == at || b[i].hits > b[best].hits))
                best = i;
        break;
    case ACTION_LEFT:
        best = at > 0 && b[at - 1].depth == b[at].depth ? at - 1 : at;
        break;
    case ACTION_RIGHT:
        best = at + 1 < f->count && b[at + 1].depth == b[at].depth ? at + 1 : at;
        break;
    case ACTION_FIRST:
        best = 0;
        break;
    case ACTION_LAST:
        best = f->count - 1;
        break;
    default:
        return;
    }
    select_box(f, best);
}

int flame_zoom(struct flame *f)
{
    int r = array_reserve(&f->zoom, &f->zoom_capacity, f->zoom_count + f->path_count + 1, sizeof(*f->zoom));
    if (r < 0)
        return r;
    if (f->path_count > 0)
        memcpy(f->zoom + f->zoom_count, f->path, f->path_count * sizeof(*f->zoom));
    f->zoom_count += f->path_count;
    f->path_count = 0;
    f->top = 0;
    return 0;
}

bool flame_back(struct flame *f)
{
    if (f->zoom_count == 0 || array_reserve(&f->path, &f->path_capacity, 1, sizeof(*f->path)) < 0)
        return false;
    f->path[0] = f->zoom[--f->zoom_count];
    f->path_count = 1;
    f->top = 0;
    return true;
}
