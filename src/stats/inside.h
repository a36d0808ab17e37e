/* What the files of src/stats share. Private to it. */
#ifndef PITVIPER_STATS_INSIDE_H
#define PITVIPER_STATS_INSIDE_H

#include "stats/stats.h"

/* estimators.c */
int stats_by_value(const void *a, const void *b); /* for qsort */
bool stats_level_valid(double level);
double *stats_copy_sorted(const double *x, size_t n); /* free(); NULL: out of memory */
/* How many of the `all` orders of na + nb values have each U from 0 to na nb / 2; above it they mirror. free(). */
int stats_u_counts(size_t na, size_t nb, double **ret, double *ret_all);

#endif
