#include "grade/values.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The start of a value: its tag, and how many items or bytes it says that it has. */
struct head {
    uint8_t tag;
    uint32_t count;
};

static bool is_sequence(uint8_t tag)
{
    return tag == 'L' || tag == 'U';
}
static bool is_packed(uint8_t tag) /* 8 bytes an item */
{
    return tag == 'i' || tag == 'd' || tag == 'j' || tag == 'e';
}
static bool is_set(uint8_t tag)
{
    return tag == 'E' || tag == 'Z';
}

static struct head read_head(struct reader *r)
{
    struct head h = {.tag = reader_byte(r)};
    if (h.tag != 'N' && h.tag != 'T' && h.tag != 'F' && h.tag != 'D')
        h.count = reader_le32(r);
    return h;
}

static double read_float(struct reader *r) /* big-endian */
{
    uint64_t bits = 0;
    double x;
    const uint8_t *bytes = reader_bytes(r, 8);
    for (int i = 0; bytes && i < 8; i++)
        bits = bits << 8 | bytes[i];
    memcpy(&x, &bits, sizeof(x));
    return x;
}

static double read_packed_float(struct reader *r)
{
    uint64_t bits = reader_le64(r);
    double x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* ---- is it one? ---- */
static bool check_int(const uint8_t *bytes, uint32_t size)
{
    if (!bytes || size == 0)
        return false;
    bool spare = size > 1 && ((bytes[0] == 0x00 && bytes[1] < 0x80) || (bytes[0] == 0xff && bytes[1] >= 0x80));
    return !spare;
}

static bool check_float(struct reader *r)
{
    static const uint8_t nan[8] = {0x7f, 0xf8};
    const uint8_t *bytes = r->at;
    double x = read_float(r);
    return !r->failed && (!isnan(x) || memcmp(bytes, nan, sizeof(nan)) == 0);
}

static bool check(struct reader *r, unsigned depth);

static int compare_bytes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

/* Items of a list or tuple; one that could be packed must be. */
static bool check_items(struct reader *r, uint32_t count, unsigned depth)
{
    bool ints = count > 0, floats = count > 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = r->at;
        if (!check(r, depth))
            return false;
        ints &= at[0] == 'I' && r->at - at <= 1 + 4 + 8;
        floats &= at[0] == 'D' && at[1] != 0x7f; /* NaNs are not packed; nor need infinities be told from them here */
    }
    return !ints && !floats;
}

static bool check_keys(struct reader *r, struct head h, unsigned depth)
{
    const uint8_t *last = NULL;
    size_t last_size = 0;
    for (uint32_t i = 0; i < h.count; i++) {
        const uint8_t *at = r->at;
        if (!check(r, depth))
            return false;
        size_t size = (size_t)(r->at - at);
        if (last && compare_bytes(last, last_size, at, size) >= 0)
            return false;
        last = at;
        last_size = size;
        if (h.tag == 'M' && !check(r, depth))
            return false;
    }
    return true;
}

static bool check_packed(struct reader *r, struct head h)
{
    bool fine = h.count > 0;
    for (uint32_t i = 0; i < h.count && fine; i++) {
        double x = read_packed_float(r);
        fine = !r->failed && (h.tag == 'i' || h.tag == 'j' || !isnan(x));
    }
    return fine;
}

static bool check(struct reader *r, unsigned depth)
{
    struct head h = read_head(r);
    if (r->failed || h.count > (size_t)(r->end - r->at))
        return false;
    switch (h.tag) {
    case 'N':
    case 'T':
    case 'F':
        return true;
    case 'D':
        return check_float(r);
    case 'I':
        return check_int(reader_bytes(r, h.count), h.count);
    case 'S':
    case 'B':
        return reader_bytes(r, h.count) != NULL || h.count == 0;
    }
    if (depth == 0)
        return false;
    if (is_packed(h.tag))
        return check_packed(r, h);
    if (is_sequence(h.tag))
        return check_items(r, h.count, depth - 1);
    return (h.tag == 'M' || is_set(h.tag)) && check_keys(r, h, depth - 1);
}

