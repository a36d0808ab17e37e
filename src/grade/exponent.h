/* How time grows with size: t = c + a n^b, where c is what every run pays (imports) and must not pass for slow growth.
 * Private to grade. */
#ifndef PITVIPER_GRADE_EXPONENT_H
#define PITVIPER_GRADE_EXPONENT_H

#include "stats/stats.h"

#define EXPONENT_SIZES_MAX 8
#define EXPONENT_ROUNDS_MAX 13
#define EXPONENT_MOST 4.0 /* the steepest that is looked for; limits stop there and at 0 */

struct exponent {
    struct stats_interval b;
    double growth, growth_high; /* seconds from the smallest size to the largest; no more than, as sure as b */
};
/* seconds[round][size], of ascending sizes, three at least. `tail`: of both sides of the interval. -EINVAL. */
int exponent_fit(const double *sizes, size_t size_count, const double (*seconds)[EXPONENT_SIZES_MAX], size_t rounds,
    double tail, struct exponent *ret);

#endif
