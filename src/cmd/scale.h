/* What `scale` and `prove --growth` show of a growth. Private to src/cmd. */
#ifndef PITVIPER_CMD_SCALE_H
#define PITVIPER_CMD_SCALE_H

#include "cmd/keep.h"
#include "growth/growth.h"
#include "plot/plot.h"

/* "1k,2k,4k": at least GROWTH_SIZES_MIN sizes that rise, at least 1. 0, or a line of what is wrong. */
int scale_parse_sizes(const char *text, double sizes[GROWTH_SIZES_MAX], size_t *ret_count, struct error *e);

/* `prove --growth`: does B grow faster than A? The exit status. */
struct scale_sides {
    const char *names[2], *python, *setup, *sizes;
    uint64_t budget_ns, timeout_ns; /* budget: of both together */
    bool json;
    struct keep_options keep;
};
int scale_compare(const struct scale_sides *s);
/* The exponents of time and of each count, into the history. */
void scale_keep(
    struct keep *k, struct prove_runner *runner, const struct prove_subject *s, const struct growth_result *r);
void scale_show_progress(void *context, const struct growth_progress *p);

struct scale_view {
    const char *name, *setup; /* setup: NULL for none */
    double predict;           /* 0: ten times the largest size */
    struct plot_cells cells;
};
void scale_put_text(struct buffer *out, const struct growth_result *r, const struct scale_view *v);
void scale_put_page(struct buffer *out, const struct growth_result *r, const struct scale_view *v);
void scale_put_object(struct json *j, const char *name, const struct growth_result *r, const struct scale_view *v);
void scale_put_json(struct buffer *out, const struct growth_result *r, const struct scale_view *v);
double scale_predicted(const struct growth_result *r, double asked); /* ten times the largest size, or ten more */
/* "n^2.00 (1.95 to 2.04)", or for exponential growth "1.62^n (1.61 to 1.63)". */
void scale_put_law(struct buffer *out, enum growth_shape shape, const struct stats_interval *exponent,
    const struct stats_interval *base);

#endif
