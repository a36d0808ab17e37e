/*
 * pprof's profile.proto, in gzip. A location is a line of a function; a sample is what one thread spent with one stack,
 * labelled with the thread and the process. Messages are made one at a time and compressed as they come.
 */
#include "report/export.h"
#include "report/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, GZIP_LEVEL = 6, MEMORY_LEVEL = 8 };

/* Field numbers of profile.proto. */
enum { PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE, PROFILE_LOCATION = 4, PROFILE_FUNCTION, PROFILE_STRING };
enum { PROFILE_TIME = 9, PROFILE_DURATION, PROFILE_PERIOD_TYPE, PROFILE_PERIOD, PROFILE_COMMENT, PROFILE_DEFAULT_TYPE };
enum { VALUE_TYPE = 1, VALUE_UNIT };
enum { SAMPLE_LOCATIONS = 1, SAMPLE_VALUES, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_TEXT, LABEL_NUMBER };
enum { LOCATION_ID = 1, LOCATION_LINE = 4 };
enum { LINE_FUNCTION = 1, LINE_NUMBER, LINE_COLUMN };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILE, FUNCTION_LINE };

struct writing {
    const struct report_export *x;
    z_stream zip;
    struct buffer message, part, text;
    struct strings strings;
    size_t strings_put; /* as many as are written */
    struct export_path path;
};

/* ---- protocol buffers, gzip ---- */

static void put_number(struct buffer *b, uint32_t field, uint64_t value)
{
    buffer_append_varint(b, (uint64_t)field << 3);
    buffer_append_varint(b, value);
}

static void put_bytes(struct buffer *b, uint32_t field, const void *data, size_t size)
{
    buffer_append_varint(b, (uint64_t)field << 3 | 2);
    buffer_append_varint(b, size);
    buffer_append(b, data, size);
}

static int deflate_bytes(struct writing *w, const void *data, size_t size, int how)
{
    uint8_t into[16384];
    int z;
    w->zip.next_in = (Bytef *)data;
    w->zip.avail_in = (uInt)size;
    do {
        w->zip.next_out = into;
        w->zip.avail_out = sizeof(into);
        z = deflate(&w->zip, how);
        if (z == Z_STREAM_ERROR)
            return -EINVAL;
        buffer_append(w->x->out, into, sizeof(into) - w->zip.avail_out);
        int r = export_flush(w->x, false);
        if (r != 0)
            return r;
    } while (w->zip.avail_out == 0 || (how == Z_FINISH && z != Z_STREAM_END));
    return 0;
}

/* A field of the profile itself: what is in `message`, which is empty then. */
static int end_message(struct writing *w, uint32_t field)
{
    uint8_t head[16];
    size_t size = 0;
    if (w->message.failed || w->part.failed)
        return -ENOMEM;
    head[size++] = (uint8_t)(field << 3 | 2);
    uint64_t length = w->message.size;
    for (; length >= 0x80; length >>= 7)
        head[size++] = (uint8_t)(length | 0x80);
    head[size++] = (uint8_t)length;
    int r = deflate_bytes(w, head, size, Z_NO_FLUSH);
    if (r == 0)
        r = deflate_bytes(w, w->message.data, w->message.size, Z_NO_FLUSH);
    buffer_clear(&w->message);
    return r;
}

/* ---- strings ---- */

static int text_of(struct writing *w, const char *text, uint64_t *ret)
{
    uint32_t id = 0;
    buffer_clear(&w->text);
    text_append_utf8(&w->text, text, strlen(text));
    int r = w->text.failed ? -ENOMEM : strings_intern(&w->strings, (const char *)w->text.data, w->text.size, &id);
    if (r == 0)
        *ret = id;
    return r;
}

static int put_strings(struct writing *w)
{
    int r = 0;
    for (; r == 0 && w->strings_put < w->strings.count; w->strings_put++) {
        size_t size;
        const char *text = strings_get(&w->strings, (uint32_t)w->strings_put, &size);
        buffer_append(&w->message, text, size);
        r = end_message(w, PROFILE_STRING);
    }
    return r;
}

/* ---- the parts of a profile ---- */

