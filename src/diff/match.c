/* What is the same on both sides: files, functions, lines, nodes. */
#include "diff/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- files ---- */

enum { ONE_SIDED_MAX = 4000 }; /* files that only one side has: more are not looked for on the other */

static int put_paths(struct strings *s, const struct side *side)
{
    uint32_t id;
    int r = 0;
    for (size_t i = 0; i < side->count; i++)
        for (size_t k = 0; r == 0 && k < side->profiles[i]->function_count; k++) {
            const char *file = side->profiles[i]->functions[k].file;
            r = strings_intern(s, file, strlen(file), &id);
        }
    return r;
}

/* How many parts at the end of two paths are alike. */
static size_t common_parts(const char *a, const char *b)
{
    size_t i = strlen(a), k = strlen(b), parts = 0;
    while (i > 0 && k > 0 && a[i - 1] == b[k - 1]) {
        parts += a[i - 1] == '/';
        i--;
        k--;
    }
    return parts + (i == 0 && k == 0);
}

static int only_in(const struct strings *of, struct strings *other, uint32_t *ret, size_t *ret_count)
{
    size_t known = other->count;
    for (uint32_t i = 0; i < of->count && *ret_count < ONE_SIDED_MAX; i++) {
        size_t size;
        const char *path = strings_get(of, i, &size);
        uint32_t id;
        int r = strings_intern(other, path, size, &id);
        if (r < 0)
            return r;
        if (id >= known && path[0] == '/')
            ret[(*ret_count)++] = i;
    }
    return 0;
}

static bool defines(const struct side *side, const char *file, const char *name)
{
    for (size_t i = 0; i < side->count; i++)
        for (size_t k = 0; k < side->profiles[i]->function_count; k++) {
            const struct profile_function *f = &side->profiles[i]->functions[k];
            if (strcmp(f->file, file) == 0 && strcmp(f->name, name) == 0)
                return true;
        }
    return false;
}

/* Whether a function of the one file, other than the module itself, is in the other file too. */
static bool share_function(const struct whole *w, const char *a, const char *b)
{
    const struct side *side = &w->sides[0];
    for (size_t i = 0; i < side->count; i++)
        for (size_t k = 0; k < side->profiles[i]->function_count; k++) {
            const struct profile_function *f = &side->profiles[i]->functions[k];
            if (strcmp(f->file, a) == 0 && strcmp(f->name, "<module>") != 0 && defines(&w->sides[1], b, f->name))
                return true;
        }
    return false;
}

/* The only file of those in the same folder that has a function in common with this one; NULL: none, or several. */
static const char *namesake(
    const struct whole *w, const char *path, const struct strings *files, const uint32_t *of, size_t count)
{
    const char *found = NULL;
    size_t folder = (size_t)(strrchr(path, '/') - path) + 1;
    for (size_t i = 0; i < count; i++) {
        const char *other = strings_get(files, of[i], NULL);
        if (strncmp(path, other, folder) != 0 || strchr(other + folder, '/') || !share_function(w, path, other))
            continue;
        if (found)
            return NULL;
        found = other;
    }
    return found;
}

static int pair_paths(struct whole *w, const char *path, const char *other)
{
    uint32_t from, to;
    int r = strings_intern(&w->path_names, path, strlen(path), &from);
    if (r == 0)
        r = strings_intern(&w->path_names, other, strlen(other), &to);
    return r < 0 ? r : map_put(&w->paths, from, to);
}

