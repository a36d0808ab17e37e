/*
 * pstats: what cProfile and profile dump, `marshal` of {(file, line, name): (calls, all calls, self, total, {caller:
 * ...})}. Only the types of such a dict are read (CPython's Python/marshal.c), with counted references.
 */
#include "profile/inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REFS_MAX = 1 << 24, NESTING_MAX = 8, FLAG_REF = 0x80 };

enum kind { NOTHING, NUMBER, TEXT, TUPLE, CALLERS, OTHER };

/* A value as far as it is needed: numbers, texts, and the first three of a tuple of them. */
struct value {
    double number;
    const char *text;
    enum kind kind;
    uint32_t size;
    uint32_t first; /* of a tuple: index into `parts`; of callers, into `callers` */
    uint32_t count;
};

struct marshal {
    struct reader r;
    struct value *refs, *parts, *callers;
    size_t ref_count, ref_capacity, part_count, part_capacity, caller_count, caller_capacity;
    const char *wrong; /* NULL: nothing yet */
};

static int wrong(struct marshal *g, const char *what)
{
    g->wrong = g->wrong == NULL ? what : g->wrong;
    return -EINVAL;
}

static int read_value(struct marshal *g, int nesting, struct value *ret, bool *ret_null);

static int read_text(struct marshal *g, uint64_t size, struct value *ret)
{
    const uint8_t *at = size < (1u << 20) ? reader_bytes(&g->r, (size_t)size) : NULL;
    if (g->r.failed || at == NULL || memchr(at, 0, (size_t)size) != NULL)
        return wrong(g, "a text that is cut short, too long, or holds a zero byte");
    *ret = (struct value){.kind = TEXT, .text = (const char *)at, .size = (uint32_t)size};
    return 0;
}

/* 15 bits a digit: only the magnitude of such a number of calls is of use. */
static int read_long(struct marshal *g, struct value *ret)
{
    int32_t digits = (int32_t)reader_le32(&g->r);
    uint32_t count = (uint32_t)(digits < 0 ? -(int64_t)digits : digits);
    double value = 0, unit = 1;
    if (count > 8)
        return wrong(g, "a number that is too large");
    for (uint32_t i = 0; i < count; i++, unit *= 32768)
        value += unit * (reader_byte(&g->r) + 256.0 * reader_byte(&g->r));
    *ret = (struct value){.kind = NUMBER, .number = digits < 0 ? -value : value};
    return 0;
}

static int read_float(struct marshal *g, struct value *ret)
{
    uint64_t bits = reader_le64(&g->r);
    double number;
    memcpy(&number, &bits, sizeof(number));
    *ret = (struct value){.kind = NUMBER, .number = number};
    return 0;
}

static int read_tuple(struct marshal *g, uint64_t count, int nesting, struct value *ret)
{
    struct value parts[5];
    if (count > ARRAY_SIZE(parts))
        return wrong(g, "a tuple that is too long");
    for (size_t i = 0; i < count; i++) {
        bool null = false;
        int r = read_value(g, nesting + 1, &parts[i], &null);
        if (r < 0 || null)
            return r < 0 ? r : wrong(g, "a value that is missing");
    }
    if (array_reserve(&g->parts, &g->part_capacity, g->part_count + 5, sizeof(*g->parts)) < 0)
        return -ENOMEM;
    *ret = (struct value){.kind = TUPLE, .first = (uint32_t)g->part_count, .count = (uint32_t)count};
    if (count > 0)
        memcpy(g->parts + g->part_count, parts, (size_t)count * sizeof(*parts));
    g->part_count += (size_t)count;
    return g->part_count < UINT32_MAX / 2 ? 0 : wrong(g, "too many values");
}

/* The callers of a function: keys and values of each, two of g->callers. */
static int read_callers(struct marshal *g, int nesting, struct value *ret)
{
    *ret = (struct value){.kind = CALLERS, .first = (uint32_t)g->caller_count};
    for (;;) {
        struct value pair[2];
        bool null = false;
        int r = read_value(g, nesting + 1, &pair[0], &null);
        if (r < 0 || null)
            return r;
        r = read_value(g, nesting + 1, &pair[1], &null);
        if (r < 0 || null)
            return r < 0 ? r : wrong(g, "a value that is missing");
        if (g->caller_count >= UINT32_MAX / 2)
            return wrong(g, "too many values");
        if (array_reserve(&g->callers, &g->caller_capacity, g->caller_count + 2, sizeof(*g->callers)) < 0)
            return -ENOMEM;
        memcpy(&g->callers[g->caller_count], pair, sizeof(pair));
        g->caller_count += 2;
        ret->count++;
    }
}

static int read_typed(struct marshal *g, uint8_t type, int nesting, struct value *ret, bool *ret_null)
{
    *ret = (struct value){.kind = OTHER};
    switch (type) {
    case '0':
        *ret_null = true;
        return 0;
    case 'N':
    case 'T':
    case 'F':
        return 0;
    case 'i':
        *ret = (struct value){.kind = NUMBER, .number = (int32_t)reader_le32(&g->r)};
        return 0;
    case 'l':
        return read_long(g, ret);
    case 'g':
        return read_float(g, ret);
    case 'z': /* short ASCII */
    case 'Z':
        return read_text(g, reader_byte(&g->r), ret);
    case 'a':
    case 'A':
    case 'u':
    case 't':
    case 's':
        return read_text(g, reader_le32(&g->r), ret);
    case ')':
        return read_tuple(g, reader_byte(&g->r), nesting, ret);
    case '(':
        return read_tuple(g, reader_le32(&g->r), nesting, ret);
    case '{':
        return read_callers(g, nesting, ret);
    default:
        return wrong(g, "a type that such a file does not have");
    }
}

