/* Two sides of recordings, loaded and compared. Private to src/cmd. */
#ifndef PITVIPER_CMD_DIFF_H
#define PITVIPER_CMD_DIFF_H

#include "diff/diff.h"
#include "report/report.h"

struct diff_sides {
    struct profile *profiles[2][DIFF_PROFILES_MAX];
    size_t counts[2];
    const char *names[2]; /* of the first files, borrowed */
    struct diff *diff;
};
/* `a` and `b` name the recordings. NULL after having told why not: then *ret_status is the exit status. free it. */
struct diff_sides *diff_sides_load(
    char *const *const names[2], const size_t counts[2], const struct profile_options *options, int *ret_status);
void diff_sides_free(struct diff_sides *s);
/* The comparison as text; how NULL: as one JSON object. An exit status, told. `commands`: what the two sides are
 * called; NULL: as the recordings say. */
int diff_sides_write(
    struct buffer *out, const struct diff_sides *s, const char *const commands[2], const struct report_options *how);

#endif
