/* What the parts of the terminal interface share. Private to src/live. */
#ifndef PITVIPER_LIVE_INSIDE_H
#define PITVIPER_LIVE_INSIDE_H

#include "live/live.h"

#include <signal.h>

/* ---- screen.c: the terminal, and text in its cells ---- */
enum screen_style {
    STYLE_PLAIN,
    STYLE_FAINT,
    STYLE_HEAD,     /* column titles */
    STYLE_BAR,      /* the first line */
    STYLE_SELECTED, /* the row that the keys act on */
    STYLE_CHOSEN,   /* the tab of this view */
    STYLE_HOT,
    STYLE_WARM,
    STYLE_GOOD,
    STYLE_ALERT,
    STYLE_FLAME, /* the first of FLAME_SHADES */
};
#define FLAME_SHADES 6
#define STYLE_MATCH 0x100u /* added to a style: what the filter found */

extern volatile sig_atomic_t screen_signal, screen_resized, screen_stopped; /* set by handlers */

int screen_check(struct error *e);
int screen_open(struct error *e);
void screen_close(void);
void screen_suspend(void); /* stops this process as Ctrl-Z does; returns when it is continued */
void screen_size(int *ret_rows, int *ret_columns);
void screen_resize(void);
void screen_erase(void);
void screen_repaint(void);  /* forgets what the terminal is thought to show */
uint64_t screen_show(void); /* puts out what changed; how long that took, in nanoseconds */
/* A stranger's text, cleaned, cut to `width` columns and filled up to it. */
void screen_text(int row, int column, int width, unsigned style, const char *text);
void screen_format(int row, int column, int width, unsigned style, const char *format, ...) PRINTF_LIKE(5, 6);
/* An eighth-block bar of value (0 to 1); '#' where the terminal has no such characters. */
void screen_bar(int row, int column, int width, unsigned style, double value);
void screen_spark(int row, int column, const uint8_t *levels, int count); /* 0 to 8 each */
bool screen_coloured(void);
int screen_key(char text[8]); /* a KEY_ code or a character, and that as UTF-8; -1: none now */

/* ---- model.c: the recording as it is read, and the view that is drawn ---- */
#define SPARK_SECONDS 16
struct spark { /* how much of each of the last seconds a thread was on a CPU */
    uint64_t present, on_cpu;
    uint8_t levels[SPARK_SECONDS]; /* 0: not there, 1 to 8 */
};
struct model {
    const struct live_options *o;
    struct profile_options options;
    char thread[16];                      /* options.thread, where a thread is picked */
    struct profile_follow *follow, *next; /* next: reads the recording anew, by other options */
    uint64_t offset, next_offset;
    uint64_t window_ns;
    struct profile_view view;
    struct spark *sparks;
    size_t spark_count, spark_capacity;
    uint64_t spark_ns;
    struct {
        uint64_t time_ns, samples;
    } rate_then;
    double samples_per_second;
};
int model_open(struct model *m, const struct live_options *o, struct error *e);
void model_close(struct model *m);
int model_read(struct model *m, struct error *e); /* what has come since, for at most some milliseconds */
int model_look(struct model *m);                  /* a new view */
int model_choose(struct model *m, enum profile_mode mode, int64_t pid, int32_t tid); /* 0: all */
int model_reading(const struct model *m); /* percent of what has to be read anew; -1: nothing */

/* ---- keys.c: the one table of keys ---- */
enum action {
    ACTION_NONE,
    ACTION_FUNCTIONS, /* the views, in the order of enum view */
    ACTION_THREADS,
    ACTION_PROCESSES,
    ACTION_LINES,
    ACTION_TASKS,
    ACTION_FLAME,
    ACTION_SOURCE,
    ACTION_OUTPUT,
    ACTION_NEXT_VIEW,
    ACTION_PREVIOUS_VIEW,
    ACTION_UP,
    ACTION_DOWN,
    ACTION_LEFT,
    ACTION_RIGHT,
    ACTION_PAGE_UP,
    ACTION_PAGE_DOWN,
    ACTION_FIRST,
    ACTION_LAST,
    ACTION_OPEN,
    ACTION_BACK,
    ACTION_PAUSE,
    ACTION_FILTER,
    ACTION_SORT_LEFT,
    ACTION_SORT_RIGHT,
    ACTION_MODE,
    ACTION_WINDOW,
    ACTION_ALL,
    ACTION_SAVE,
    ACTION_REDRAW,
    ACTION_HELP,
    ACTION_QUIT,
};
struct key {
    int codes[3]; /* 0: none */
    enum action action;
    const char *label, *help; /* NULL: the same as the key above */
};
extern const struct key keys[];
extern const size_t key_count;
enum action key_action(int code);

