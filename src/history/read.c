/* Series and their points. */
#include "history/inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *column_text(sqlite3_stmt *s, int at, struct arena *a)
{
    const char *text = (const char *)sqlite3_column_text(s, at);
    int size = sqlite3_column_bytes(s, at);
    if (text == NULL || size < 0)
        return "";
    return arena_strndup(a, text, (size_t)size < HISTORY_TEXT_MAX ? (size_t)size : HISTORY_TEXT_MAX);
}

static uint64_t column_count(sqlite3_stmt *s, int at)
{
    int64_t value = sqlite3_column_int64(s, at);
    return value > 0 ? (uint64_t)value : 0;
}

static double column_number(sqlite3_stmt *s, int at)
{
    return sqlite3_column_type(s, at) == SQLITE_NULL ? NAN : sqlite3_column_double(s, at);
}

static void column_into(sqlite3_stmt *s, int at, char *into, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(s, at);
    size_t length = text == NULL ? 0 : strnlen(text, size - 1);
    memcpy(into, text == NULL ? "" : text, length);
    into[length] = '\0';
}

static void bind(sqlite3_stmt *s, int at, const char *text)
{
    if (text != NULL)
        sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

int history_list(struct history *h, const struct history_query *q, struct arena *a, struct history_series **ret,
    size_t *ret_count, struct error *e)
{
    CLEANUP(store_finalize) sqlite3_stmt *s = NULL;
    struct history_series *series = arena_alloc(a, HISTORY_SERIES_MAX * sizeof(*series));
    size_t count = 0;
    int code = SQLITE_DONE;
    if (series == NULL)
        return error_set(e, ENOMEM, "out of memory while reading %s", h->path);
    int r = store_prepare(h,
        "SELECT r.kind, r.subject, r.metric, r.unit, m.key, r.python, count(*), min(r.time), max(r.time) "
        "FROM result r JOIN machine m ON m.id=r.machine WHERE (?1 IS NULL OR r.subject=?1) AND "
        "(?2 IS NULL OR instr(r.subject, ?2) > 0) AND (?3 IS NULL OR r.kind=?3) AND (?4 IS NULL OR r.metric=?4) AND "
        "(?5 IS NULL OR m.key=?5) AND (?6 IS NULL OR r.python=?6) GROUP BY r.subject, r.metric, r.unit, r.kind, m.key, "
        "r.python ORDER BY r.subject, r.metric, r.unit, r.kind, m.key, r.python",
        &s, e);
    if (r < 0)
        return r;
    bind(s, 1, q->partly ? NULL : q->subject);
    bind(s, 2, q->partly ? q->subject : NULL);
    bind(s, 3, q->kind);
    bind(s, 4, q->metric);
    bind(s, 5, q->machine);
    bind(s, 6, q->python);
    while (count < HISTORY_SERIES_MAX && (code = sqlite3_step(s)) == SQLITE_ROW) {
        struct history_series *x = &series[count++];
        const char **const texts[] = {&x->kind, &x->subject, &x->metric, &x->unit, &x->machine, &x->python};
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
            if ((*texts[i] = column_text(s, (int)i, a)) == NULL)
                return error_set(e, ENOMEM, "%s holds more than can be read", h->path);
        x->count = column_count(s, 6);
        x->first_ns = column_count(s, 7);
        x->last_ns = column_count(s, 8);
    }
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return store_fail(h, code, e);
    *ret = series;
    *ret_count = count;
    return 0;
}

static int read_point(sqlite3_stmt *s, struct arena *a, struct history_result *x)
{
    struct history_machine *m = arena_alloc(a, sizeof(*m));
    int bytes = sqlite3_column_bytes(s, 12);
    size_t samples = bytes > 0 ? (size_t)bytes / sizeof(double) : 0;
    samples = samples < HISTORY_SAMPLES_MAX ? samples : HISTORY_SAMPLES_MAX;
    double *values = arena_alloc(a, (samples + 1) * sizeof(*values));
    if (m == NULL || values == NULL)
        return -ENOMEM;
    if (samples > 0)
        memcpy(values, sqlite3_column_blob(s, 12), samples * sizeof(*values));
    column_into(s, 8, m->cpu, sizeof(m->cpu));
    column_into(s, 9, m->kernel, sizeof(m->kernel));
    m->cores = column_count(s, 10);
    m->memory = column_count(s, 11);
    x->machine = m;
    x->time_ns = column_count(s, 0);
    x->value = column_number(s, 1);
    x->low = column_number(s, 2);
    x->high = column_number(s, 3);
    x->runs = column_count(s, 4);
    x->verdict = column_text(s, 5, a);
    x->revision = column_text(s, 6, a);
    x->dirty = sqlite3_column_int(s, 7) != 0;
    x->samples = values;
    for (size_t i = 0; i < samples; i++) /* up to the first that is no number */
        x->sample_count += isfinite(values[i]) && x->sample_count == i;
    return x->verdict == NULL || x->revision == NULL ? -ENOMEM : 0;
}

int history_points(struct history *h, const struct history_series *q, struct arena *a, struct history_result **ret,
    size_t *ret_count, struct error *e)
{
    CLEANUP(store_finalize) sqlite3_stmt *s = NULL;
    size_t most = q->count < HISTORY_POINTS_MAX ? (size_t)q->count : HISTORY_POINTS_MAX, count = 0;
    struct history_result *points = arena_alloc(a, (most + 1) * sizeof(*points));
    int code = SQLITE_DONE;
    if (points == NULL)
        return error_set(e, ENOMEM, "out of memory while reading %s", h->path);
    int r = store_prepare(h,
        "SELECT r.time, r.value, r.low, r.high, r.runs, r.verdict, r.revision, r.dirty, m.cpu, m.kernel, m.cores, "
        "m.memory, r.samples FROM result r JOIN machine m ON m.id=r.machine WHERE r.subject=?1 AND r.metric=?2 AND "
        "r.unit=?3 AND r.kind=?4 AND m.key=?5 AND r.python=?6 ORDER BY r.time DESC, r.id DESC LIMIT ?7",
        &s, e);
    if (r < 0)
        return r;
    const char *const texts[] = {q->subject, q->metric, q->unit, q->kind, q->machine, q->python};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        bind(s, 1 + (int)i, texts[i]);
    sqlite3_bind_int64(s, 7, (int64_t)most);
    while (count < most && (code = sqlite3_step(s)) == SQLITE_ROW) {
        struct history_result *x = &points[count];
        r = read_point(s, a, x);
        if (r < 0)
            return error_set(e, -r, "%s holds more than can be read", h->path);
        struct history_machine *m = (struct history_machine *)x->machine;
        memcpy(m->id, q->machine, strnlen(q->machine, sizeof(m->id) - 1));
        x->kind = q->kind;
        x->subject = q->subject;
        x->metric = q->metric;
        x->unit = q->unit;
        x->python = q->python;
        count += isfinite(x->value) ? 1 : 0;
    }
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return store_fail(h, code, e);
    for (size_t i = 0; i < count / 2; i++) {
        struct history_result x = points[i];
        points[i] = points[count - 1 - i];
        points[count - 1 - i] = x;
    }
    *ret = points;
    *ret_count = count;
    return 0;
}
