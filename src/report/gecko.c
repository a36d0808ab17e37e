/*
 * The Firefox Profiler's processed profile, version 48 (it brings older versions up to its own). Each thread has tables
 * of its own: strings, functions, frames, stacks, and a row of samples for each span, at the time when it began. A
 * thread's state is the category of the stack's innermost frame; a row's weight is the thread time that its samples
 * stand for. A long span has many rows, so that a part of the time line that is picked has its share of it.
 */
#include "report/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FORMAT_VERSION = 48, GECKO_VERSION = 24, ROWS_OF_WALL = 1000, CATEGORY_BITS = 3 };

enum category { OTHER, RUNS_WITH_GIL, RUNS, HAS_GIL, WAITS_FOR_GIL, WAITS, COLLECTS };
static const struct {
    const char *name, *colour;
} categories[] = {
    [OTHER] = {"Other", "grey"},
    [RUNS_WITH_GIL] = {"On CPU, has the GIL", "green"},
    [RUNS] = {"On CPU, without the GIL", "yellow"},
    [HAS_GIL] = {"Off CPU, has the GIL", "orange"},
    [WAITS_FOR_GIL] = {"Waits for the GIL", "red"},
    [WAITS] = {"Off CPU", "lightblue"},
    [COLLECTS] = {"Garbage collection", "purple"},
};

static enum category category_of(uint32_t state)
{
    if ((state & RECORD_IN_GC) != 0)
        return COLLECTS;
    if ((state & RECORD_ON_CPU) != 0)
        return (state & RECORD_HAS_GIL) != 0 ? RUNS_WITH_GIL : RUNS;
    return (state & RECORD_HAS_GIL) != 0 ? HAS_GIL : (state & RECORD_WAITS_FOR_GIL) != 0 ? WAITS_FOR_GIL : WAITS;
}

/* ---- tables: keys in order of arrival ---- */

struct table {
    struct map index;
    uint64_t *keys;
    size_t count, capacity;
};

struct tables {
    const struct profile *p;
    struct table strings, functions, frames, stacks; /* of texts' addresses, functions, lines, nodes and categories */
    uint32_t *prefix;                                /* by stack: another stack, PROFILE_NONE: none */
    size_t prefix_capacity;
    struct export_path path;
};

static int table_add(struct table *t, uint64_t key, uint64_t *ret)
{
    uint64_t id = t->count;
    if (map_get(&t->index, key, ret))
        return 0;
    int r = array_reserve(&t->keys, &t->capacity, t->count + 1, sizeof(*t->keys));
    if (r == 0)
        r = map_put(&t->index, key, id);
    if (r < 0)
        return r;
    t->keys[t->count++] = key;
    *ret = id;
    return 0;
}

static int64_t table_id(const struct table *t, uint64_t key)
{
    uint64_t id;
    return map_get(&t->index, key, &id) ? (int64_t)id : -1;
}

static void table_release(struct table *t)
{
    map_release(&t->index);
    free(t->keys);
}

static void tables_release(struct tables *t)
{
    table_release(&t->strings);
    table_release(&t->functions);
    table_release(&t->frames);
    table_release(&t->stacks);
    free(t->prefix);
    free(t->path.nodes);
}

/* Equal texts of a profile are one text at one address. */
static uint64_t text_key(const char *text)
{
    return (uint64_t)(uintptr_t)text;
}

static uint64_t stack_key(uint32_t node, enum category category)
{
    return (uint64_t)node << CATEGORY_BITS | category;
}

static int add_frame(struct tables *t, uint32_t line)
{
    uint64_t id;
    uint32_t function = t->p->lines[line].function;
    int r = table_add(&t->frames, line, &id);
    if (r == 0)
        r = table_add(&t->functions, function, &id);
    if (r == 0)
        r = table_add(&t->strings, text_key(t->p->functions[function].name), &id);
    if (r == 0)
        r = table_add(&t->strings, text_key(t->p->functions[function].file), &id);
    return r;
}