/* ---- the interface ---- */
enum view {
    VIEW_FUNCTIONS,
    VIEW_THREADS,
    VIEW_PROCESSES,
    VIEW_LINES,
    VIEW_TASKS,
    VIEW_FLAME,
    VIEW_SOURCE,
    VIEW_OUTPUT,
    VIEW_COUNT
};

struct table { /* the rows of a list, and where the user is in it */
    uint32_t *rows;
    size_t count, capacity;
    size_t at, top;
    uint32_t held; /* the row that the user moved to, by its index in the profile; PROFILE_NONE: the first */
    int sort;
};
void table_release(struct table *t);
int table_add(struct table *t, uint32_t row);
void table_settle(struct table *t, int height); /* after its rows were made anew */
bool table_move(struct table *t, enum action a, int height);

struct flame_box {             /* a function, called by the same functions, in one row of cells */
    uint32_t function, parent; /* parent: index of its box; the first box is the root's */
    int depth, from, to;       /* columns from .. to - 1 */
    uint64_t hits, cpu;
};
struct flame {
    struct flame_box *boxes; /* row after row, from left to right */
    size_t count, capacity;
    uint32_t *zoom; /* functions from the outermost to the one that fills the width */
    size_t zoom_count, zoom_capacity;
    uint32_t *path; /* the selected box: functions below the zoomed one */
    size_t path_count, path_capacity;
    size_t selected;
    int top;
};
void flame_release(struct flame *f);
/* Lays the profile out below the zoomed function, `columns` wide and at most `rows` deep; selects by the path. */
int flame_layout(struct flame *f, const struct profile *p, int columns, int rows);
void flame_move(struct flame *f, enum action a);
int flame_zoom(struct flame *f);
bool flame_back(struct flame *f); /* false: nothing is zoomed */

/* ---- tasks.c: those that live, as they were listed last, and what those that have ended took ---- */
struct task_row {
    uint64_t id, seen;
    int state;         /* enum live_task_state, or TASK_ENDED */
    uint32_t function; /* of the profile; PROFILE_NONE: its coroutine was in no sample */
    uint64_t hits;
    uint32_t line;
    char name[64], coroutine[64], where[64], awaits[48];
};
#define TASK_ENDED 3
struct tasks {
    struct task_row *rows; /* a task keeps its index; of those that were seen last, `seen` is `turn` */
    struct map index;      /* id -> index */
    size_t count, capacity;
    size_t states[4]; /* how many there are of each state */
    uint64_t turn, next_ns;
    bool cut;
    char text[160];
};
void tasks_release(struct tasks *t);

enum prompt { PROMPT_NONE, PROMPT_FILTER, PROMPT_SAVE };

struct live {
    const struct live_options *o;
    struct model model;
    struct live_news news;
    enum view view, before; /* before: where source and output go back to */
    struct table tables[VIEW_FLAME];
    struct tasks tasks;
    struct flame flame;
    uint32_t function; /* whose source is shown; PROFILE_NONE: none chosen */
    int source_top;    /* first line shown, from 1; 0: at the function's hottest */
    int output_back;   /* lines scrolled back */
    int help_top;
    bool paused, help, asks_quit, slow;
    char filter[128], prompt[128]; /* the filter in force; the line being typed */
    enum prompt prompting;
    void *pattern; /* compiled filter, NULL: as plain text */
    char message[320];
    int rows, columns, height; /* height: of the view's own part, from row 3 on */
};
#define BODY_ROW 3

/* head.c */
void head_draw(struct live *l);
void foot_draw(struct live *l);
void help_draw(struct live *l);
/* tables.c */
int tables_build(struct live *l); /* the rows of this view's table, if it is one */
void tables_draw(struct live *l);
int tables_sorts(enum view v);
bool live_matches(const struct live *l, const char *text);
void live_share(char into[16], double share); /* "12.3%" */
/* tasks.c */
int tasks_look(struct live *l); /* lists them anew, if that is due */
bool tasks_wanted(const struct live *l, uint32_t row);
double tasks_number(const struct live *l, uint32_t row, int sort);
void tasks_head(const struct live *l);
void tasks_draw(const struct live *l, int row, uint32_t i, bool selected);
/* tables.c, for its own kind */
void live_head(const struct live *l, int *column, int width, int sort, const char *text);
/* flame_draw.c, source.c, output.c */
int flame_draw(struct live *l);
void source_draw(struct live *l);
void source_move(struct live *l, enum action a);
void output_draw(struct live *l);
void output_move(struct live *l, enum action a);

#endif