/* Two checkouts of one program have the same files in different folders; two versions of a script, different names. */
int match_paths(struct whole *w)
{
    struct strings a, b, a_and, b_and;
    size_t a_count = 0, b_count = 0;
    uint32_t *only = calloc(2 * ONE_SIDED_MAX, sizeof(*only));
    struct strings *all[4] = {&a, &b, &a_and, &b_and};
    int r = only == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < 4; i++) {
        int one = strings_init(all[i], SIZE_MAX);
        r = r == 0 ? one : r;
    }
    for (size_t i = 0; r == 0 && i < 4; i++)
        r = put_paths(all[i], &w->sides[i % 2]);
    if (r == 0)
        r = only_in(&a, &b_and, only, &a_count);
    if (r == 0)
        r = only_in(&b, &a_and, only + ONE_SIDED_MAX, &b_count);
    for (size_t i = 0; r == 0 && i < a_count; i++) {
        const char *path = strings_get(&a, only[i], NULL), *best = NULL;
        size_t most = 0;
        for (size_t k = 0; k < b_count; k++) {
            const char *other = strings_get(&b, only[ONE_SIDED_MAX + k], NULL);
            size_t parts = common_parts(path, other);
            best = parts > most ? other : parts == most ? NULL : best; /* two that are as good: neither */
            most = parts > most ? parts : most;
        }
        if (most == 0)
            best = namesake(w, path, &b, only + ONE_SIDED_MAX, b_count);
        if (best != NULL)
            r = pair_paths(w, path, best);
    }
    for (size_t i = 0; i < 4; i++)
        strings_release(all[i]);
    free(only);
    return r;
}

static int same_path(struct whole *w, int side, const char *path, const char **ret)
{
    uint32_t id;
    uint64_t to;
    *ret = path;
    if (side == 1)
        return 0;
    int r = strings_intern(&w->path_names, path, strlen(path), &id);
    if (r == 0 && map_get(&w->paths, id, &to))
        *ret = strings_get(&w->path_names, (uint32_t)to, NULL);
    return r;
}

/* ---- functions ---- */

struct function_order {
    const struct profile_function *f;
    uint32_t index;
};

static int by_name(const void *x, const void *y)
{
    const struct function_order *a = x, *b = y;
    int r = strcmp(a->f->file, b->f->file);
    if (r == 0)
        r = strcmp(a->f->name, b->f->name);
    if (r == 0)
        r = (a->f->kind > b->f->kind) - (a->f->kind < b->f->kind);
    return r != 0 ? r : (a->f->first_line > b->f->first_line) - (a->f->first_line < b->f->first_line);
}

static int find_function(struct whole *w, int side, const struct profile_function *f, uint32_t ordinal, uint32_t *ret)
{
    CLEANUP(buffer_release) struct buffer key;
    const char *file;
    uint32_t head[2] = {(uint32_t)f->kind, ordinal};
    buffer_init(&key, 8u << 20);
    int r = same_path(w, side, f->file, &file);
    if (r < 0)
        return r;
    buffer_append(&key, head, sizeof(head));
    buffer_append(&key, f->name, strlen(f->name) + 1);
    buffer_append(&key, file, strlen(file));
    if (key.failed)
        return -ENOMEM;
    r = strings_intern(&w->function_keys, (const char *)key.data, key.size, ret);
    if (r == 0)
        r = array_reserve(&w->functions, &w->function_capacity, (size_t)*ret + 1, sizeof(*w->functions));
    if (r == 0)
        r = array_reserve(
            &w->function_tallies, &w->function_tally_capacity, (size_t)*ret + 1, sizeof(*w->function_tallies));
    if (r < 0)
        return r;
    if (*ret == w->d.function_count) {
        w->functions[*ret] = (struct diff_function){.name = f->name, .file = f->file, .kind = f->kind};
        w->function_tallies[*ret] = (struct tallies){0};
        w->d.function_count++;
    }
    struct diff_function *to = &w->functions[*ret];
    uint32_t *line = side == 0 ? &to->line_a : &to->line_b;
    *line = *line == 0 ? f->first_line : *line;
    if (side == 1)
        to->file = f->file;
    return 0;
}

static int match_functions(struct whole *w, int side, const struct profile *p, uint32_t *ret)
{
    struct function_order *order = calloc(p->function_count + 1, sizeof(*order));
    uint32_t ordinal = 0;
    int r = order == NULL ? -ENOMEM : 0;
    for (uint32_t i = 0; r == 0 && i < p->function_count; i++)
        order[i] = (struct function_order){&p->functions[i], i};
    if (r == 0)
        qsort(order, p->function_count, sizeof(*order), by_name);
    for (size_t i = 0; r == 0 && i < p->function_count; i++) {
        const struct profile_function *f = order[i].f, *before = i > 0 ? order[i - 1].f : NULL;
        bool again = before != NULL && before->kind == f->kind && strcmp(before->name, f->name) == 0 &&
                     strcmp(before->file, f->file) == 0;
        ordinal = again ? ordinal + 1 : 0;
        r = find_function(w, side, f, ordinal, &ret[order[i].index]);
    }
    free(order);
    return r;
}