static int add_stack(struct tables *t, uint32_t node, enum category category)
{
    uint64_t id, prefix = PROFILE_NONE;
    if (table_id(&t->stacks, stack_key(node, category)) >= 0)
        return 0;
    int r = export_path_of(&t->path, t->p, node);
    for (size_t i = 0; r == 0 && i < t->path.depth; i++) {
        uint32_t at = t->path.nodes[i];
        size_t before = t->stacks.count;
        r = add_frame(t, t->p->nodes[at].line);
        if (r == 0)
            r = array_reserve(&t->prefix, &t->prefix_capacity, before + 1, sizeof(*t->prefix));
        if (r == 0)
            r = table_add(&t->stacks, stack_key(at, at == node ? category : OTHER), &id);
        if (r == 0 && t->stacks.count > before)
            t->prefix[id] = (uint32_t)prefix;
        prefix = id;
    }
    return r;
}

static int fill_tables(struct tables *t, const struct report_spans *spans, uint32_t thread)
{
    struct export_spans_reader reader;
    struct profile_span s;
    int r = 0;
    export_spans_start(&reader, spans, thread);
    while (r == 0 && export_spans_next(&reader, &s))
        r = add_stack(t, s.node, category_of(s.state));
    return r;
}

/* ---- columns ---- */

struct column {
    const char *name;
    int64_t (*at)(const struct tables *t, size_t row); /* negative: null */
};

static int64_t column_zero(const struct tables *t, size_t row)
{
    (void)t;
    (void)row;
    return 0;
}

static int64_t column_null(const struct tables *t, size_t row)
{
    (void)t;
    (void)row;
    return -1;
}

static int64_t stack_prefix(const struct tables *t, size_t row)
{
    return t->prefix[row] == PROFILE_NONE ? -1 : (int64_t)t->prefix[row];
}

static int64_t stack_category(const struct tables *t, size_t row)
{
    return (int64_t)(t->stacks.keys[row] & ((1 << CATEGORY_BITS) - 1));
}

static int64_t stack_frame(const struct tables *t, size_t row)
{
    return table_id(&t->frames, t->p->nodes[t->stacks.keys[row] >> CATEGORY_BITS].line);
}

static int64_t frame_function(const struct tables *t, size_t row)
{
    return table_id(&t->functions, t->p->lines[t->frames.keys[row]].function);
}

static int64_t frame_line(const struct tables *t, size_t row)
{
    uint32_t line = t->p->lines[t->frames.keys[row]].line;
    return line > 0 ? (int64_t)line : -1;
}

static int64_t frame_column(const struct tables *t, size_t row)
{
    uint32_t column = t->p->lines[t->frames.keys[row]].column;
    return column > 0 ? (int64_t)column : -1;
}

static int64_t function_name(const struct tables *t, size_t row)
{
    return table_id(&t->strings, text_key(t->p->functions[t->functions.keys[row]].name));
}

static int64_t function_file(const struct tables *t, size_t row)
{
    const struct profile_function *f = &t->p->functions[t->functions.keys[row]];
    return f->kind == PROFILE_PYTHON ? table_id(&t->strings, text_key(f->file)) : -1;
}

static int64_t function_line(const struct tables *t, size_t row)
{
    uint32_t line = t->p->functions[t->functions.keys[row]].first_line;
    return line > 0 ? (int64_t)line : -1;
}

static const struct column stack_columns[] = {
    {"prefix", stack_prefix}, {"frame", stack_frame}, {"category", stack_category}, {"subcategory", column_zero}, {0}};
static const struct column frame_columns[] = {{"inlineDepth", column_zero}, {"category", column_null},
    {"subcategory", column_null}, {"func", frame_function}, {"nativeSymbol", column_null},
    {"innerWindowID", column_null}, {"implementation", column_null}, {"line", frame_line}, {"column", frame_column},
    {0}};