int values_check(const void *data, size_t size)
{
    struct reader r = {.at = data, .end = (const uint8_t *)data + size};
    if (size == 0 || size > VALUES_BYTES_MAX || !check(&r, VALUES_DEPTH_MAX) || r.at != r.end)
        return -EBADMSG;
    return 0;
}

/* ---- showing ---- */
struct showing {
    struct buffer text;
    size_t enough; /* bytes after which nothing more can be seen */
};

static void show_int(struct buffer *b, const uint8_t *bytes, uint32_t size)
{
    uint8_t magnitude[VALUES_INT_MAX];
    char digits[VALUES_INT_MAX * 3];
    size_t n = 0;
    bool negative = size > 0 && bytes[0] >= 0x80, more = true;
    if (size > VALUES_INT_MAX) {
        buffer_printf(b, "<int of %u bytes>", size);
        return;
    }
    if (size > 0)
        memcpy(magnitude, bytes, size);
    unsigned carry = negative;
    for (uint32_t i = size; negative && i-- > 0;) { /* two's complement */
        unsigned x = (uint8_t)~magnitude[i] + carry;
        magnitude[i] = (uint8_t)x;
        carry = x >> 8;
    }
    while (more && n < sizeof(digits)) { /* long division by ten */
        unsigned rest = 0;
        more = false;
        for (uint32_t i = 0; i < size; i++) {
            unsigned x = rest << 8 | magnitude[i];
            magnitude[i] = (uint8_t)(x / 10);
            rest = x % 10;
            more |= magnitude[i] != 0;
        }
        digits[n++] = (char)('0' + rest);
    }
    if (negative)
        buffer_append_byte(b, '-');
    while (n > 0)
        buffer_append_byte(b, (uint8_t)digits[--n]);
}

