/* What `bench` shows. Private to src/cmd. */
#ifndef PITVIPER_CMD_BENCH_H
#define PITVIPER_CMD_BENCH_H

#include "bench/bench.h"
#include "plot/plot.h"

#define BENCH_PARAMETERS_MAX 4
#define BENCH_POINTS_MAX 100 /* combinations of parameters */
#define BENCH_VALUES_MAX 64

struct bench_parameter { /* --param n=10,100,1000 */
    char name[64];
    const char *values[BENCH_VALUES_MAX]; /* not terminated: `sizes` long */
    size_t sizes[BENCH_VALUES_MAX], count;
};
struct bench_point { /* one combination, and what it took */
    size_t choice[BENCH_PARAMETERS_MAX];
    struct bench_result *result;
};
struct bench_view {
    const char *name;
    const struct bench_parameter *parameters;
    size_t parameter_count;
    const struct bench_point *points;
    size_t point_count;
    const struct bench_noise *noise;
    struct plot_cells cells;
};
void bench_put_text(struct buffer *out, const struct bench_view *v);
void bench_put_json(struct buffer *out, const struct bench_view *v);

#endif