static const struct column function_columns[] = {{"name", function_name}, {"fileName", function_file},
    {"lineNumber", function_line}, {"columnNumber", column_null}, {0}};
static const struct column resource_columns[] = {
    {"lib", column_null}, {"name", column_null}, {"host", column_null}, {"type", column_null}, {0}};
static const struct column symbol_columns[] = {
    {"libIndex", column_null}, {"address", column_null}, {"name", column_null}, {"functionSize", column_null}, {0}};
static const struct column marker_columns[] = {{"data", column_null}, {"name", column_null}, {"startTime", column_null},
    {"endTime", column_null}, {"phase", column_null}, {"category", column_null}, {0}};

static int put_columns(const struct report_export *x, struct json *j, const struct tables *t, const char *name,
    const struct column *columns, size_t rows)
{
    json_object_begin(j, name);
    json_integer(j, "length", (int64_t)rows);
    for (const struct column *c = columns; c->name != NULL; c++) {
        json_array_begin(j, c->name);
        for (size_t i = 0; i < rows; i++) {
            int64_t value = c->at(t, i);
            if (value < 0)
                json_null(j, NULL);
            else
                json_integer(j, NULL, value);
            int r = export_flush(x, false);
            if (r != 0)
                return r;
        }
        json_array_end(j);
    }
    return 0;
}

/* A table whose rows need nothing but columns of numbers. */
static int put_table(const struct report_export *x, struct json *j, const struct tables *t, const char *name,
    const struct column *columns, size_t rows)
{
    int r = put_columns(x, j, t, name, columns, rows);
    json_object_end(j);
    return r;
}

/* A column of the same value in each row. */
static int put_same(const struct report_export *x, struct json *j, const char *name, size_t rows, int64_t value)
{
    int r = 0;
    json_array_begin(j, name);
    for (size_t i = 0; r == 0 && i < rows; i++) {
        if (value < -1)
            json_boolean(j, NULL, false);
        else
            json_integer(j, NULL, value);
        r = export_flush(x, false);
    }
    json_array_end(j);
    return r;
}

enum { SAME_FALSE = -2 };

static int put_strings(const struct report_export *x, struct json *j, const struct tables *t)
{
    int r = 0;
    json_array_begin(j, "stringArray");
    for (size_t i = 0; r == 0 && i < t->strings.count; i++) {
        json_text(j, NULL, (const char *)(uintptr_t)t->strings.keys[i]);
        r = export_flush(x, false);
    }
    json_array_end(j);
    return r;
}

static int put_tables(const struct report_export *x, struct json *j, const struct tables *t)
{
    int r = put_table(x, j, t, "stackTable", stack_columns, t->stacks.count);
    if (r == 0)
        r = put_columns(x, j, t, "frameTable", frame_columns, t->frames.count);
    if (r == 0)
        r = put_same(x, j, "address", t->frames.count, -1);
    json_object_end(j);
    if (r == 0)
        r = put_columns(x, j, t, "funcTable", function_columns, t->functions.count);
    if (r == 0)
        r = put_same(x, j, "isJS", t->functions.count, SAME_FALSE);
    if (r == 0)
        r = put_same(x, j, "relevantForJS", t->functions.count, SAME_FALSE);
    if (r == 0)
        r = put_same(x, j, "resource", t->functions.count, -1);
    json_object_end(j);
    if (r == 0)
        r = put_strings(x, j, t);
    put_table(x, j, t, "resourceTable", resource_columns, 0);
    put_table(x, j, t, "nativeSymbols", symbol_columns, 0);
    put_table(x, j, t, "markers", marker_columns, 0);
    return r;
}

/* ---- samples ---- */

/* Rows of one thread: a long span in as many parts as it takes, and at its end an empty one. */
struct rows {
    const struct profile *p;
    struct export_pieces pieces;
    struct profile_span span;
    uint64_t part, parts;
    bool ended;
};