static void show_float(struct buffer *b, double x)
{
    char text[40] = "";
    if (isnan(x) || isinf(x)) {
        buffer_append_string(b, isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*g", precision, x);
        if (strtod(text, NULL) == x)
            break;
    }
    buffer_append_string(b, text);
    if (!strpbrk(text, ".e"))
        buffer_append_string(b, ".0");
}

static void show_text(struct showing *s, const uint8_t *bytes, uint32_t size, bool is_bytes)
{
    struct buffer *b = &s->text;
    buffer_append_string(b, is_bytes ? "b'" : "'");
    for (uint32_t i = 0; i < size && b->size < s->enough; i++) {
        uint8_t c = bytes[i];
        if (c == '\n' || c == '\t' || c == '\r')
            buffer_printf(b, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        else if (c < ' ' || c == 0x7f || (is_bytes && c >= 0x80))
            buffer_printf(b, "\\x%02x", c);
        else {
            if (c == '\'' || c == '\\')
                buffer_append_byte(b, '\\');
            buffer_append_byte(b, c);
        }
    }
    buffer_append_byte(b, '\'');
}

static void show(struct showing *s, struct reader *r);

static void show_packed(struct buffer *b, struct reader *r, uint8_t tag)
{
    if (tag == 'i' || tag == 'j')
        buffer_printf(b, "%lld", (long long)reader_le64(r));
    else
        show_float(b, read_packed_float(r));
}

static void show_items(struct showing *s, struct reader *r, struct head h)
{
    bool tuple = h.tag == 'U' || h.tag == 'j' || h.tag == 'e', list = h.tag == 'L' || h.tag == 'i' || h.tag == 'd';
    bool empty_set = is_set(h.tag) && h.count == 0;
    struct buffer *b = &s->text;
    if (empty_set) {
        buffer_append_string(b, h.tag == 'E' ? "set()" : "frozenset()");
        return;
    }
    buffer_append_string(b, tuple ? "(" : list ? "[" : h.tag == 'Z' ? "frozenset({" : "{");
    for (uint32_t i = 0; i < h.count && b->size < s->enough; i++) {
        if (i > 0)
            buffer_append_string(b, ", ");
        if (is_packed(h.tag))
            show_packed(b, r, h.tag);
        else
            show(s, r);
        if (h.tag == 'M') {
            buffer_append_string(b, ": ");
            show(s, r);
        }
    }
    buffer_append_string(b, tuple ? (h.count == 1 ? ",)" : ")") : list ? "]" : h.tag == 'Z' ? "})" : "}");
}

/* Past `enough` it may leave the reader anywhere: nothing of what follows is seen. */
static void show(struct showing *s, struct reader *r)
{
    struct head h = read_head(r);
    const uint8_t *bytes;
    if (s->text.size >= s->enough)
        return;
    switch (h.tag) {
    case 'N':
        buffer_append_string(&s->text, "None");
        return;
    case 'T':
    case 'F':
        buffer_append_string(&s->text, h.tag == 'T' ? "True" : "False");
        return;
    case 'D':
        show_float(&s->text, read_float(r));
        return;
    case 'I':
        bytes = reader_bytes(r, h.count);
        show_int(&s->text, bytes, bytes ? h.count : 0);
        return;
    case 'S':
    case 'B':
        bytes = reader_bytes(r, h.count);
        show_text(s, bytes, bytes ? h.count : 0, h.tag == 'B');
        return;
    }
    show_items(s, r, h);
}

void values_show(const void *data, size_t size, size_t columns, struct buffer *into)
{
    struct reader r = {.at = data, .end = (const uint8_t *)data + size};
    struct showing s = {.enough = 4 * columns + 64};
    buffer_init(&s.text, 16 * columns + 4096);
    show(&s, &r);
    text_append_fitted(into, buffer_text(&s.text), columns);
    buffer_release(&s.text);
}

/* ---- comparing ---- */
struct comparing {
    struct values_difference *d;
    double tolerance;
    size_t path_size;
    bool noted;
};

static void skip(struct reader *r)
{
    struct head h = read_head(r);
    if (h.tag == 'D')
        reader_bytes(r, 8);
    else if (h.tag == 'I' || h.tag == 'S' || h.tag == 'B')
        reader_bytes(r, h.count);
    else if (is_packed(h.tag))
        reader_bytes(r, 8 * (size_t)h.count);
    else
        for (uint64_t i = 0, n = h.tag == 'M' ? 2 * (uint64_t)h.count : h.count; i < n && !r->failed; i++)
            skip(r);
}

static bool close_to(double a, double b, double tolerance)
{
    if (isinf(a) || isinf(b)) /* every distance from there is within every share of it */
        return a == b;
    return a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= tolerance * fmax(fabs(a), fabs(b));
}

static void note_one(char *into, size_t size, const uint8_t *from, const uint8_t *end)
{
    CLEANUP(buffer_release) struct buffer shown;
    buffer_init(&shown, 4096);
    values_show(from, (size_t)(end - from), VALUES_SHOWN, &shown);
    snprintf(into, size, "%s", buffer_text(&shown));
}

static void put_path(struct comparing *c, const char *text, size_t size)
{
    size_t room = sizeof(c->d->path) - 1 - c->path_size;
    size = size < room ? size : room;
    memcpy(c->d->path + c->path_size, text, size);
    c->path_size += size;
    c->d->path[c->path_size] = '\0';
}

static void put_index(struct comparing *c, uint32_t i)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "[%u]", i);
    put_path(c, text, (size_t)n);
}

static void put_key(struct comparing *c, const uint8_t *key, size_t size)
{
    CLEANUP(buffer_release) struct buffer shown;
    buffer_init(&shown, 256);
    values_show(key, size, 24, &shown);
    put_path(c, "[", 1);
    put_path(c, (const char *)shown.data, shown.size);
    put_path(c, "]", 1);
}

static bool differ(struct comparing *c, struct reader *a, struct reader *b);