/* ---- lines ---- */

/* The text that lines are told by: the last one of side b, else of side a. */
static const struct profile_source *reference(const struct whole *w, const char *path_a, const char *path_b)
{
    for (int side = 1; side >= 0; side--)
        for (size_t i = w->sides[side].count; i-- > 0;) {
            const struct profile_source *s = profile_source(w->sides[side].profiles[i], side == 1 ? path_b : path_a);
            if (s != NULL && s->size > 0)
                return s;
        }
    return NULL;
}

struct moved {
    bool known;
    uint32_t *to; /* NULL: every line is where it was */
    size_t lines;
};

static int moved_in(struct whole *w, int side, const struct profile *p, const char *path, struct moved *ret)
{
    const struct profile_source *own = profile_source(p, path);
    const char *other;
    ret->known = true;
    if (own == NULL || own->size == 0)
        return 0;
    int r = same_path(w, side, path, &other);
    const struct profile_source *to = r == 0 ? reference(w, path, other) : NULL;
    if (to == NULL || memcmp(to->sha256, own->sha256, sizeof(own->sha256)) == 0)
        return r;
    return diff_align(own->text, own->size, to->text, to->size, &ret->to, &ret->lines);
}

/* Functions have 27 bits (FORMAT_IDS_MAX), so that one, a line and one bit more fit into a key. */
static int find_line(struct whole *w, int side, const struct profile *p, const struct profile_line *line,
    uint32_t function, const struct moved *m, uint32_t *ret)
{
    uint32_t number = line->line;
    bool gone = m->to != NULL && number > 0 && (number > m->lines || m->to[number] == 0);
    if (m->to != NULL && number > 0 && !gone)
        number = m->to[number];
    uint64_t key = (uint64_t)function << 33 | (uint64_t)gone << 32 | number, index;
    if (!map_get(&w->line_index, key, &index)) {
        index = w->d.line_count;
        int r = array_reserve(&w->lines, &w->line_capacity, index + 1, sizeof(*w->lines));
        if (r == 0)
            r = array_reserve(&w->line_tallies, &w->line_tally_capacity, index + 1, sizeof(*w->line_tallies));
        if (r == 0)
            r = map_put(&w->line_index, key, index);
        if (r < 0)
            return r;
        w->lines[index] = (struct diff_line){.function = function, .place = gone ? 0 : number};
        w->line_tallies[index] = (struct tallies){0};
        w->d.line_count++;
    }
    struct diff_line *to = &w->lines[index];
    *(side == 0 ? &to->line_a : &to->line_b) = line->line;
    if (to->text == NULL &&
        !profile_source_line(p, p->functions[line->function].file, line->line, &to->text, &to->size))
        to->text = NULL;
    *ret = (uint32_t)index;
    return 0;
}

static int match_lines(struct whole *w, int side, const struct profile *p, const uint32_t *functions, uint32_t *ret)
{
    /* By the path's address: a profile has each text once. */
    struct map by_path;
    struct moved *moved = NULL;
    size_t count = 0, capacity = 0;
    int r = 0;
    map_init(&by_path);
    for (size_t i = 0; r == 0 && i < p->line_count; i++) {
        const struct profile_line *line = &p->lines[i];
        const char *path = p->functions[line->function].file;
        uint64_t at;
        if (!map_get(&by_path, (uint64_t)(uintptr_t)path, &at)) {
            at = count;
            r = array_reserve(&moved, &capacity, count + 1, sizeof(*moved));
            if (r == 0)
                r = map_put(&by_path, (uint64_t)(uintptr_t)path, at);
            if (r < 0)
                break;
            moved[count++] = (struct moved){0};
            r = moved_in(w, side, p, path, &moved[at]);
        }
        if (r == 0 && moved != NULL)
            r = find_line(w, side, p, line, functions[line->function], &moved[at], &ret[i]);
    }
    for (size_t i = 0; i < count; i++)
        free(moved[i].to);
    free(moved);
    map_release(&by_path);
    return r;
}

