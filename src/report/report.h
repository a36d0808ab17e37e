/*
 * report: a profile in a form for people or programs. One file a format.
 *
 * Everything goes into a buffer of the caller's (make its maximum large enough); nothing is printed here. All text that
 * came out of the recording is a stranger's: for the terminal it is cleaned of control characters and cut to its
 * column, in JSON it is escaped, in collapsed stacks it cannot break a line. 0 or a negative errno (out of memory).
 */
#ifndef PITVIPER_REPORT_H
#define PITVIPER_REPORT_H

#include "profile/profile.h"

enum report_sort { REPORT_BOTH, REPORT_SELF, REPORT_TOTAL }; /* which tables of functions, and the order in JSON */

struct report_options {
    size_t width; /* columns of the text report, at least 40; 0: 80 */
    bool colour;  /* terminal colours, heat among them */
    enum report_sort sort;
    size_t rows; /* of a table; 0: 12 */
};

/* The text report; docs/report.md explains it part by part. */
int report_text(struct buffer *out, const struct profile *p, const struct report_options *options);
/* The same facts, and every row; one object. The names are documented in docs/report.md and do not change. */
int report_json(struct buffer *out, const struct profile *p, const struct report_options *options);
/* A line a distinct stack: frames from the outermost on, joined by ';', a space, and the hits. With `threads` the
 * thread's name is the first frame. `flush` (may be NULL) is called now and then with what is in `out`, and clears it;
 * what it returns other than 0 ends the writing. */
int report_collapsed(struct buffer *out, const struct profile *p, bool threads,
    int (*flush)(void *context, struct buffer *out), void *context);

#endif