static void rows_start(struct rows *w, const struct report_export *x, uint32_t thread)
{
    *w = (struct rows){.p = x->p};
    export_pieces_start(&w->pieces, x->spans, thread);
}

static bool rows_next(struct rows *w, struct profile_span *ret)
{
    if (w->part == w->parts) {
        if (w->ended)
            return false;
        uint64_t end_ns = w->span.to_ns, most = w->p->wall_ns / ROWS_OF_WALL + 1;
        w->ended = !export_pieces_next(&w->pieces, &w->span);
        if (w->ended)
            w->span = (struct profile_span){.from_ns = end_ns, .to_ns = end_ns};
        w->part = 0;
        w->parts = (w->span.to_ns - w->span.from_ns) / most + 1;
        if (w->parts > w->span.ticks)
            w->parts = w->span.ticks > 0 ? w->span.ticks : 1;
    }
    uint64_t length = (w->span.to_ns - w->span.from_ns) / w->parts, each = w->span.ticks / w->parts;
    *ret = w->span;
    ret->from_ns = w->span.from_ns + length * w->part;
    w->part++;
    if (w->part < w->parts) {
        ret->to_ns = ret->from_ns + length;
        ret->ticks = each;
    } else {
        ret->ticks -= each * (w->parts - 1);
    }
    return true;
}

static double milliseconds(uint64_t ns)
{
    return (double)ns / 1e6;
}

enum sample_column { SAMPLE_STACK, SAMPLE_TIME, SAMPLE_WEIGHT, SAMPLE_CPU };

static int put_sample_column(const struct report_export *x, struct json *j, const struct tables *t, uint32_t thread,
    const char *name, enum sample_column column, size_t *ret_count)
{
    struct rows rows;
    struct profile_span s;
    uint64_t cpu_ns = 0; /* of the row before: what was used up to this one */
    size_t count = 0;
    int r = 0;
    rows_start(&rows, x, thread);
    json_array_begin(j, name);
    for (; r == 0 && rows_next(&rows, &s); count++) {
        if (column == SAMPLE_STACK && s.ticks == 0)
            json_null(j, NULL);
        else if (column == SAMPLE_STACK)
            json_integer(j, NULL, table_id(&t->stacks, stack_key(s.node, category_of(s.state))));
        else if (column == SAMPLE_TIME)
            json_number(j, NULL, milliseconds(s.from_ns - x->p->first_ns));
        else if (column == SAMPLE_WEIGHT)
            json_number(j, NULL, milliseconds(export_time_ns(x->p, s.ticks)));
        else
            json_integer(j, NULL, (int64_t)(cpu_ns / 1000));
        cpu_ns = (s.state & RECORD_ON_CPU) != 0 ? s.to_ns - s.from_ns : 0;
        r = export_flush(x, false);
    }
    json_array_end(j);
    *ret_count = count;
    return r;
}

static int put_samples(const struct report_export *x, struct json *j, const struct tables *t, uint32_t thread)
{
    size_t count = 0;
    json_object_begin(j, "samples");
    json_text(j, "weightType", "tracing-ms");
    int r = put_sample_column(x, j, t, thread, "stack", SAMPLE_STACK, &count);
    if (r == 0)
        r = put_sample_column(x, j, t, thread, "time", SAMPLE_TIME, &count);
    if (r == 0)
        r = put_sample_column(x, j, t, thread, "weight", SAMPLE_WEIGHT, &count);
    if (r == 0)
        r = put_sample_column(x, j, t, thread, "threadCPUDelta", SAMPLE_CPU, &count);
    json_integer(j, "length", (int64_t)count);
    json_object_end(j);
    return r;
}

/* ---- threads, the profile ---- */