static int read_value(struct marshal *g, int nesting, struct value *ret, bool *ret_null)
{
    uint8_t byte = reader_byte(&g->r), type = byte & (FLAG_REF - 1);
    size_t ref = g->ref_count;
    if (g->r.failed || nesting > NESTING_MAX)
        return wrong(g, g->r.failed ? "it is cut short" : "nested too deep");
    if (type == 'r') {
        uint32_t index = reader_le32(&g->r);
        if (index >= g->ref_count || g->refs[index].kind == NOTHING)
            return wrong(g, "a reference to nothing");
        *ret = g->refs[index];
        return 0;
    }
    if ((byte & FLAG_REF) != 0) {
        if (g->ref_count >= REFS_MAX)
            return wrong(g, "too many references");
        if (array_reserve(&g->refs, &g->ref_capacity, ref + 1, sizeof(*g->refs)) < 0)
            return -ENOMEM;
        g->refs[g->ref_count++] = (struct value){.kind = NOTHING};
    }
    int r = read_typed(g, type, nesting, ret, ret_null);
    if (r == 0 && g->r.failed)
        r = wrong(g, "it is cut short");
    if (r == 0 && (byte & FLAG_REF) != 0)
        g->refs[ref] = *ret;
    return r;
}

static uint64_t nanoseconds(double seconds)
{
    return seconds > 0 && seconds < 1e6 ? (uint64_t)llround(seconds * 1e9) : seconds >= 1e6 ? IMPORT_HITS_MAX : 0;
}

/* (file, line, name) */
static int find_function(struct import *m, struct marshal *g, const struct value *key, uint32_t *ret_node)
{
    const struct value *k = g->parts + key->first;
    if (key->kind != TUPLE || key->count != 3 || k[0].kind != TEXT || k[1].kind != NUMBER || k[2].kind != TEXT)
        return wrong(g, "not the statistics of functions");
    /* What is built in has the file "~" and no line. */
    bool placed = !(k[0].size == 1 && k[0].text[0] == '~');
    uint32_t line = k[1].number > 0 && k[1].number < UINT32_MAX ? (uint32_t)k[1].number : 0;
    return import_frame(m, 0, k[2].text, k[2].size, k[0].text, placed ? k[0].size : 0, line, 0, ret_node);
}

static uint32_t function_of(const struct import *m, uint32_t node)
{
    return m->l->w->lines[m->l->w->nodes[node].line].function;
}

/* {caller: (calls, all calls, self, total)}; the old profiler's have a number of calls only, and no time. */
static int put_callers(struct import *m, struct marshal *g, const struct value *callers, uint32_t callee)
{
    struct whole *w = m->l->w;
    for (uint32_t i = 0; i < callers->count; i++) {
        const struct value *pair = &g->callers[callers->first + 2 * i];
        const struct value *v = g->parts + pair[1].first;
        uint32_t node;
        if (pair[1].kind != TUPLE || pair[1].count != 4 || v[2].kind != NUMBER || v[3].kind != NUMBER)
            continue;
        int r = find_function(m, g, &pair[0], &node);
        if (r == 0)
            r = array_reserve(&w->calls, &w->call_capacity, m->l->p->call_count + 1, sizeof(*w->calls));
        if (r < 0)
            return r;
        w->calls[m->l->p->call_count++] = (struct profile_call){.caller = function_of(m, node),
            .callee = callee,
            .self = nanoseconds(v[2].number),
            .total = nanoseconds(v[3].number)};
    }
    return 0;
}

/* (file, line, name): (calls, all calls, self, total, callers) */
static int put_function(struct import *m, struct marshal *g, const struct value *key, const struct value *value)
{
    uint32_t node;
    int r = find_function(m, g, key, &node);
    if (r < 0)
        return r;
    const struct value *v = g->parts + value->first;
    if (value->kind != TUPLE || value->count != 5 || v[2].kind != NUMBER || v[3].kind != NUMBER || v[4].kind != CALLERS)
        return wrong(g, "not the statistics of functions");
    double self = v[2].number, total = v[3].number;
    const struct value callers = v[4];
    uint32_t function = function_of(m, node);
    r = map_put(&m->flat, function, nanoseconds(total));
    if (r == 0)
        r = put_callers(m, g, &callers, function);
    return r < 0 ? r : import_hits(m, node, nanoseconds(self));
}

static int read_stats(struct import *m, struct marshal *g)
{
    uint8_t type = reader_byte(&g->r);
    if ((type & FLAG_REF) != 0) {
        if (array_reserve(&g->refs, &g->ref_capacity, 1, sizeof(*g->refs)) < 0)
            return -ENOMEM;
        g->refs[g->ref_count++] = (struct value){.kind = NOTHING};
    }
    for (;;) {
        struct value key, value;
        bool null = false;
        int r = read_value(g, 1, &key, &null);
        if (r < 0 || null)
            return r;
        r = read_value(g, 1, &value, &null);
        if (r == 0)
            r = null ? wrong(g, "a value that is missing") : put_function(m, g, &key, &value);
        if (r < 0)
            return r;
    }
}

int import_pstats(struct import *m)
{
    struct marshal g = {.r = {.at = (const uint8_t *)m->data, .end = (const uint8_t *)m->data + m->size}};
    m->l->p->origin = PROFILE_CALLS;
    int r = read_stats(m, &g);
    if (r < 0 && g.wrong != NULL)
        r = error_set(m->e, EINVAL, "%s is no pstats file that can be read: %s", m->name, g.wrong);
    free(g.refs);
    free(g.parts);
    free(g.callers);
    return r;
}
