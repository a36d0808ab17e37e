/*
 * Which line of one text is which of another: the longest common subsequence of lines, by Myers' greedy algorithm
 * (An O(ND) Difference Algorithm, 1986). Texts that differ in very much are aligned at their beginning and end only.
 */
#include "diff/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Lines deleted and inserted; the trace takes the square of it, times four bytes. */
enum { EDITS_MAX = 3000 };

struct text_lines {
    uint64_t *hash;
    size_t count, capacity;
};

static int split(const char *text, size_t size, struct text_lines *ret)
{
    const char *at = text, *end = text + size;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *next = stop == NULL ? end : stop + 1;
        stop = stop == NULL ? end : stop;
        if (stop > at && stop[-1] == '\r')
            stop--;
        int r = array_reserve(&ret->hash, &ret->capacity, ret->count + 1, sizeof(*ret->hash));
        if (r < 0)
            return r;
        ret->hash[ret->count++] = hash_bytes(at, (size_t)(stop - at));
        at = next;
    }
    return 0;
}

/* The furthest point on each diagonal after each edit, kept to walk back by. Row d has the diagonals -d to d. */
struct trace {
    uint32_t *rows;
    size_t capacity;
};

static uint32_t *row(const struct trace *t, size_t d)
{
    return t->rows + d * d; /* 1 + 3 + 5 + ... */
}

/* How far to the right on diagonal k after d edits, from the row before. */
static int64_t step(const struct trace *t, int64_t d, int64_t k, bool *ret_down)
{
    const uint32_t *before = row(t, (size_t)d - 1) + (d - 1);
    bool down = k == -d || (k != d && before[k - 1] < before[k + 1]);
    *ret_down = down;
    return down ? before[k + 1] : (int64_t)before[k - 1] + 1;
}

/* The number of edits, or -1 where there are too many. */
static int64_t search(struct trace *t, const uint64_t *a, int64_t n, const uint64_t *b, int64_t m, int *ret_error)
{
    for (int64_t d = 0; d <= n + m && d <= EDITS_MAX; d++) {
        *ret_error = array_reserve(&t->rows, &t->capacity, (size_t)((d + 1) * (d + 1)), sizeof(*t->rows));
        if (*ret_error < 0)
            return -1;
        uint32_t *now = row(t, (size_t)d) + d;
        for (int64_t k = -d; k <= d; k += 2) {
            bool down;
            int64_t x = d == 0 ? 0 : step(t, d, k, &down);
            int64_t y = x - k;
            /* Beyond an edge nothing can be reached; the value only has to lose every comparison's walk. */
            while (x < n && y < m && y >= 0 && a[x] == b[y]) {
                x++;
                y++;
            }
            now[k] = (uint32_t)x;
            if (k < d)
                now[k + 1] = 0;
            if (x >= n && y >= m)
                return d;
        }
    }
    return -1;
}

static void walk_back(const struct trace *t, int64_t d, int64_t n, int64_t m, uint32_t *to, size_t offset)
{
    int64_t x = n, y = m;
    for (; d >= 0; d--) {
        bool down = false;
        int64_t k = x - y, start = d == 0 ? 0 : step(t, d, k, &down);
        while (x > start && x > 0 && y > 0) {
            x--;
            y--;
            to[offset + (size_t)x + 1] = (uint32_t)(offset + (size_t)y + 1);
        }
        if (d > 0) {
            x -= !down;
            y -= down;
        }
    }
}

int diff_align(const char *a, size_t a_size, const char *b, size_t b_size, uint32_t **ret, size_t *ret_lines)
{
    struct text_lines from = {0}, into = {0};
    struct trace t = {0};
    uint32_t *to = NULL;
    size_t head = 0, tail = 0;
    int r = split(a, a_size, &from);
    if (r == 0)
        r = split(b, b_size, &into);
    if (r == 0)
        to = calloc(from.count + 1, sizeof(*to));
    if (to == NULL) {
        r = r == 0 ? -ENOMEM : r;
        goto out;
    }
    size_t least = from.count < into.count ? from.count : into.count;
    for (; head < least && from.hash[head] == into.hash[head]; head++)
        to[head + 1] = (uint32_t)(head + 1);
    for (; tail < least - head && from.hash[from.count - 1 - tail] == into.hash[into.count - 1 - tail]; tail++)
        to[from.count - tail] = (uint32_t)(into.count - tail);
    int64_t n = (int64_t)(from.count - head - tail), m = (int64_t)(into.count - head - tail);
    if (n > 0 && m > 0) {
        int64_t d = search(&t, from.hash + head, n, into.hash + head, m, &r);
        if (d >= 0)
            walk_back(&t, d, n, m, to, head);
    }
out:
    free(from.hash);
    free(into.hash);
    free(t.rows);
    if (r < 0 || to == NULL) {
        free(to);
        return r;
    }
    *ret = to;
    *ret_lines = from.count;
    return 0;
}
