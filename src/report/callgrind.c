/*
 * Callgrind's profile format, for KCachegrind, QCachegrind and callgrind_annotate. Two events: samples, and the thread
 * time in nanoseconds that they stand for. Readers take the cost of all calls of a function for its inclusive cost: a
 * stack counts for the outermost only, and a root that calls the outermost frames makes the sum whole.
 */
#include "report/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct writing {
    const struct report_export *x;
    struct export_names names;
    bool *name_told, *file_told; /* by id in names.texts: a name is written once, and by its number after that */
    const struct export_call *calls;
    size_t call_count;
    uint32_t *lines; /* indices of lines, by function and line */
};

static void put_name(struct writing *w, const char *key, uint32_t id, bool *told)
{
    buffer_printf(w->x->out, "%s=(%u)", key, id + 1);
    if (!told[id]) {
        size_t size;
        const char *text = strings_get(&w->names.texts, id, &size);
        buffer_append_byte(w->x->out, ' ');
        buffer_append(w->x->out, text, size);
        told[id] = true;
    }
    buffer_append_byte(w->x->out, '\n');
}

static void put_cost(struct writing *w, uint32_t line, uint64_t hits)
{
    buffer_printf(
        w->x->out, "%u %llu %llu\n", line, (unsigned long long)hits, (unsigned long long)export_time_ns(w->x->p, hits));
}

/* The format's edge: a line break ends a name. Blanks at its start would be lost. */
static int clean_name(struct buffer *b, const char *text, size_t size)
{
    size_t start = b->size;
    int r = text_append_safe(b, text, size);
    for (size_t i = start; r == 0 && i < b->size && b->data[i] == ' '; i++)
        b->data[i] = '_';
    return r;
}

static int compare_lines(const void *a, const void *b, void *context)
{
    const struct profile *p = context;
    const struct profile_line *x = &p->lines[*(const uint32_t *)a], *y = &p->lines[*(const uint32_t *)b];
    if (x->function != y->function)
        return x->function < y->function ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static int put_calls(struct writing *w, uint32_t caller, size_t *call)
{
    for (; *call < w->call_count && w->calls[*call].caller == caller; ++*call) {
        const struct export_call *c = &w->calls[*call];
        if (caller == EXPORT_ROOT || w->names.file[c->callee] != w->names.file[caller])
            put_name(w, "cfi", w->names.file[c->callee], w->file_told);
        put_name(w, "cfn", w->names.name[c->callee], w->name_told);
        buffer_printf(
            w->x->out, "calls=%llu %u\n", (unsigned long long)c->depth, w->x->p->functions[c->callee].first_line);
        put_cost(w, c->line, c->outermost);
        int r = export_flush(w->x, false);
        if (r != 0)
            return r;
    }
    buffer_append_byte(w->x->out, '\n');
    return export_flush(w->x, false);
}

static int put_function(struct writing *w, uint32_t function, size_t *line, size_t *call)
{
    const struct profile *p = w->x->p;
    put_name(w, "fl", w->names.file[function], w->file_told);
    put_name(w, "fn", w->names.name[function], w->name_told);
    for (; *line < p->line_count && p->lines[w->lines[*line]].function == function; ++*line) {
        const struct profile_line *at = &p->lines[w->lines[*line]];
        if (at->self.y > 0)
            put_cost(w, at->line, at->self.y);
    }
    return put_calls(w, function, call);
}

static void put_head(struct writing *w)
{
    struct buffer *out = w->x->out;
    const struct profile *p = w->x->p;
    const char *command = profile_meta(p, "command");
    buffer_append_string(out, "# callgrind format\nversion: 1\ncreator: pitviper " PITVIPER_VERSION "\n");
    if (command != NULL && command[0] != '\0') {
        buffer_append_string(out, "cmd: ");
        text_append_safe(out, command, strlen(command));
        buffer_append_byte(out, '\n');
    }
    buffer_append_string(out, "desc: Samples: thread samples, an estimate; calls= are samples too, not calls\n");
    buffer_append_string(out, "desc: Nanoseconds: thread time that the samples stand for\n");
    buffer_append_string(out, "positions: line\nevents: Samples Nanoseconds\n");
    buffer_printf(
        out, "summary: %llu %llu\n\n", (unsigned long long)p->hits, (unsigned long long)export_time_ns(p, p->hits));
}

static int put_all(struct writing *w)
{
    const struct profile *p = w->x->p;
    size_t line = 0, call = 0;
    int r = 0;
    for (size_t i = 0; i < p->line_count; i++)
        w->lines[i] = (uint32_t)i;
    qsort_r(w->lines, p->line_count, sizeof(*w->lines), compare_lines, (void *)p);
    put_head(w);
    for (uint32_t i = 0; r == 0 && i < p->function_count; i++) {
        if (p->functions[i].total.y == 0) { /* of another view */
            while (line < p->line_count && p->lines[w->lines[line]].function == i)
                line++;
            continue;
        }
        r = put_function(w, i, &line, &call);
    }
    if (r == 0) {
        buffer_append_string(w->x->out, "fl=(0) ~\nfn=(0) <all threads>\n");
        r = put_calls(w, EXPORT_ROOT, &call);
    }
    return r != 0 ? r : export_flush(w->x, true);
}

int export_callgrind(const struct report_export *x)
{
    struct writing w = {.x = x};
    struct export_call *calls = NULL;
    int r = export_calls(x->p, &calls, &w.call_count);
    if (r < 0)
        return r;
    w.calls = calls;
    r = export_names_init(&w.names, x->p, clean_name, false);
    if (r == 0) {
        w.name_told = calloc(w.names.texts.count + 1, sizeof(*w.name_told));
        w.file_told = calloc(w.names.texts.count + 1, sizeof(*w.file_told));
        w.lines = calloc(x->p->line_count + 1, sizeof(*w.lines));
        r = w.name_told == NULL || w.file_told == NULL || w.lines == NULL ? -ENOMEM : put_all(&w);
        free(w.name_told);
        free(w.file_told);
        free(w.lines);
        export_names_release(&w.names);
    }
    free(calls);
    return r;
}
