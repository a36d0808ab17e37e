/* The table of formats, and what several of them need. */
#include "report/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_AT = 1 << 16 };

static int export_collapsed(const struct report_export *x)
{
    return report_collapsed(x->out, x->p, x->first, x->flush, x->context);
}

const struct report_format report_formats[] = {
    {"collapsed", ".collapsed .folded .txt", false, false, false, false, export_collapsed},
    {"speedscope", ".speedscope.json .speedscope", false, true, true, true, export_speedscope},
    {"pprof", ".pb.gz .pprof", true, false, true, true, export_pprof},
    {"gecko", ".gecko.json .firefox.json", false, true, true, true, export_gecko},
    {"chrome", ".trace.json .chrome.json", false, true, false, true, export_chrome},
    {"callgrind", ".callgrind", false, false, false, false, export_callgrind},
    {"pstats", ".pstats", true, false, false, false, export_pstats},
    {"jsonl", ".jsonl .ndjson", false, true, true, true, export_jsonl},
    {0},
};

int export_flush(const struct report_export *x, bool all)
{
    if (x->out->failed)
        return -ENOMEM;
    if (x->flush == NULL || (!all && x->out->size < FLUSH_AT))
        return 0;
    return x->flush(x->context, x->out);
}

uint64_t export_time_ns(const struct profile *p, uint64_t hits)
{
    double ns = profile_time_ns(p, hits);
    return ns < 9e18 ? (uint64_t)(ns + 0.5) : UINT64_C(9000000000000000000);
}

uint64_t export_started_ns(const struct profile *p)
{
    const char *text = profile_meta(p, "started");
    uint64_t seconds;
    /* Beyond 2^33 seconds (the year 2242) it is no time of a recording, and its nanoseconds would not fit. */
    if (text == NULL || parse_count(text, &seconds) < 0 || seconds >= UINT64_C(1) << 33)
        return 0;
    return seconds * 1000000000;
}

const char *export_thread_name(const struct profile_thread *t, char spare[THREAD_SPARE])
{
    if (t->name[0] != '\0')
        return t->name;
    snprintf(spare, THREAD_SPARE, "thread %d", t->tid);
    return spare;
}

int64_t export_thread_id(const struct profile *p, uint32_t thread, bool own)
{
    int32_t tid = p->threads[thread].tid;
    return tid > 0 && !own ? tid : (int64_t)INT32_MAX + 1 + thread;
}

const char *export_kind_name(enum profile_kind kind)
{
    static const char *const names[] = {
        [PROFILE_PYTHON] = "python",
        [PROFILE_GC] = "gc",
        [PROFILE_CUT] = "unknown_callers",
        [PROFILE_NO_FRAME] = "no_frame",
    };
    return names[kind];
}

int export_path_of(struct export_path *path, const struct profile *p, uint32_t node)
{
    size_t depth = 0;
    for (uint32_t at = node; at != 0; at = p->nodes[at].parent)
        depth++;
    int r = array_reserve(&path->nodes, &path->capacity, depth + 1, sizeof(*path->nodes));
    if (r < 0)
        return r;
    path->depth = depth;
    for (uint32_t at = node; at != 0; at = p->nodes[at].parent)
        path->nodes[--depth] = at;
    return 0;
}

/* ---- names ---- */

static int add_text(struct export_names *n, struct buffer *b, uint32_t *ret)
{
    return b->failed ? -ENOMEM : strings_intern(&n->texts, (const char *)b->data, b->size, ret);
}

/* Whether no function before had these; if so they are taken now. */
static int take(struct strings *taken, uint32_t name, uint32_t file, uint32_t line, bool *ret)
{
    uint32_t key[3] = {name, file, line}, id;
    size_t before = taken->count;
    int r = strings_intern(taken, (const char *)key, sizeof(key), &id);
    *ret = taken->count > before;
    return r;
}

static int add_names(struct export_names *n, struct strings *taken, const struct profile *p, struct buffer *b,
    int (*clean)(struct buffer *b, const char *text, size_t size), bool lines)
{
    for (size_t i = 0; i < p->function_count; i++) {
        const struct profile_function *f = &p->functions[i];
        buffer_clear(b);
        clean(b, f->file, strlen(f->file));
        if (b->size == 0)
            buffer_append_byte(b, '~'); /* as cProfile has it for what is in no file */
        int r = add_text(n, b, &n->file[i]);
        buffer_clear(b);
        clean(b, f->name, strlen(f->name));
        if (b->size == 0)
            buffer_append_string(b, "<unnamed>");
        size_t size = b->size;
        bool free_name = false;
        /* Another function of this name: told apart by its line, then by its number. */
        for (int attempt = 0; r == 0 && !free_name && attempt < 3; attempt++) {
            b->size = size;
            if (attempt == 1)
                buffer_printf(b, " (line %u)", f->first_line);
            else if (attempt == 2)
                buffer_printf(b, " (line %u, function %zu)", f->first_line, i);
            r = add_text(n, b, &n->name[i]);
            if (r == 0)
                r = take(taken, n->name[i], n->file[i], lines ? f->first_line : 0, &free_name);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

int export_names_init(struct export_names *n, const struct profile *p,
    int (*clean)(struct buffer *b, const char *text, size_t size), bool lines)
{
    struct strings taken = {0};
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    *n = (struct export_names){0};
    int r = strings_init(&n->texts, SIZE_MAX);
    if (r == 0)
        r = strings_init(&taken, SIZE_MAX);
    if (r == 0) {
        n->name = calloc(p->function_count + 1, sizeof(*n->name));
        n->file = calloc(p->function_count + 1, sizeof(*n->file));
        r = n->name == NULL || n->file == NULL ? -ENOMEM : add_names(n, &taken, p, &b, clean, lines);
    }
    strings_release(&taken);
    buffer_release(&b);
    if (r < 0)
        export_names_release(n);
    return r;
}

void export_names_release(struct export_names *n)
{
    strings_release(&n->texts);
    free(n->name);
    free(n->file);
    *n = (struct export_names){0};
}
