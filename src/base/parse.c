#include "base/base.h"

#include <errno.h>
#include <string.h>

#define MOST_FRACTION_DIGITS 18 /* 10^18 is the largest power of ten whose product with a unit fits below */

struct unit {
    const char *name;
    uint64_t scale;
};

/* Digits with an optional fraction, and a unit from the table, all of the text. Exact, in integers: a rate of
 * "0.1M" is 100000, which a binary fraction is not. */
static int parse_scaled(const char *text, const struct unit *units, size_t n, bool round, uint64_t *ret_value)
{
    unsigned __int128 mantissa = 0, divisor = 1;
    size_t digits = 0, fraction = 0;
    bool point = false;
    for (;; text++) {
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9')
            break;
        digits++;
        if (point && ++fraction > MOST_FRACTION_DIGITS)
            return -EINVAL;
        mantissa = mantissa * 10 + (unsigned)(*text - '0');
        if (point)
            divisor *= 10;
        if (mantissa / divisor > UINT64_MAX)
            return -EINVAL;
    }
    if (digits == 0 || (point && fraction == 0))
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, units[i].name) != 0)
            continue;
        unsigned __int128 whole = mantissa / divisor * units[i].scale;
        unsigned __int128 rest = mantissa % divisor * units[i].scale;
        if (!round && rest % divisor != 0)
            return -EINVAL;
        whole += rest / divisor;
        if (whole > UINT64_MAX)
            return -EINVAL;
        *ret_value = (uint64_t)whole;
        return 0;
    }
    return -EINVAL;
}

int parse_count(const char *text, uint64_t *ret_value)
{
    static const struct unit units[] = {
        {"", 1},
        {"k", 1000},
        {"K", 1000},
        {"M", 1000000},
        {"G", 1000000000},
        {"e1", 10},
        {"e2", 100},
        {"e3", 1000},
        {"e4", 10000},
        {"e5", 100000},
        {"e6", 1000000},
        {"e7", 10000000},
        {"e8", 100000000},
        {"e9", 1000000000},
    };
    return parse_scaled(text, units, ARRAY_SIZE(units), false, ret_value);
}

int parse_duration(const char *text, uint64_t *ret_ns)
{
    static const struct unit units[] = {
        {"", 1000000000},
        {"ns", 1},
        {"us", 1000},
        {"ms", 1000000},
        {"s", 1000000000},
        {"m", UINT64_C(60) * 1000000000},
        {"h", UINT64_C(3600) * 1000000000},
        {"d", UINT64_C(86400) * 1000000000},
    };
    return parse_scaled(text, units, ARRAY_SIZE(units), true, ret_ns);
}

int parse_percent(const char *text, double *ret_part)
{
    static const struct unit units[] = {{"", 1000000000}, {"%", 1000000000}};
    uint64_t value;
    int r = parse_scaled(text, units, ARRAY_SIZE(units), true, &value);
    if (r < 0 || value >= UINT64_C(1000000000) * 1000000)
        return -EINVAL;
    *ret_part = (double)value / 1e11;
    return 0;
}
