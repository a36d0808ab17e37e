/* Layout for the text report. Private to src/report. */
#ifndef PITVIPER_REPORT_INSIDE_H
#define PITVIPER_REPORT_INSIDE_H

#include "report/report.h"

enum style { STYLE_PLAIN, STYLE_TITLE, STYLE_DIM, STYLE_WARM, STYLE_HOT, STYLE_BAD };

struct page {
    struct buffer *out;
    const struct profile *p;
    size_t width, rows;
    bool colour;
    size_t column; /* reached in this line */
};

/* ---- layout.c: pieces of a line; each counts its columns, and none goes beyond the page's width ---- */
void page_text(struct page *g, const char *text);                   /* as much as fits, cleaned */
void page_fitted(struct page *g, const char *text, size_t columns); /* shortened to the columns, not padded */
void page_column(struct page *g, const char *text, size_t columns, bool right); /* shortened, and padded */
void page_printf(struct page *g, const char *format, ...) PRINTF_LIKE(2, 3);    /* numbers and words of ours */
void page_style(struct page *g, enum style style);
void page_end(struct page *g); /* ends the line */
void page_title(struct page *g, const char *text);
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
void report_foot(struct page *g);   /* foot.c */

/* The view's own word for its hits, and what 100 % is. */
const char *report_mode_name(enum profile_mode mode);

#endif
