/*
 * report: a profile in a form for people or programs. One file a format.
 *
 * Everything goes into a buffer of the caller's (make its maximum large enough); nothing is printed here. All text that
 * came out of the recording is a stranger's: for the terminal it is cleaned of control characters and cut to its
 * column, in JSON it is escaped, in collapsed stacks it cannot break a line, in the page it is data only. 0 or a
 * negative errno (out of memory).
 */
#ifndef PITVIPER_REPORT_H
#define PITVIPER_REPORT_H

#include "diff/diff.h"

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
/* What ran when, for the page: load the profile with its `span` being report_timeline_span and this as its context. */
struct report_timeline;
int report_timeline_new(struct report_timeline **ret);
void report_timeline_free(struct report_timeline *t);
int report_timeline_span(void *timeline, const struct profile_span *s);
/* The page, of a profile that was read in wall mode; docs/html.md explains it. `mode` is the view that it opens in. */
int report_html(struct buffer *out, const struct profile *p, struct report_timeline *t, enum profile_mode mode);
/* A line a distinct stack: frames from the outermost on, joined by ';', a space, and the hits. `first` says what stands
 * before the outermost frame: nothing, the thread's name, or that of the asyncio task. `flush` (may be NULL) is called
 * now and then with what is in `out`, and clears it; what it returns other than 0 ends the writing. */
enum report_first { REPORT_FIRST_FRAME, REPORT_FIRST_THREAD, REPORT_FIRST_TASK };
int report_collapsed(struct buffer *out, const struct profile *p, enum report_first first,
    int (*flush)(void *context, struct buffer *out), void *context);

/* ---- exports: a profile in the formats of other programs; docs/exports.md says what each carries ---- */

/* What each thread did when, some bytes a span: collected while the profile is read, for the formats that are ordered
 * in time. Equal spans that follow each other (a restart of the recording parts them) are one. */
struct report_spans;
int report_spans_new(struct report_spans **ret);
void report_spans_free(struct report_spans *s);
int report_spans_add(void *spans, const struct profile_span *span); /* for profile_options.span; `spans` its context */

struct report_export {
    struct buffer *out;
    const struct profile *p;
    const struct report_spans *spans; /* collected by the reading that made `p`; NULL where the format needs none */
    enum report_first first;          /* collapsed only */
    int (*flush)(void *context, struct buffer *out); /* as report_collapsed's */
    void *context;
};
struct report_format {
    const char *name;
    const char *suffixes;                        /* of file names, separated by spaces */
    bool binary;                                 /* not for a terminal */
    bool spans;                                  /* needs report_export.spans */
    bool columns;                                /* wants a profile that was read with profile_options.columns */
    bool by_thread;                              /* tells threads from each other by itself */
    int (*write)(const struct report_export *x); /* 0, a negative errno, or what flush returned */
};
extern const struct report_format report_formats[]; /* ends with a NULL name */

/* A comparison, as text, as one object, and as a page (docs/diff.md). Of its sides a and b what is not in the diff;
 * texts may be NULL. */
struct report_side {
    const char *command, *python, *host;
    size_t damaged; /* recordings that are not whole */
};
int report_diff(
    struct buffer *out, const struct diff *d, const struct report_side sides[2], const struct report_options *options);
int report_diff_json(struct buffer *out, const struct diff *d);
int report_diff_html(
    struct buffer *out, const struct diff *d, const struct report_side sides[2], enum profile_mode mode);
/* A line a stack of either side, with two numbers: microseconds a run in a, and in b (as difffolded.pl writes). */
int report_diff_collapsed(
    struct buffer *out, const struct diff *d, int (*flush)(void *context, struct buffer *out), void *context);

#endif
