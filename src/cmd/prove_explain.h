/* `prove --explain`: which functions and lines carry the difference. Private to src/cmd. */
#ifndef PITVIPER_CMD_PROVE_EXPLAIN_H
#define PITVIPER_CMD_PROVE_EXPLAIN_H

#include "cmd/diff.h"
#include "prove/prove.h"

/* Samples fresh runs of both sides, and compares them. NULL after having told why not: then *ret_status is the exit
 * status. To be freed with diff_sides_free. */
struct diff_sides *prove_explain(
    struct prove_runner *r, struct prove_subject *const subjects[2], const struct prove_options *o, int *ret_status);

#endif
