/*
 * A page: one file with its style, its script and its data, and a content policy that lets nothing else in. Then the
 * data of the report's page.
 *
 * No text of the recording is written into the markup. All of it is in the data block, compressed and in base64, and
 * the script puts it on the page as text only. docs/html.md has the block's layout.
 */
#include "report/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define STRINGS_MAX (UINT64_C(1) << 30)

/* ---- base64 (RFC 4648) ---- */

static int put_base64(struct buffer *out, const uint8_t *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int r = buffer_reserve(out, (size + 2) / 3 * 4);
    for (size_t i = 0; r == 0 && i < size; i += 3) {
        uint32_t three = (uint32_t)data[i] << 16;
        three |= i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0;
        three |= i + 2 < size ? data[i + 2] : 0;
        char four[4] = {digits[three >> 18], digits[three >> 12 & 63], '=', '='};
        if (i + 1 < size)
            four[2] = digits[three >> 6 & 63];
        if (i + 2 < size)
            four[3] = digits[three & 63];
        r = buffer_append(out, four, sizeof(four));
    }
    return r;
}

/* ---- the page ---- */

void page_put_facts(struct buffer *data, const struct buffer *json)
{
    buffer_append_varint(data, json->size);
    buffer_append(data, json->data, json->size);
    data->failed = data->failed || json->failed;
}

static int put_packed(struct buffer *out, const struct buffer *data)
{
    CLEANUP(buffer_release) struct buffer packed;
    buffer_init(&packed, PAGE_DATA_MAX);
    int r = data->failed ? -ENOMEM : buffer_reserve(&packed, compressBound(data->size));
    if (r < 0)
        return r;
    uLongf size = packed.capacity;
    if (compress2(packed.data, &size, data->data, data->size, Z_DEFAULT_COMPRESSION) != Z_OK)
        return -ENOMEM;
    return put_base64(out, packed.data, size);
}

int page_write(struct buffer *out, const char *head, const char *tail, const struct buffer *data)
{
    buffer_append_string(out, head);
    int r = put_packed(out, data);
    buffer_append_string(out, tail);
    return r == 0 && out->failed ? -ENOMEM : r;
}

/* ---- the data of the report ---- */

struct data {
    struct buffer *out;
    const struct profile *p;
    const struct report_timeline *t;
    struct strings strings;
    uint32_t *names, *files, *paths; /* string ids of functions and of sources */
};

static int intern(struct data *d)
{
    const struct profile *p = d->p;
    d->names = calloc(p->function_count + 1, sizeof(*d->names));
    d->files = calloc(p->function_count + 1, sizeof(*d->files));
    d->paths = calloc(p->source_count + 1, sizeof(*d->paths));
    int r = d->names == NULL || d->files == NULL || d->paths == NULL ? -ENOMEM : 0;
    for (size_t i = 0; r == 0 && i < p->function_count; i++) {
        const struct profile_function *f = &p->functions[i];
        r = strings_intern(&d->strings, f->name, strlen(f->name), &d->names[i]);
        if (r == 0)
            r = strings_intern(&d->strings, f->file, strlen(f->file), &d->files[i]);
    }
    for (size_t i = 0; r == 0 && i < p->source_count; i++)
        r = strings_intern(&d->strings, p->sources[i].path, strlen(p->sources[i].path), &d->paths[i]);
    return r;
}

static void put_facts(struct data *d, enum profile_mode mode)
{
    struct buffer text;
    buffer_init(&text, PAGE_DATA_MAX);
    struct json j = {.out = &text};
    json_object_begin(&j, NULL);
    report_json_facts(&j, d->p);
    report_json_truth(&j, d->p);
    json_text(&j, "first_mode", report_mode_name(mode));
    json_integer(&j, "first_ns", (int64_t)d->p->first_ns);
    json_integer(&j, "max_threads", (int64_t)d->p->max_threads);
    json_number(&j, "hits_squared", d->p->nn);
    json_object_begin(&j, "time_line");
    json_integer(&j, "bucket_ns", (int64_t)(UINT64_C(1) << d->t->shift));
    json_integer(&j, "first_bucket", (int64_t)d->t->first);
    json_integer(&j, "buckets", d->t->any ? (int64_t)(d->t->last - d->t->first + 1) : 0);
    json_object_end(&j);
    json_object_begin(&j, "counts");
    json_integer(&j, "strings", (int64_t)d->strings.count);
    json_integer(&j, "functions", (int64_t)d->p->function_count);
    json_integer(&j, "lines", (int64_t)d->p->line_count);
    json_integer(&j, "nodes", (int64_t)d->p->node_count);
    json_integer(&j, "slices", (int64_t)d->t->count);
    json_integer(&j, "sources", (int64_t)d->p->source_count);
    json_object_end(&j);
    json_object_end(&j);
    page_put_facts(d->out, &text);
    buffer_release(&text);
}

