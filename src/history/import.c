/* Results that other tools wrote: which one, by its content, and what both readers share. */
#include "history/inside.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

int foreign_refuse(struct foreign *m, const char *what)
{
    return error_set(m->e, EINVAL, "%s %s", m->name, what);
}

struct history_result *foreign_add(struct foreign *m)
{
    if (m->count == HISTORY_BATCH_MAX) {
        foreign_refuse(m, "holds more results than can be taken in at once");
        return NULL;
    }
    if (array_reserve(&m->results, &m->capacity, m->count + 1, sizeof(*m->results)) < 0) {
        error_set(m->e, ENOMEM, "out of memory while reading %s", m->name);
        return NULL;
    }
    struct history_result *x = &m->results[m->count++];
    *x = (struct history_result){.low = NAN, .high = NAN};
    x->kind = x->subject = x->metric = x->unit = x->verdict = x->python = x->revision = "";
    return x;
}

/* Digits only, at most two or four of them. */
static bool take_number(const char **at, int digits, int *ret)
{
    *ret = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *ret = *ret * 10 + (**at - '0');
    }
    return true;
}

static bool take(const char **at, const char *one_of)
{
    bool there = **at != '\0' && strchr(one_of, **at) != NULL;
    *at += there;
    return there;
}

uint64_t foreign_time(const char *text)
{
    struct tm tm = {0};
    const char *at = text;
    int hours = 0, minutes = 0;
    uint64_t fraction = 0, scale = 100000000;
    if (!take_number(&at, 4, &tm.tm_year) || !take(&at, "-") || !take_number(&at, 2, &tm.tm_mon) || !take(&at, "-") ||
        !take_number(&at, 2, &tm.tm_mday) || !take(&at, "T ") || !take_number(&at, 2, &tm.tm_hour) || !take(&at, ":") ||
        !take_number(&at, 2, &tm.tm_min) || !take(&at, ":") || !take_number(&at, 2, &tm.tm_sec))
        return 0;
    if (take(&at, ".,"))
        for (; *at >= '0' && *at <= '9'; at++, scale /= 10)
            fraction += (uint64_t)(*at - '0') * scale;
    int sign = *at == '-' ? -1 : 1;
    if (take(&at, "+-") && (!take_number(&at, 2, &hours) || (take(&at, ":"), !take_number(&at, 2, &minutes))))
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    time_t seconds = timegm(&tm);
    seconds -= sign * (hours * 3600 + minutes * 60);
    return seconds < 0 ? 0 : (uint64_t)seconds * 1000000000u + fraction;
}

void history_batch_release(struct history_batch *b)
{
    free(b->results);
    arena_release(&b->arena);
    *b = (struct history_batch){0};
}

int history_import(const char *data, size_t size, const char *name, struct history_batch *ret, struct error *e)
{
    struct history_batch b = {0};
    json_error_t why;
    if (size > HISTORY_INPUT_MAX)
        return error_set(e, EFBIG, "%s is larger than %zu MB", name, HISTORY_INPUT_MAX >> 20);
    json_t *root = json_loadb(data, size, 0, &why);
    if (root == NULL)
        return error_set(e, EINVAL, "%s is no JSON that can be read: %s in line %d", name, why.text, why.line);
    arena_init(&b.arena, HISTORY_ARENA_MAX);
    struct foreign m = {.name = name, .arena = &b.arena, .e = e};
    int r;
    if (!json_is_array(json_object_get(root, "benchmarks")))
        r = foreign_refuse(&m, "is JSON, but neither pyperf's nor pytest-benchmark's: it has no benchmarks");
    else if (json_is_object(json_object_get(root, "machine_info")))
        r = foreign_pytest_benchmark(&m, root);
    else
        r = foreign_pyperf(&m, root);
    json_decref(root);
    b.results = m.results;
    b.count = m.count;
    if (r == 0 && b.count == 0)
        r = foreign_refuse(&m, "holds no result");
    if (r < 0) {
        history_batch_release(&b);
        return r;
    }
    *ret = b;
    return 0;
}
