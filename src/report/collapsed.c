/* Collapsed stacks, as flame graph programs read them. */
#include "report/export.h"
#include "report/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_AT = 1 << 16 };

/* A semicolon ends a frame and a newline ends a stack, whatever a name holds. */
static void put_name(struct buffer *out, const char *text)
{
    size_t start = out->size;
    text_append_safe(out, text, strlen(text));
    if (out->failed)
        return;
    for (size_t i = start; i < out->size; i++)
        if (out->data[i] == ';')
            out->data[i] = ':';
}

void report_collapsed_frame(
    struct buffer *out, const char *name, const char *file, uint32_t line, enum profile_kind kind)
{
    put_name(out, name);
    if (kind != PROFILE_PYTHON)
        return;
    buffer_append_string(out, " (");
    put_name(out, file);
    if (line > 0)
        buffer_printf(out, ":%u", line);
    buffer_append_byte(out, ')');
}

static void put_frame(struct buffer *out, const struct profile *p, uint32_t node)
{
    const struct profile_line *line = &p->lines[p->nodes[node].line];
    const struct profile_function *f = &p->functions[line->function];
    report_collapsed_frame(out, f->name, f->file, line->line, f->kind);
}

/* What is to be written: hits of a node, under the name of a thread, of a task, or none. */
struct entry {
    const char *first;
    uint32_t node;
    uint64_t hits;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int r = x->first == NULL || y->first == NULL ? 0 : strcmp(x->first, y->first);
    return r != 0 ? r : (x->node > y->node) - (x->node < y->node);
}

struct writing {
    struct buffer *out;
    const struct profile *p;
    int (*flush)(void *context, struct buffer *out);
    void *context;
    uint32_t *path;
    size_t path_capacity;
};

static int put_entry(struct writing *w, const struct entry *e)
{
    const struct profile *p = w->p;
    size_t depth = 0;
    for (uint32_t at = e->node; at != 0; at = p->nodes[at].parent) {
        int r = array_reserve(&w->path, &w->path_capacity, depth + 1, sizeof(*w->path));
        if (r < 0)
            return r;
        w->path[depth++] = at;
    }
    if (e->first != NULL) {
        put_name(w->out, e->first);
        buffer_append_byte(w->out, ';');
    }
    while (depth > 0) {
        put_frame(w->out, p, w->path[--depth]);
        if (depth > 0)
            buffer_append_byte(w->out, ';');
        if (w->out->size >= FLUSH_AT && w->flush != NULL) {
            int r = w->flush(w->context, w->out);
            if (r != 0)
                return r;
        }
    }
    buffer_printf(w->out, " %llu\n", (unsigned long long)e->hits);
    return w->out->failed ? -ENOMEM : 0;
}

static const char *thread_name(struct arena *a, const struct profile_thread *t)
{
    char spare[THREAD_SPARE];
    const char *name = export_thread_name(t, spare);
    return name == spare ? arena_strndup(a, spare, strlen(spare)) : name;
}

static const char *task_name(const struct profile *p, uint32_t task)
{
    if (task == PROFILE_NONE)
        return "<no task>";
    return p->tasks[task].name[0] != '\0' ? p->tasks[task].name : "<other tasks>";
}

static int gather(
    const struct profile *p, enum report_first first, struct arena *a, struct entry *entries, size_t *ret_count)
{
    size_t count = 0;
    if (first == REPORT_FIRST_FRAME) {
        for (size_t i = 1; i < p->node_count; i++)
            if (p->nodes[i].self > 0)
                entries[count++] = (struct entry){.node = (uint32_t)i, .hits = p->nodes[i].self};
        *ret_count = count;
        return 0;
    }
    for (size_t i = 0; i < p->cell_count; i++) {
        const struct profile_cell *c = &p->cells[i];
        const char *name = first == REPORT_FIRST_TASK ? task_name(p, c->task) : thread_name(a, &p->threads[c->thread]);
        if (name == NULL)
            return -ENOMEM;
        entries[count++] = (struct entry){.first = name, .node = c->node, .hits = c->hits};
    }
    qsort(entries, count, sizeof(*entries), compare_entries);
    /* Threads of one name, in whichever process, are one, and so are tasks. */
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && compare_entries(&entries[kept - 1], &entries[i]) == 0)
            entries[kept - 1].hits += entries[i].hits;
        else
            entries[kept++] = entries[i];
    }
    *ret_count = kept;
    return 0;
}

int report_collapsed(struct buffer *out, const struct profile *p, enum report_first first,
    int (*flush)(void *context, struct buffer *out), void *context)
{
    struct writing w = {.out = out, .p = p, .flush = flush, .context = context};
    struct arena names;
    arena_init(&names, SIZE_MAX);
    size_t count = 0, room = first != REPORT_FIRST_FRAME ? p->cell_count : p->node_count;
    struct entry *entries = calloc(room + 1, sizeof(*entries));
    int r = entries == NULL ? -ENOMEM : gather(p, first, &names, entries, &count);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = put_entry(&w, &entries[i]);
    if (r == 0 && flush != NULL)
        r = flush(context, out);
    free(entries);
    free(w.path);
    arena_release(&names);
    return r;
}
