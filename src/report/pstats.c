/*
 * What Python's own `profile` and `cProfile` write, for `pstats` and what reads its files: one dictionary by marshal,
 * {(file, first line, name): (primitive calls, calls, own time, total time, {caller: the same four})}, times in
 * seconds. A sample is no call: calls count the samples that have the function, as often as it recurs in them;
 * primitive calls count each such sample once. The types used here are those of every marshal version.
 */
#include "report/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_DIGIT_BITS = 15 };

struct numbers {
    uint64_t primitive, calls, self, total;
};

static void put_unicode(struct buffer *out, const struct strings *texts, uint32_t id)
{
    size_t size;
    const char *text = strings_get(texts, id, &size);
    buffer_append_byte(out, 'u');
    buffer_append_le32(out, (uint32_t)size);
    buffer_append(out, text, size);
}

static void put_integer(struct buffer *out, uint64_t value)
{
    if (value <= INT32_MAX) {
        buffer_append_byte(out, 'i');
        buffer_append_le32(out, (uint32_t)value);
        return;
    }
    uint32_t digits = 0;
    for (uint64_t left = value; left > 0; left >>= LONG_DIGIT_BITS)
        digits++;
    buffer_append_byte(out, 'l');
    buffer_append_le32(out, digits);
    for (; value > 0; value >>= LONG_DIGIT_BITS) {
        buffer_append_byte(out, (uint8_t)(value & 0xff));
        buffer_append_byte(out, (uint8_t)(value >> 8 & 0x7f));
    }
}

static void put_seconds(struct buffer *out, const struct profile *p, uint64_t hits)
{
    double seconds = profile_time_ns(p, hits) / 1e9;
    uint64_t bits;
    memcpy(&bits, &seconds, sizeof(bits));
    buffer_append_byte(out, 'g');
    buffer_append_le64(out, bits);
}

static void put_tuple(struct buffer *out, uint32_t size)
{
    buffer_append_byte(out, '(');
    buffer_append_le32(out, size);
}

static void put_key(const struct report_export *x, const struct export_names *names, uint32_t function)
{
    put_tuple(x->out, 3);
    put_unicode(x->out, &names->texts, names->file[function]);
    put_integer(x->out, x->p->functions[function].first_line);
    put_unicode(x->out, &names->texts, names->name[function]);
}

static void put_numbers(const struct report_export *x, const struct numbers *n)
{
    put_integer(x->out, n->primitive);
    put_integer(x->out, n->calls);
    put_seconds(x->out, x->p, n->self);
    put_seconds(x->out, x->p, n->total);
}

static int compare_calls(const void *a, const void *b)
{
    const struct export_call *x = a, *y = b;
    if (x->callee != y->callee)
        return x->callee < y->callee ? -1 : 1;
    return (x->caller > y->caller) - (x->caller < y->caller);
}

/* The callers of one function, from its first call on. Calls from different lines of one caller are one. */
static int put_callers(const struct report_export *x, const struct export_names *names, const struct export_call *calls,
    size_t count, uint32_t function, size_t *at)
{
    buffer_append_byte(x->out, '{');
    while (*at < count && calls[*at].callee == function) {
        struct numbers n = {0};
        uint32_t caller = calls[*at].caller;
        for (; *at < count && calls[*at].callee == function && calls[*at].caller == caller; ++*at) {
            n.primitive += calls[*at].hits;
            n.calls += calls[*at].depth;
            n.self += calls[*at].self;
            n.total += calls[*at].hits;
        }
        if (caller == EXPORT_ROOT)
            continue;
        put_key(x, names, caller);
        put_tuple(x->out, 4);
        put_numbers(x, &n);
        int r = export_flush(x, false);
        if (r != 0)
            return r;
    }
    buffer_append_byte(x->out, '0');
    return 0;
}

static int put_all(const struct report_export *x, const struct export_names *names, const struct export_call *calls,
    size_t count, const uint64_t *depth)
{
    const struct profile *p = x->p;
    size_t at = 0;
    int r = 0;
    buffer_append_byte(x->out, '{');
    for (uint32_t i = 0; r == 0 && i < p->function_count; i++) {
        const struct profile_function *f = &p->functions[i];
        if (f->total.y == 0) /* of another view; it has no calls either */
            continue;
        put_key(x, names, i);
        put_tuple(x->out, 5);
        put_numbers(x, &(struct numbers){f->total.y, depth[i], f->self.y, f->total.y});
        r = put_callers(x, names, calls, count, i, &at);
    }
    buffer_append_byte(x->out, '0');
    return r != 0 ? r : export_flush(x, true);
}

int export_pstats(const struct report_export *x)
{
    const struct profile *p = x->p;
    struct export_call *calls = NULL;
    struct export_names names = {0};
    size_t count = 0;
    uint64_t *depth = calloc(p->function_count + 1, sizeof(*depth));
    int r = depth == NULL ? -ENOMEM : export_calls(p, &calls, &count);
    if (r == 0)
        r = export_names_init(&names, p, text_append_utf8, true);
    if (r == 0) {
        for (size_t i = 1; i < p->node_count; i++)
            depth[p->lines[p->nodes[i].line].function] += p->nodes[i].total;
        qsort(calls, count, sizeof(*calls), compare_calls);
        r = put_all(x, &names, calls, count, depth);
        export_names_release(&names);
    }
    free(calls);
    free(depth);
    return r;
}
