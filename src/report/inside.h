/* Layout for the text report. Private to src/report. */
#ifndef PITVIPER_REPORT_INSIDE_H
#define PITVIPER_REPORT_INSIDE_H

#include "report/report.h"

enum style { STYLE_PLAIN, STYLE_TITLE, STYLE_DIM, STYLE_WARM, STYLE_HOT, STYLE_GOOD, STYLE_BAD };

struct page {
    struct buffer *out;
    const struct profile *p;
    size_t width, rows;
    bool colour;
    size_t column; /* reached in this line */
};

struct page page_of(struct buffer *out, const struct profile *p, const struct report_options *options);

/* ---- layout.c: pieces of a line; each counts its columns, and none goes beyond the page's width ---- */
void page_text(struct page *g, const char *text);                   /* as much as fits, cleaned */
void page_fitted(struct page *g, const char *text, size_t columns); /* shortened to the columns, not padded */
void page_column(struct page *g, const char *text, size_t columns, bool right); /* shortened, and padded */
void page_printf(struct page *g, const char *format, ...) PRINTF_LIKE(2, 3);    /* numbers and words of ours */
void page_style(struct page *g, enum style style);
void page_end(struct page *g); /* ends the line */
void page_title(struct page *g, const char *text);
void page_source(struct page *g, const char *text, size_t size); /* a line of source: no indentation, tabs as spaces */
/* "  label  words ...", wrapped at the width, hanging under the first word. */
void page_entry(struct page *g, const char *label, size_t label_columns, const char *text);

#define NUMBER_TEXT 40
const char *number_text(char into[NUMBER_TEXT], uint64_t value);                  /* 12,345 */
const char *share_text(char into[NUMBER_TEXT], double share);                     /* "41.2 %", "0.42 %" */
const char *interval_text(char into[NUMBER_TEXT], const struct profile_share *s); /* "40.3-42.1" */
const char *time_text(char into[NUMBER_TEXT], double ns);                         /* "5.08 s", "312 ms" */
/* "lexer.py:120" with one folder before it, in at most so many columns; the line number is never lost to the cut. */
void page_place(struct page *g, const char *path, uint32_t line, size_t columns);

/* ---- parts of the text report ---- */
void report_head(struct page *g);                    /* head.c */
int report_functions(struct page *g, bool by_total); /* tables.c */
int report_lines(struct page *g);
int report_path(struct page *g);
int report_threads(struct page *g); /* nothing where there is one */
int report_tasks(struct page *g);   /* nothing where no asyncio task was seen */
void report_foot(struct page *g);   /* foot.c */
struct report_kept {
    uint64_t one_in, last_ns; /* --max-size: one tick in so many; --last: so long at least; 0: all */
    bool dropped;             /* ticks were taken that are not in the recording */
};
struct report_kept report_kept(const struct profile *p);

/* ---- parts of JSON that the page has too (json.c): members of an object that the caller began ---- */
void report_json_facts(struct json *j, const struct profile *p); /* the recording, program, sums, processes, threads */
void report_json_truth(struct json *j, const struct profile *p); /* counters, CPU time, sources, notes */

/* ---- timeline.c: ticks of one thread in one state and stack within one bucket of time ---- */

struct report_slice {
    uint64_t bucket, ticks; /* bucket: the time shifted right */
    uint32_t thread, node, state;
};
struct report_timeline {
    struct report_slice *slices;
    size_t count, capacity, limit;
    unsigned shift;
    bool any;
    uint64_t first, last; /* buckets */
};
void timeline_settle(struct report_timeline *t); /* orders slices by bucket, thread, node, state; equal ones merge */

int report_put_excerpts(struct buffer *out, const struct profile *p); /* excerpts.c: the page's source texts */

/* ---- html.c: what every page is made of ---- */
#define PAGE_DATA_MAX (UINT64_C(2) << 30)
/* web/report as tools/embed wrote it: of each page what comes before its data, and after. */
extern const char html_report_head[], html_report_tail[], html_diff_head[], html_diff_tail[];
int page_write(struct buffer *out, const char *head, const char *tail, const struct buffer *data);
void page_put_facts(struct buffer *data, const struct buffer *json); /* the JSON that a page's data begin with */
#define PAGE_PUT_COLUMN(out, count, value)                                                                             \
    for (size_t i = 0; i < (count); i++)                                                                               \
    buffer_append_varint((out), (value))
/* Parents and lines; node 0, the root, is left out. */
#define PAGE_PUT_NODES(out, nodes, count)                                                                              \
    do {                                                                                                               \
        for (size_t i = 1; i < (count); i++)                                                                           \
            buffer_append_varint((out), i - (nodes)[i].parent);                                                        \
        for (size_t i = 1; i < (count); i++)                                                                           \
            buffer_append_zigzag((out), (int64_t)(nodes)[i].line - (i > 1 ? (int64_t)(nodes)[i - 1].line : 0));        \
    } while (0)

/* diff.c: members of an object that the caller began. by_index: lines name their function by its place in the list. */
void report_diff_facts(struct json *j, const struct diff *d, bool by_index);

/* With the interval that the report gives: between the runs, where there are several, else in this one. */
struct profile_share report_function_share(const struct profile *p, uint32_t function, bool total);
struct profile_share report_line_share(const struct profile *p, uint32_t line, bool total);

/* "qualname (path:line)", with no ';' or line end in it. */
void report_collapsed_frame(
    struct buffer *out, const char *name, const char *file, uint32_t line, enum profile_kind kind);

/* The view's own word for its hits, and what 100 % is. */
const char *report_mode_name(enum profile_mode mode);

#endif