static void note_packed(char *into, size_t size, uint8_t tag, const uint8_t *bytes)
{
    CLEANUP(buffer_release) struct buffer shown;
    struct reader r = {.at = bytes, .end = bytes + 8};
    buffer_init(&shown, 256);
    show_packed(&shown, &r, tag);
    snprintf(into, size, "%s", buffer_text(&shown));
}

static bool packed_differ(struct comparing *c, struct reader *a, struct reader *b, struct head h)
{
    for (uint32_t i = 0; i < h.count; i++) {
        const uint8_t *at_a = a->at, *at_b = b->at;
        double x = read_packed_float(a), y = read_packed_float(b);
        bool same = memcmp(at_a, at_b, 8) == 0;
        if (!same && (h.tag == 'd' || h.tag == 'e'))
            same = c->tolerance > 0 && close_to(x, y, c->tolerance);
        if (same)
            continue;
        put_index(c, i);
        note_packed(c->d->a, sizeof(c->d->a), h.tag, at_a);
        note_packed(c->d->b, sizeof(c->d->b), h.tag, at_b);
        c->noted = true;
        return true;
    }
    return false;
}

/* Keys of a dict are compared exactly: where one differs, the dicts do as a whole. */
static bool dicts_differ(struct comparing *c, struct reader *a, struct reader *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *key_a = a->at, *key_b = b->at;
        skip(a);
        skip(b);
        size_t size = (size_t)(a->at - key_a), before = c->path_size;
        if (compare_bytes(key_a, size, key_b, (size_t)(b->at - key_b)) != 0)
            return true;
        if (a->failed || b->failed)
            return true;
        put_key(c, key_a, size);
        if (differ(c, a, b))
            return true;
        c->path_size = before;
        c->d->path[before] = '\0';
    }
    return false;
}

static bool items_differ(struct comparing *c, struct reader *a, struct reader *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t before = c->path_size;
        put_index(c, i);
        if (differ(c, a, b))
            return true;
        c->path_size = before;
        c->d->path[before] = '\0';
    }
    return false;
}

/* True at the first difference; the parts are noted by the innermost who knows them. Else both readers are behind. */
static bool differ(struct comparing *c, struct reader *a, struct reader *b)
{
    const uint8_t *at_a = a->at, *at_b = b->at;
    struct reader end_a = *a, end_b = *b;
    skip(&end_a);
    skip(&end_b);
    size_t size_a = (size_t)(end_a.at - at_a), size_b = (size_t)(end_b.at - at_b);
    if (size_a == size_b && memcmp(at_a, at_b, size_a) == 0) {
        *a = end_a;
        *b = end_b;
        return false;
    }
    struct head h = read_head(a), other = read_head(b);
    bool found = true;
    if (h.tag == other.tag && h.tag == 'D') {
        double x = read_float(a), y = read_float(b);
        found = c->tolerance == 0 || !close_to(x, y, c->tolerance);
    } else if (h.tag == other.tag && h.count == other.count) {
        if (is_packed(h.tag))
            found = packed_differ(c, a, b, h);
        else if (is_sequence(h.tag))
            found = items_differ(c, a, b, h.count);
        else if (h.tag == 'M')
            found = dicts_differ(c, a, b, h.count);
    }
    if (found && !c->noted) {
        note_one(c->d->a, sizeof(c->d->a), at_a, end_a.at);
        note_one(c->d->b, sizeof(c->d->b), at_b, end_b.at);
        c->noted = true;
    }
    return found;
}

bool values_differ(
    const void *a, size_t a_size, const void *b, size_t b_size, double tolerance, struct values_difference *ret)
{
    struct reader ra = {.at = a, .end = (const uint8_t *)a + a_size};
    struct reader rb = {.at = b, .end = (const uint8_t *)b + b_size};
    struct comparing c = {.d = ret, .tolerance = tolerance};
    *ret = (struct values_difference){0};
    return differ(&c, &ra, &rb);
}