static int put_type(struct writing *w, uint32_t field, const char *type, const char *unit)
{
    uint64_t type_id = 0, unit_id = 0;
    int r = text_of(w, type, &type_id);
    if (r == 0)
        r = text_of(w, unit, &unit_id);
    put_number(&w->message, VALUE_TYPE, type_id);
    put_number(&w->message, VALUE_UNIT, unit_id);
    return r < 0 ? r : end_message(w, field);
}

/* The view's own time; of the whole, also what was on a CPU and what held the GIL. */
static int put_types(struct writing *w)
{
    enum profile_mode mode = w->x->p->options.mode;
    int r = put_type(w, PROFILE_SAMPLE_TYPE, "samples", "count");
    if (r == 0)
        r = put_type(w, PROFILE_SAMPLE_TYPE, report_mode_name(mode), "nanoseconds");
    if (r == 0 && mode == PROFILE_WALL)
        r = put_type(w, PROFILE_SAMPLE_TYPE, "cpu", "nanoseconds");
    if (r == 0 && mode == PROFILE_WALL)
        r = put_type(w, PROFILE_SAMPLE_TYPE, "gil", "nanoseconds");
    return r != 0 ? r : put_type(w, PROFILE_PERIOD_TYPE, report_mode_name(mode), "nanoseconds");
}

static int put_functions(struct writing *w)
{
    const struct profile *p = w->x->p;
    int r = 0;
    for (size_t i = 0; r == 0 && i < p->function_count; i++) {
        uint64_t name = 0, file = 0;
        r = text_of(w, p->functions[i].name, &name);
        if (r == 0)
            r = text_of(w, p->functions[i].file, &file);
        put_number(&w->message, FUNCTION_ID, i + 1);
        put_number(&w->message, FUNCTION_NAME, name);
        put_number(&w->message, FUNCTION_SYSTEM_NAME, name);
        put_number(&w->message, FUNCTION_FILE, file);
        put_number(&w->message, FUNCTION_LINE, p->functions[i].first_line);
        if (r == 0)
            r = end_message(w, PROFILE_FUNCTION);
    }
    for (size_t i = 0; r == 0 && i < p->line_count; i++) {
        buffer_clear(&w->part);
        put_number(&w->part, LINE_FUNCTION, (uint64_t)p->lines[i].function + 1);
        put_number(&w->part, LINE_NUMBER, p->lines[i].line);
        if (p->lines[i].column > 0)
            put_number(&w->part, LINE_COLUMN, p->lines[i].column);
        put_number(&w->message, LOCATION_ID, i + 1);
        put_bytes(&w->message, LOCATION_LINE, w->part.data, w->part.size);
        r = end_message(w, PROFILE_LOCATION);
    }
    return r;
}

struct label_keys {
    uint64_t thread, tid, pid, task;
};

static void put_label(struct writing *w, uint64_t key, uint32_t kind, uint64_t value)
{
    buffer_clear(&w->part);
    put_number(&w->part, LABEL_KEY, key);
    put_number(&w->part, kind, value);
    put_bytes(&w->message, SAMPLE_LABEL, w->part.data, w->part.size);
}

static int put_sample(struct writing *w, const struct profile_cell *c, const struct label_keys *keys)
{
    const struct profile *p = w->x->p;
    const struct profile_thread *t = &p->threads[c->thread];
    char spare[THREAD_SPARE];
    uint64_t name = 0, task = 0;
    int r = text_of(w, export_thread_name(t, spare), &name);
    if (r == 0 && c->task != PROFILE_NONE)
        r = text_of(w, p->tasks[c->task].name, &task);
    if (r == 0)
        r = export_path_of(&w->path, p, c->node);
    if (r < 0)
        return r;
    buffer_clear(&w->part);
    for (size_t i = w->path.depth; i-- > 0;) /* innermost first */
        buffer_append_varint(&w->part, (uint64_t)p->nodes[w->path.nodes[i]].line + 1);
    put_bytes(&w->message, SAMPLE_LOCATIONS, w->part.data, w->part.size);
    buffer_clear(&w->part);
    buffer_append_varint(&w->part, c->hits);
    buffer_append_varint(&w->part, export_time_ns(p, c->hits));
    if (p->options.mode == PROFILE_WALL) {
        buffer_append_varint(&w->part, export_time_ns(p, c->on_cpu));
        buffer_append_varint(&w->part, export_time_ns(p, c->has_gil));
    }
    put_bytes(&w->message, SAMPLE_VALUES, w->part.data, w->part.size);
    put_label(w, keys->thread, LABEL_TEXT, name);
    put_label(w, keys->tid, LABEL_NUMBER, (uint64_t)export_thread_id(p, c->thread, false));
    put_label(w, keys->pid, LABEL_NUMBER, (uint64_t)p->processes[t->process].pid);
    if (task != 0)
        put_label(w, keys->task, LABEL_TEXT, task);
    return end_message(w, PROFILE_SAMPLE);
}