static int put_thread(const struct report_export *x, struct json *j, uint32_t thread)
{
    const struct profile *p = x->p;
    const struct profile_thread *t = &p->threads[thread];
    const struct profile_process *process = &p->processes[t->process];
    struct tables tables = {.p = p};
    char spare[THREAD_SPARE], pid[48];
    double end = milliseconds(p->last_ns - p->first_ns);
    /* A process that became another program by exec kept its pid, but is another process to the reader. */
    if (process->image == 0)
        snprintf(pid, sizeof(pid), "%d", process->pid);
    else
        snprintf(pid, sizeof(pid), "%d.%llu", process->pid, (unsigned long long)process->image);
    int r = fill_tables(&tables, x->spans, thread);
    json_object_begin(j, NULL);
    json_text(j, "name", export_thread_name(t, spare));
    json_boolean(j, "isMainThread", t->tid == process->pid);
    json_text(j, "processType", "default");
    json_text(j, "processName", process->command);
    json_number(
        j, "processStartupTime", process->start_ns > p->first_ns ? milliseconds(process->start_ns - p->first_ns) : 0);
    if (process->ended && process->end_ns >= p->first_ns)
        json_number(j, "processShutdownTime", milliseconds(process->end_ns - p->first_ns));
    else
        json_null(j, "processShutdownTime");
    json_number(j, "registerTime", 0);
    json_number(j, "unregisterTime", end);
    json_array_begin(j, "pausedRanges");
    json_array_end(j);
    json_text(j, "pid", pid);
    json_integer(j, "tid", export_thread_id(p, thread, false));
    if (r == 0)
        r = put_samples(x, j, &tables, thread);
    if (r == 0)
        r = put_tables(x, j, &tables);
    json_object_end(j);
    tables_release(&tables);
    return r;
}

static void put_meta(const struct report_export *x, struct json *j)
{
    const struct profile *p = x->p;
    const char *command = profile_meta(p, "command");
    json_object_begin(j, "meta");
    json_integer(j, "version", GECKO_VERSION);
    json_integer(j, "preprocessedProfileVersion", FORMAT_VERSION);
    json_number(j, "interval", milliseconds(export_time_ns(p, 1)));
    json_number(j, "startTime", milliseconds(export_started_ns(p)));
    json_integer(j, "processType", 0);
    json_integer(j, "stackwalk", 0);
    json_boolean(j, "debug", false);
    json_boolean(j, "symbolicated", true);
    json_text(j, "importedFrom", "Pitviper " PITVIPER_VERSION);
    json_text(j, "product", command != NULL && command[0] != '\0' ? command : "Python");
    json_array_begin(j, "categories");
    for (size_t i = 0; i < ARRAY_SIZE(categories); i++) {
        json_object_begin(j, NULL);
        json_text(j, "name", categories[i].name);
        json_text(j, "color", categories[i].colour);
        json_array_begin(j, "subcategories");
        json_text(j, NULL, "Other");
        json_array_end(j);
        json_object_end(j);
    }
    json_array_end(j);
    json_array_begin(j, "markerSchema");
    json_array_end(j);
    json_object_begin(j, "sampleUnits");
    json_text(j, "time", "ms");
    json_text(j, "eventDelay", "ms");
    json_text(j, "threadCPUDelta", "\xc2\xb5s");
    json_object_end(j);
    json_object_end(j);
}

int export_gecko(const struct report_export *x)
{
    struct json j = {.out = x->out};
    int r = 0;
    json_object_begin(&j, NULL);
    put_meta(x, &j);
    json_array_begin(&j, "libs");
    json_array_end(&j);
    json_array_begin(&j, "threads");
    for (uint32_t i = 0; r == 0 && i < x->p->thread_count; i++)
        if (export_spans_any(x->spans, i))
            r = put_thread(x, &j, i);
    json_array_end(&j);
    json_object_end(&j);
    buffer_append_byte(x->out, '\n');
    return r != 0 ? r : export_flush(x, true);
}
