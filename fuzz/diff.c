/* Compares two recordings of any bytes, with their checksums put right, and holds the comparison to its own rules. The
 * first byte tells where the one ends and the other begins, in 256ths of what follows, and the view. */
#include "report/report.h"

#include "put_right.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

static void check_measure(const struct diff_measure *m)
{
    EXPECT(m->a >= 0 && m->b >= 0 && m->low <= m->high && m->p >= 0 && m->p <= 1);
    EXPECT(!m->changed || m->low > 0 || m->high < 0);
}

static void check(const struct diff *d)
{
    double a = 0, b = 0;
    for (size_t i = 0; i < d->function_count; i++) {
        check_measure(&d->functions[i].self);
        check_measure(&d->functions[i].total);
    }
    for (size_t i = 0; i < d->line_count; i++) {
        check_measure(&d->lines[i].self);
        EXPECT(d->lines[i].function < d->function_count);
    }
    for (size_t i = 0; i < d->node_count; i++) {
        EXPECT(i == 0 || (d->nodes[i].parent < i && d->nodes[i].line < d->line_count));
        a += d->nodes[i].self_a;
        b += d->nodes[i].self_b;
    }
    /* The tree has all of each side, and no more. */
    EXPECT(fabs(a - d->nodes[0].total_a) <= 1e-6 * (1 + a) && fabs(b - d->nodes[0].total_b) <= 1e-6 * (1 + b));
}

static void write_all(const struct diff *d)
{
    static const struct report_side sides[2] = {{"a", NULL, "h", 0}, {NULL, "3.13.0", NULL, 1}};
    CLEANUP(buffer_release) struct buffer out;
    buffer_init(&out, 64u << 20);
    EXPECT(report_diff(&out, d, sides, &(struct report_options){.width = 80}) == 0);
    buffer_clear(&out);
    EXPECT(report_diff_json(&out, d) == 0);
    buffer_clear(&out);
    EXPECT(report_diff_html(&out, d, sides, PROFILE_WALL) == 0);
    const char *block = strstr(buffer_text(&out), "id=\"data\">");
    EXPECT(block != NULL);
    block += strlen("id=\"data\">");
    EXPECT(block[strspn(block, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")] == '<');
    buffer_clear(&out);
    EXPECT(report_diff_collapsed(&out, d, NULL, NULL) == 0 || out.failed);
}

static struct profile *read_half(uint8_t *data, size_t size, enum profile_mode mode)
{
    struct profile *p = NULL;
    put_right(data, size);
    if (profile_read_memory(data, size, "x", &(struct profile_options){.mode = mode}, &p, NULL) < 0)
        return NULL;
    /* The command refuses what does not go together. */
    if (p->origin == PROFILE_RECORDING)
        return p;
    profile_free(p);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint8_t *copy = malloc(size);
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    size_t first = (size - 1) * copy[0] / 256;
    enum profile_mode mode = copy[0] % 3;
    struct profile *a = read_half(copy + 1, first, mode), *b = read_half(copy + 1 + first, size - 1 - first, mode);
    struct diff *d = NULL;
    if (a != NULL && b != NULL &&
        diff_make((const struct profile *const *)&a, 1, (const struct profile *const *)&b, 1, &d) == 0) {
        check(d);
        write_all(d);
    }
    diff_free(d);
    profile_free(a);
    profile_free(b);
    free(copy);
    return 0;
}
