/* A store's series as text, JSON and a page. Private to src/cmd. */
#ifndef PITVIPER_CMD_HISTORY_SHOW_H
#define PITVIPER_CMD_HISTORY_SHOW_H

#include "history/history.h"
#include "stats/stats.h"

#define HISTORY_SEGMENT_MIN 5 /* results on each side of a change */
#define HISTORY_LEVEL 0.01    /* a change's p is below it */

struct history_shown {
    const struct history_series *series;
    const struct history_result *points;
    size_t count;
    struct stats_change *changes; /* free() */
    size_t change_count;
};
struct history_show_options {
    size_t width, rows;
    bool colour, utf8;
};

void history_show_list(struct buffer *out, const struct history_series *series, size_t count, const char *store,
    const struct history_show_options *how);
void history_show_text(struct buffer *out, const struct history_shown *s, const struct history_show_options *how);
/* Without results, where `shown` is NULL. */
void history_show_json(struct buffer *out, const char *store, const struct history_series *series, size_t count,
    const struct history_shown *shown);
void history_show_page(struct buffer *out, const struct history_shown *shown, size_t count);

#endif
