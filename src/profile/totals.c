/* From the hits of cells to those of nodes, functions, lines, threads, tasks and processes. */
#include "profile/inside.h"

#include <errno.h>
#include <stdlib.h>

static void add_cells(struct whole *w)
{
    for (size_t i = 0; i < w->p.thread_count; i++)
        w->processes[w->threads[i].process].present += w->threads[i].present;
    for (size_t i = 0; i < w->p.cell_count; i++) {
        const struct profile_cell *c = &w->cells[i];
        struct profile_node *node = &w->nodes[c->node];
        node->self += c->hits;
        node->self_cpu += c->on_cpu;
        w->threads[c->thread].hits += c->hits;
        w->processes[w->threads[c->thread].process].hits += c->hits;
        if (c->task != PROFILE_NONE) {
            w->tasks[c->task].hits += c->hits;
            w->tasks[c->task].on_cpu += c->on_cpu;
        }
        if (node->line != PROFILE_NONE) {
            struct profile_line *line = &w->lines[node->line];
            line->self.y += c->hits;
            w->functions[line->function].self.y += c->hits;
            w->functions[line->function].self_cpu += c->on_cpu;
        }
    }
}

/* A parent comes before its children: from the last node to the first, each is complete when it is reached. */
static void add_subtrees(struct whole *w)
{
    struct profile_node *nodes = w->nodes;
    for (size_t i = w->p.node_count; i-- > 0;) {
        nodes[i].total += nodes[i].self;
        nodes[i].total_cpu += nodes[i].self_cpu;
        if (i == 0)
            break;
        struct profile_node *parent = &nodes[nodes[i].parent];
        parent->total += nodes[i].total;
        parent->total_cpu += nodes[i].total_cpu;
        nodes[i].sibling = parent->first_child;
        parent->first_child = (uint32_t)i;
    }
}

struct walk {
    struct whole *w;
    uint32_t *function_depth, *line_depth; /* how often each is on the path from the root */
};

static void enter(struct walk *k, const struct profile_node *node)
{
    struct profile_line *line = &k->w->lines[node->line];
    struct profile_function *function = &k->w->functions[line->function];
    if (k->line_depth[node->line]++ == 0)
        line->total.y += node->total;
    if (k->function_depth[line->function]++ == 0) {
        function->total.y += node->total;
        function->total_cpu += node->total_cpu;
    }
}

static void leave(struct walk *k, const struct profile_node *node)
{
    k->line_depth[node->line]--;
    k->function_depth[k->w->lines[node->line].function]--;
}

/* The tree may be as deep as a target's recursion: no recursion here. */
static void add_totals(struct walk *k)
{
    const struct profile_node *nodes = k->w->nodes;
    uint32_t at = nodes[0].first_child;
    while (at != PROFILE_NONE) {
        enter(k, &nodes[at]);
        if (nodes[at].first_child != PROFILE_NONE) {
            at = nodes[at].first_child;
            continue;
        }
        while (at != 0) {
            leave(k, &nodes[at]);
            if (nodes[at].sibling != PROFILE_NONE) {
                at = nodes[at].sibling;
                break;
            }
            at = nodes[at].parent;
        }
        if (at == 0)
            break;
    }
}

int totals_finish(struct whole *w)
{
    struct walk k = {.w = w};
    k.function_depth = calloc(w->p.function_count + 1, sizeof(*k.function_depth));
    k.line_depth = calloc(w->p.line_count + 1, sizeof(*k.line_depth));
    int r = k.function_depth == NULL || k.line_depth == NULL ? -ENOMEM : 0;
    if (r == 0) {
        add_cells(w);
        add_subtrees(w);
        add_totals(&k);
    }
    free(k.function_depth);
    free(k.line_depth);
    return r;
}
