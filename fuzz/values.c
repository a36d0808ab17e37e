/* Feeds two answers to the check of canonical values; what passes is shown and compared. */
#include "grade/values.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()
#define COLUMNS 50

static void expect_shown(const uint8_t *data, size_t size)
{
    struct buffer b;
    buffer_init(&b, 1u << 16);
    values_show(data, size, COLUMNS, &b);
    EXPECT(!b.failed && text_width((const char *)b.data, b.size) <= COLUMNS);
    for (size_t i = 0; i < b.size; i++)
        EXPECT(b.data[i] >= ' ' && b.data[i] != 0x7f);
    buffer_release(&b);
}

/* The first byte says where the second value begins. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct values_difference d;
    if (size < 1)
        return 0;
    size_t first = data[0] < size - 1 ? data[0] : size - 1;
    const uint8_t *a = data + 1, *b = a + first;
    size_t a_size = first, b_size = size - 1 - first;
    bool one = values_check(a, a_size) == 0, other = values_check(b, b_size) == 0;
    if (one) {
        expect_shown(a, a_size);
        EXPECT(!values_differ(a, a_size, a, a_size, 0, &d) && !values_differ(a, a_size, a, a_size, 0.01, &d));
    }
    if (other)
        expect_shown(b, b_size);
    if (one && other) {
        bool same = a_size == b_size && memcmp(a, b, a_size) == 0;
        EXPECT(values_differ(a, a_size, b, b_size, 0, &d) == !same);
        EXPECT(
            memchr(d.path, '\0', sizeof(d.path)) && memchr(d.a, '\0', sizeof(d.a)) && memchr(d.b, '\0', sizeof(d.b)));
        if (values_differ(a, a_size, b, b_size, 0.01, &d))
            EXPECT(!same);
    }
    return 0;
}