/* ---- nodes ---- */

static int match_nodes(struct whole *w, int side, const struct profile *p, const uint32_t *lines)
{
    double whole = 0; /* the tree is of all runs of the profile together */
    for (uint32_t run = 0; run < p->run_count; run++)
        whole += hit_worth(p, run) * (double)p->runs[run].hits;
    double gap = p->hits > 0 ? whole / (double)p->hits : 0;
    uint32_t *to = calloc(p->node_count + 1, sizeof(*to));
    int r = to == NULL ? -ENOMEM : 0;
    for (size_t i = 0; r == 0 && i < p->node_count; i++) {
        const struct profile_node *from = &p->nodes[i];
        uint64_t index = 0;
        if (i > 0) {
            uint64_t key = (uint64_t)to[from->parent] << 32 | lines[from->line];
            if (!map_get(&w->node_index, key, &index)) {
                index = w->d.node_count;
                r = array_reserve(&w->nodes, &w->node_capacity, index + 1, sizeof(*w->nodes));
                if (r == 0)
                    r = map_put(&w->node_index, key, index);
                if (r < 0)
                    break;
                w->nodes[index] = (struct diff_node){.parent = to[from->parent], .line = lines[from->line]};
                w->d.node_count++;
            }
        }
        to[i] = (uint32_t)index;
        struct diff_node *node = &w->nodes[index];
        double scale = w->sides[side].runs == 0 ? 0 : gap / (double)w->sides[side].runs;
        *(side == 0 ? &node->self_a : &node->self_b) += scale * (double)from->self;
        *(side == 0 ? &node->total_a : &node->total_b) += scale * (double)from->total;
    }
    free(to);
    return r;
}

/* ---- one profile's hits ---- */

static void add_runs(
    struct tally *self, struct tally *total, const struct profile *p, const struct profile_run_hits *hits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double n = (double)p->runs[hits[i].run].hits, gap = hit_worth(p, hits[i].run);
        tally_run(self, gap * (double)hits[i].self, n > 0 ? (double)hits[i].self / n : 0);
        tally_run(total, gap * (double)hits[i].total, n > 0 ? (double)hits[i].total / n : 0);
    }
}

static void add_sums(struct tally *t, const struct profile_sums *s)
{
    t->y += (double)s->y;
    t->yy += s->yy;
    t->yn += s->yn;
}

static void add_hits(struct tallies *t, int side, const struct profile *p, const struct profile_sums *self,
    const struct profile_sums *total, const struct profile_run_hits *hits, size_t count)
{
    const struct profile_run_hits alone = {.run = 0, .self = self->y, .total = total->y};
    bool one = p->run_count < 2;
    add_sums(&t->self[side], self);
    add_sums(&t->total[side], total);
    add_runs(&t->self[side], &t->total[side], p, one ? &alone : hits, one ? 1 : count);
}

int match_profile(struct whole *w, int side, const struct profile *p)
{
    uint32_t *functions = calloc(p->function_count + 1, sizeof(*functions));
    uint32_t *lines = calloc(p->line_count + 1, sizeof(*lines));
    int r = functions == NULL || lines == NULL ? -ENOMEM : match_functions(w, side, p, functions);
    if (r == 0)
        r = match_lines(w, side, p, functions, lines);
    if (r == 0)
        r = match_nodes(w, side, p, lines);
    for (uint32_t i = 0; r == 0 && i < p->function_count; i++) {
        const struct profile_run_hits *hits = NULL;
        size_t count = profile_function_runs(p, i, &hits);
        const struct profile_function *f = &p->functions[i];
        add_hits(&w->function_tallies[functions[i]], side, p, &f->self, &f->total, hits, count);
    }
    for (uint32_t i = 0; r == 0 && i < p->line_count; i++) {
        const struct profile_run_hits *hits = NULL;
        size_t count = profile_line_runs(p, i, &hits);
        add_hits(&w->line_tallies[lines[i]], side, p, &p->lines[i].self, &p->lines[i].total, hits, count);
    }
    free(functions);
    free(lines);
    return r;
}
