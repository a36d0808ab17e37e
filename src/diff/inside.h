/* What a diff is made of. Private to src/diff. */
#ifndef PITVIPER_DIFF_INSIDE_H
#define PITVIPER_DIFF_INSIDE_H

#include "diff/diff.h"

/* Of one thing on one side, over its runs. Those in which it had no hits add nothing. */
struct tally {
    double time, time_squared, share, share_squared; /* sums over runs */
    double y, yy, yn;                                /* hits, as in struct profile_sums */
};
struct tallies {
    struct tally self[2], total[2]; /* a, b */
};

struct side {
    const struct profile *const *profiles;
    size_t count, runs;
    double n, nn, ticks; /* sums over profiles */
    struct tally whole;
    double gap; /* mean time that a hit stands for */
};

struct whole {
    struct diff d; /* first: the two are one address */
    struct side sides[2];
    struct diff_function *functions;
    struct diff_line *lines;
    struct diff_node *nodes;
    struct tallies *function_tallies, *line_tallies;
    size_t function_capacity, line_capacity, node_capacity, function_tally_capacity, line_tally_capacity;
    struct strings function_keys;
    struct map line_index, node_index;
    struct map paths; /* of side a's paths in `path_names`: the one of side b that it is */
    struct strings path_names;
};

/* match.c: puts one profile of a side into the tables. */
int match_paths(struct whole *w);
int match_profile(struct whole *w, int side, const struct profile *p);

/* compare.c */
double hit_worth(const struct profile *p, uint32_t run); /* what a hit in this run stands for, in the diff's unit */
void tally_run(struct tally *t, double time, double share);

#endif