static void put_strings(struct data *d)
{
    size_t size;
    for (uint32_t i = 0; i < d->strings.count; i++) {
        strings_get(&d->strings, i, &size);
        buffer_append_varint(d->out, size);
    }
    for (uint32_t i = 0; i < d->strings.count; i++) {
        const char *text = strings_get(&d->strings, i, &size);
        buffer_append(d->out, text, size);
    }
}

/* The sums of y squared and y n are whole numbers of at least y. */
static void put_excess(struct data *d, double sum, uint64_t y)
{
    buffer_append_varint(d->out, sum > (double)y ? (uint64_t)(sum - (double)y) : 0);
}

static void put_sums(struct data *d, const struct profile_sums *s)
{
    put_excess(d, s->yy, s->y);
    put_excess(d, s->yn, s->y);
}

static void put_functions(struct data *d)
{
    const struct profile_function *f = d->p->functions;
    size_t count = d->p->function_count;
    PAGE_PUT_COLUMN(d->out, count, d->names[i]);
    PAGE_PUT_COLUMN(d->out, count, d->files[i]);
    PAGE_PUT_COLUMN(d->out, count, f[i].first_line);
    PAGE_PUT_COLUMN(d->out, count, (uint64_t)f[i].kind);
    for (size_t i = 0; i < count; i++) {
        put_sums(d, &f[i].self);
        put_sums(d, &f[i].total);
    }
    const struct profile_line *line = d->p->lines;
    PAGE_PUT_COLUMN(d->out, d->p->line_count, line[i].function);
    PAGE_PUT_COLUMN(d->out, d->p->line_count, line[i].line);
    for (size_t i = 0; i < d->p->line_count; i++) {
        put_sums(d, &line[i].self);
        put_sums(d, &line[i].total);
    }
}

static void put_slices(struct data *d)
{
    const struct report_slice *s = d->t->slices;
    size_t count = d->t->count;
    PAGE_PUT_COLUMN(d->out, count, s[i].bucket - (i > 0 ? s[i - 1].bucket : d->t->first));
    PAGE_PUT_COLUMN(d->out, count, s[i].thread);
    for (size_t i = 0; i < count; i++)
        buffer_append_zigzag(d->out, (int64_t)s[i].node - (i > 0 ? (int64_t)s[i - 1].node : 0));
    PAGE_PUT_COLUMN(d->out, count, s[i].state);
    PAGE_PUT_COLUMN(d->out, count, s[i].ticks);
}

int report_html(struct buffer *out, const struct profile *p, struct report_timeline *t, enum profile_mode mode)
{
    CLEANUP(buffer_release) struct buffer raw;
    struct data d = {.out = &raw, .p = p, .t = t};
    buffer_init(&raw, PAGE_DATA_MAX);
    timeline_settle(t);
    int r = strings_init(&d.strings, STRINGS_MAX);
    if (r == 0)
        r = intern(&d);
    if (r == 0) {
        put_facts(&d, mode);
        put_strings(&d);
        put_functions(&d);
        PAGE_PUT_NODES(&raw, p->nodes, p->node_count);
        put_slices(&d);
        PAGE_PUT_COLUMN(&raw, p->source_count, d.paths[i]);
        r = report_put_excerpts(&raw, p);
    }
    if (r == 0)
        r = page_write(out, html_report_head, html_report_tail, &raw);
    strings_release(&d.strings);
    free(d.names);
    free(d.files);
    free(d.paths);
    return r;
}