static int put_samples(struct writing *w)
{
    const struct profile *p = w->x->p;
    struct label_keys keys = {0};
    int r = text_of(w, "thread", &keys.thread);
    if (r == 0)
        r = text_of(w, "tid", &keys.tid);
    if (r == 0)
        r = text_of(w, "pid", &keys.pid);
    if (r == 0)
        r = text_of(w, "task", &keys.task);
    for (size_t i = 0; r == 0 && i < p->cell_count; i++)
        if (p->cells[i].hits > 0)
            r = put_sample(w, &p->cells[i], &keys);
    return r;
}

static int put_field(struct writing *w, uint32_t field, uint64_t value)
{
    put_number(&w->message, field, value);
    int r = w->message.failed ? -ENOMEM : deflate_bytes(w, w->message.data, w->message.size, Z_NO_FLUSH);
    buffer_clear(&w->message);
    return r;
}

static int put_comment(struct writing *w, const char *key, const char *value)
{
    struct buffer line;
    uint64_t id = 0;
    buffer_init(&line, SIZE_MAX);
    buffer_append_string(&line, key);
    buffer_append_string(&line, ": ");
    buffer_append_string(&line, value);
    int r = line.failed ? -ENOMEM : text_of(w, buffer_text(&line), &id);
    buffer_release(&line);
    return r < 0 ? r : put_field(w, PROFILE_COMMENT, id);
}

/* What the recording says of itself, and what it says of its truth. */
static int put_comments(struct writing *w)
{
    const struct profile *p = w->x->p;
    int r = 0;
    for (size_t i = 0; r == 0 && i < p->meta_count; i++)
        r = put_comment(w, p->metas[i].key, p->metas[i].value);
    if (!p->has_counters)
        return r;
    const struct {
        const char *name;
        uint64_t value;
    } counters[] = {
#define COUNTER(field) {#field, p->counters.field},
        RECORD_COUNTERS(COUNTER)
#undef COUNTER
    };
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(counters); i++) {
        char value[24];
        snprintf(value, sizeof(value), "%llu", (unsigned long long)counters[i].value);
        r = put_comment(w, counters[i].name, value);
    }
    return r;
}

static int put_all(struct writing *w)
{
    const struct profile *p = w->x->p;
    uint64_t id;
    int r = text_of(w, "", &id); /* string 0 is the empty one */
    if (r == 0)
        r = put_types(w);
    if (r == 0)
        r = put_functions(w);
    if (r == 0)
        r = put_samples(w);
    if (r == 0)
        r = put_field(w, PROFILE_TIME, export_started_ns(p));
    if (r == 0)
        r = put_field(w, PROFILE_DURATION, p->wall_ns);
    if (r == 0)
        r = put_field(w, PROFILE_PERIOD, export_time_ns(p, 1));
    if (r == 0)
        r = text_of(w, report_mode_name(p->options.mode), &id);
    if (r == 0)
        r = put_field(w, PROFILE_DEFAULT_TYPE, id);
    if (r == 0)
        r = put_comments(w);
    if (r == 0)
        r = put_strings(w);
    if (r == 0)
        r = deflate_bytes(w, "", 0, Z_FINISH);
    return r != 0 ? r : export_flush(w->x, true);
}

int export_pprof(const struct report_export *x)
{
    struct writing w = {.x = x};
    buffer_init(&w.message, SIZE_MAX);
    buffer_init(&w.part, SIZE_MAX);
    buffer_init(&w.text, SIZE_MAX);
    int r = strings_init(&w.strings, SIZE_MAX);
    if (r == 0 && deflateInit2(&w.zip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        r = -ENOMEM;
    if (r == 0)
        r = put_all(&w);
    deflateEnd(&w.zip);
    strings_release(&w.strings);
    buffer_release(&w.message);
    buffer_release(&w.part);
    buffer_release(&w.text);
    free(w.path.nodes);
    return r;
}
