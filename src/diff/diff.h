/*
 * diff: two sides of profiles against each other. What took more or less time a run, how sure that is, and one call
 * tree of both.
 *
 * Functions are the same when kind, qualified name and file are (the k-th of that name, where a file has several);
 * lines are when their texts are aligned with each other, so that a line that only moved is the same one; without the
 * texts, when their numbers are. A file that only one side has is the one of the other side that has the same name and
 * the most folders above it in common; else the only one of the other side in the same folder that has a function in
 * common with it (old.py and new.py).
 *
 * What is compared is thread time of the view, in nanoseconds a run; of imported counts of samples, which tell no time,
 * shares (DIFF_SHARE: `a`, `b`, `low`, `high` and the nodes' are shares then). With two runs or more on each side, the
 * claim is between versions: Welch's interval from the spread between runs. Else it is of these runs only. `changed` is
 * corrected for all that were compared in one table (Holm). docs/diff.md.
 */
#ifndef PITVIPER_DIFF_H
#define PITVIPER_DIFF_H

#include "profile/profile.h"

#define DIFF_PROFILES_MAX 1000 /* of a side */

enum diff_unit { DIFF_TIME, DIFF_SHARE };
enum diff_claim { DIFF_WITHIN_RUNS, DIFF_BETWEEN_VERSIONS };

struct diff_measure {
    double a, b;             /* mean a run, in the diff's unit */
    double low, high;        /* the 95 % interval of b - a; in it */
    double share_a, share_b; /* of the side's time */
    double share_low, share_high;
    double p; /* of so large a difference by chance, corrected; 1 where it was too rare to be compared */
    bool changed;
};
struct diff_function {
    const char *name, *file; /* file as on side b, where it is there */
    enum profile_kind kind;
    uint32_t line_a, line_b; /* first lines; 0: not on that side */
    struct diff_measure self, total;
};
struct diff_line {
    uint32_t function, line_a, line_b; /* 0: not met on that side */
    uint32_t place;                    /* in the text that lines are told by, b's where there is one; 0: not in it */
    const char *text;                  /* not NUL-terminated; NULL: not recorded */
    size_t size;
    struct diff_measure self;
};
/* Node 0 is the root; a parent comes before its children. In the diff's unit. */
struct diff_node {
    uint32_t parent, line; /* line: index into lines; PROFILE_NONE at the root */
    double self_a, self_b, total_a, total_b;
};
struct diff {
    enum diff_unit unit;
    enum diff_claim claim;
    bool counted; /* how many samples there were is known: a node's own chance too */
    size_t runs_a, runs_b;
    double hit_a, hit_b;       /* time a run that one hit stands for */
    struct diff_measure whole; /* all time of the view */
    const struct diff_function *functions;
    const struct diff_line *lines;
    const struct diff_node *nodes;
    size_t function_count, line_count, node_count;
    size_t functions_compared, lines_compared; /* those that the correction is for */
};

/* The profiles are borrowed as long as the diff lives, and are to be of one view and origin. Of those that do not say
 * how many samples they are of (PROFILE_WEIGHTS, PROFILE_CALLS) each side needs two. 0, or -ENOMEM. */
int diff_make(
    const struct profile *const *a, size_t a_count, const struct profile *const *b, size_t b_count, struct diff **ret);
void diff_free(struct diff *d);

/* Indices of those that changed, the largest change first; free(). By self time, total time, of lines by self time. */
int diff_functions_changed(const struct diff *d, bool total, uint32_t **ret, size_t *ret_count);
int diff_lines_changed(const struct diff *d, uint32_t **ret, size_t *ret_count);

/* For each line of text a (from 1; index 0 is unused) the number of the line of b that it is, or 0. free() it. */
int diff_align(const char *a, size_t a_size, const char *b, size_t b_size, uint32_t **ret, size_t *ret_lines);

#endif
