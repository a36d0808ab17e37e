/*
 * Who calls whom. A stack in which a function recurs must not count twice for it: of a function's frames in a stack
 * only the outermost counts, for the call that led there, so that the hits of all calls of a function are its total.
 */
#include "report/export.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_OF_CALL = 1, FIRST_OF_FUNCTION = 2 }; /* nothing above it in its stack is the same */

struct walk {
    const struct profile *p;
    uint8_t *first;    /* by node */
    uint32_t *on_path; /* by function: how often from the root to here */
    struct map calls;  /* by caller and callee: the same */
};

static uint32_t function_of(const struct profile *p, uint32_t node)
{
    return node == 0 ? EXPORT_ROOT : p->lines[p->nodes[node].line].function;
}

static uint64_t call_of(const struct walk *w, uint32_t node)
{
    return (uint64_t)function_of(w->p, w->p->nodes[node].parent) << 32 | function_of(w->p, node);
}

static int enter(struct walk *w, uint32_t node)
{
    uint64_t count = 0;
    map_get(&w->calls, call_of(w, node), &count);
    if (count == 0)
        w->first[node] |= FIRST_OF_CALL;
    if (w->on_path[function_of(w->p, node)]++ == 0)
        w->first[node] |= FIRST_OF_FUNCTION;
    return map_put(&w->calls, call_of(w, node), count + 1);
}

static void leave(struct walk *w, uint32_t node)
{
    uint64_t count = 1;
    map_get(&w->calls, call_of(w, node), &count);
    if (count > 1)
        (void)map_put(&w->calls, call_of(w, node), count - 1); /* replaces: needs no memory */
    else
        map_remove(&w->calls, call_of(w, node));
    w->on_path[function_of(w->p, node)]--;
}

/* The tree may be as deep as a target's recursion: no recursion here. */
static int walk_tree(struct walk *w)
{
    const struct profile_node *nodes = w->p->nodes;
    uint32_t at = nodes[0].first_child;
    while (at != PROFILE_NONE && at != 0) {
        int r = enter(w, at);
        if (r < 0)
            return r;
        if (nodes[at].first_child != PROFILE_NONE) {
            at = nodes[at].first_child;
            continue;
        }
        while (at != 0) {
            leave(w, at);
            if (nodes[at].sibling != PROFILE_NONE) {
                at = nodes[at].sibling;
                break;
            }
            at = nodes[at].parent;
        }
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct export_call *x = a, *y = b;
    if (x->caller != y->caller)
        return x->caller < y->caller ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return (x->callee > y->callee) - (x->callee < y->callee);
}

static size_t gather(const struct walk *w, struct export_call *calls)
{
    const struct profile *p = w->p;
    size_t count = 0, kept = 0;
    for (uint32_t i = 1; i < p->node_count; i++) {
        const struct profile_node *n = &p->nodes[i];
        if (n->total == 0)
            continue;
        calls[count++] = (struct export_call){
            .caller = function_of(p, n->parent),
            .callee = function_of(p, i),
            .line = n->parent == 0 ? 0 : p->lines[p->nodes[n->parent].line].line,
            .hits = (w->first[i] & FIRST_OF_CALL) != 0 ? n->total : 0,
            .depth = n->total,
            .self = n->self,
            .outermost = (w->first[i] & FIRST_OF_FUNCTION) != 0 ? n->total : 0,
        };
    }
    qsort(calls, count, sizeof(*calls), compare);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || compare(&calls[kept - 1], &calls[i]) != 0) {
            calls[kept++] = calls[i];
            continue;
        }
        struct export_call *to = &calls[kept - 1];
        to->hits += calls[i].hits;
        to->depth += calls[i].depth;
        to->self += calls[i].self;
        to->outermost += calls[i].outermost;
    }
    return kept;
}

/* Those that were measured, where there are no stacks to tell them by; and what nobody called. */
static int measured(const struct profile *p, struct export_call **ret, size_t *ret_count)
{
    struct export_call *calls = calloc(p->call_count + p->function_count + 1, sizeof(*calls));
    uint64_t *left = calloc(2 * p->function_count + 1, sizeof(*left)); /* self, total: without what callers have */
    size_t count = 0;
    if (calls == NULL || left == NULL) {
        free(calls);
        free(left);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < p->function_count; i++) {
        left[2 * i] = p->functions[i].self.y;
        left[2 * i + 1] = p->functions[i].total.y;
    }
    for (size_t i = 0; i < p->call_count; i++) {
        const struct profile_call *c = &p->calls[i];
        uint64_t *of = &left[2 * c->callee], self = c->self < of[0] ? c->self : of[0];
        uint64_t outermost = c->total < of[1] ? c->total : of[1];
        of[0] -= self;
        of[1] -= outermost;
        calls[count++] = (struct export_call){.caller = c->caller,
            .callee = c->callee,
            .hits = c->total,
            .depth = c->total,
            .self = self,
            .outermost = outermost};
    }
    for (uint32_t i = 0; i < p->function_count; i++)
        if (left[2 * i] > 0 || left[2 * i + 1] > 0)
            calls[count++] = (struct export_call){.caller = EXPORT_ROOT,
                .callee = i,
                .hits = left[2 * i + 1],
                .depth = left[2 * i + 1],
                .self = left[2 * i],
                .outermost = left[2 * i + 1]};
    free(left);
    qsort(calls, count, sizeof(*calls), compare);
    *ret = calls;
    *ret_count = count;
    return 0;
}

int export_calls(const struct profile *p, struct export_call **ret, size_t *ret_count)
{
    if (p->origin == PROFILE_CALLS)
        return measured(p, ret, ret_count);
    struct walk w = {.p = p};
    map_init(&w.calls);
    w.first = calloc(p->node_count + 1, sizeof(*w.first));
    w.on_path = calloc(p->function_count + 1, sizeof(*w.on_path));
    struct export_call *calls = calloc(p->node_count + 1, sizeof(*calls));
    int r = w.first == NULL || w.on_path == NULL || calls == NULL ? -ENOMEM : walk_tree(&w);
    if (r == 0) {
        *ret_count = gather(&w, calls);
        *ret = calls;
    } else {
        free(calls);
    }
    free(w.first);
    free(w.on_path);
    map_release(&w.calls);
    return r;
}
