/* The interface: look at the recording, draw, act on keys, until somebody quits. */
#include "live/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FRAME_MS = 250,       /* between two looks */
    SLOW_FRAME_MS = 1000, /* where the terminal cannot keep up */
};
#define SLOW_SHOW_NS UINT64_C(100000000) /* a screen that takes so long to put out is a slow terminal's */
#define WINDOW_NS UINT64_C(10000000000)

/* ---- drawing ---- */

static int draw(struct live *l)
{
    int r = 0;
    screen_size(&l->rows, &l->columns);
    l->height = l->rows - BODY_ROW - 1;
    screen_erase();
    if (l->help) {
        help_draw(l);
    } else {
        head_draw(l);
        if (l->view < VIEW_FLAME) {
            r = l->view == VIEW_TASKS ? tasks_look(l) : 0;
            if (r == 0)
                r = tables_build(l);
            if (r == 0)
                tables_draw(l);
        } else if (l->view == VIEW_FLAME) {
            r = flame_draw(l);
        } else if (l->view == VIEW_SOURCE) {
            source_draw(l);
        } else {
            output_draw(l);
        }
        foot_draw(l);
    }
    l->slow = screen_show() > SLOW_SHOW_NS;
    return r;
}

/* ---- the filter, and saving ---- */

static void filter_set(struct live *l, const char *text)
{
    static regex_t pattern;
    if (l->pattern != NULL)
        regfree(l->pattern);
    l->pattern = NULL;
    snprintf(l->filter, sizeof(l->filter), "%s", text);
    /* What is no regular expression is looked for as it stands. */
    if (text[0] != '\0' && regcomp(&pattern, text, REG_EXTENDED | REG_NOSUB | REG_ICASE) == 0)
        l->pattern = &pattern;
}

static void save(struct live *l, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        snprintf(l->message, sizeof(l->message), "cannot save to '%.200s': %s", path, strerror(errno));
        return;
    }
    int r = record_copy(l->o->recording, fd);
    if (close(fd) < 0 && r == 0)
        r = -errno;
    if (r < 0) {
        (void)unlink(path);
        snprintf(l->message, sizeof(l->message), "cannot save to '%.200s': %s", path, strerror(-r));
    } else {
        snprintf(l->message, sizeof(l->message), "saved: pitviper report %.250s", path);
    }
}

static void prompt_start(struct live *l, enum prompt what, const char *text)
{
    l->prompting = what;
    snprintf(l->prompt, sizeof(l->prompt), "%s", text);
}

/* A line is being typed: every key is its own. */
static void prompt_key(struct live *l, int key, const char *text)
{
    enum action a = key_action(key);
    size_t size = strlen(l->prompt);
    if (a == ACTION_OPEN) {
        if (l->prompting == PROMPT_SAVE && l->prompt[0] != '\0')
            save(l, l->prompt);
        l->prompting = PROMPT_NONE;
    } else if (a == ACTION_BACK && key == 27) {
        if (l->prompting == PROMPT_FILTER)
            filter_set(l, "");
        l->prompting = PROMPT_NONE;
    } else if (a == ACTION_BACK) {
        while (size > 0 && ((unsigned char)l->prompt[--size] & 0xc0) == 0x80)
            ;
        l->prompt[size] = '\0';
    } else if ((unsigned char)text[0] >= ' ' && size + strlen(text) < sizeof(l->prompt)) {
        memcpy(l->prompt + size, text, strlen(text) + 1);
    }
    if (l->prompting == PROMPT_FILTER)
        filter_set(l, l->prompt);
}

/* ---- actions ---- */

static void view_show(struct live *l, enum view v)
{
    if (l->view < VIEW_SOURCE)
        l->before = l->view;
    l->view = v;
}

static int choose(struct live *l, enum profile_mode mode, int64_t pid, int32_t tid)
{
    l->paused = false;
    return model_choose(&l->model, mode, pid, tid);
}

static void open_source(struct live *l, uint32_t function)
{
    l->function = function;
    l->source_top = 0;
    view_show(l, VIEW_SOURCE);
}

/* What Enter does to the selected row. */
static int open_row(struct live *l)
{
    const struct profile *p = l->model.view.p;
    if (l->view == VIEW_FLAME) {
        if (l->flame.selected < l->flame.count && l->flame.boxes[l->flame.selected].function != PROFILE_NONE)
            l->function = l->flame.boxes[l->flame.selected].function;
        l->source_top = 0;
        return flame_zoom(&l->flame);
    }
    if (l->view > VIEW_FLAME || l->tables[l->view].count == 0)
        return 0;
    const struct table *t = &l->tables[l->view];
    uint32_t row = t->rows[t->at];
    switch (l->view) {
    case VIEW_FUNCTIONS:
        open_source(l, row);
        return 0;
    case VIEW_LINES:
        open_source(l, p->lines[row].function);
        return 0;
    case VIEW_TASKS:
        if (l->tasks.rows[row].function != PROFILE_NONE)
            open_source(l, l->tasks.rows[row].function);
        return 0;
    case VIEW_THREADS:
        l->view = VIEW_FUNCTIONS;
        return choose(l, l->model.options.mode, l->model.options.pid, p->threads[row].tid);
    default:
        l->view = VIEW_FUNCTIONS;
        return choose(l, l->model.options.mode, p->processes[row].pid, 0);
    }
}

static int go_back(struct live *l)
{
    if (l->view == VIEW_FLAME && flame_back(&l->flame))
        return 0;
    if (l->view >= VIEW_SOURCE)
        l->view = l->before;
    else if (l->filter[0] != '\0')
        filter_set(l, "");
    else if (l->model.options.thread != NULL || l->model.options.pid != 0)
        return choose(l, l->model.options.mode, 0, 0);
    return 0;
}

static void move(struct live *l, enum action a)
{
    if (l->view < VIEW_FLAME)
        (void)table_move(&l->tables[l->view], a, l->height - 1);
    else if (l->view == VIEW_FLAME)
        flame_move(&l->flame, a);
    else if (l->view == VIEW_SOURCE)
        source_move(l, a);
    else
        output_move(l, a);
}

static void sort_by(struct live *l, int step)
{
    int sorts = tables_sorts(l->view);
    if (sorts > 0)
        l->tables[l->view].sort = (l->tables[l->view].sort + step + sorts) % sorts;
}

/* 1: quit. */
static int act(struct live *l, enum action a)
{
    int32_t tid = l->model.options.thread != NULL ? (int32_t)strtol(l->model.options.thread, NULL, 10) : 0;
    switch (a) {
    case ACTION_FUNCTIONS:
    case ACTION_THREADS:
    case ACTION_PROCESSES:
    case ACTION_LINES:
    case ACTION_TASKS:
    case ACTION_FLAME:
    case ACTION_SOURCE:
    case ACTION_OUTPUT:
        view_show(l, (enum view)(a - ACTION_FUNCTIONS));
        return 0;
    case ACTION_NEXT_VIEW:
        view_show(l, (l->view + 1) % VIEW_COUNT);
        return 0;
    case ACTION_PREVIOUS_VIEW:
        view_show(l, (l->view + VIEW_COUNT - 1) % VIEW_COUNT);
        return 0;
    case ACTION_OPEN:
        return open_row(l);
    case ACTION_BACK:
        return go_back(l);
    case ACTION_PAUSE:
        l->paused = !l->paused;
        return 0;
    case ACTION_FILTER:
        prompt_start(l, PROMPT_FILTER, l->filter);
        return 0;
    case ACTION_SORT_LEFT:
        sort_by(l, -1);
        return 0;
    case ACTION_SORT_RIGHT:
        sort_by(l, 1);
        return 0;
    case ACTION_MODE:
        return choose(l, (l->model.options.mode + 1) % 3, l->model.options.pid, tid);
    case ACTION_WINDOW:
        l->model.window_ns = l->model.window_ns == PROFILE_SINCE_START ? WINDOW_NS : PROFILE_SINCE_START;
        return model_look(&l->model);
    case ACTION_ALL:
        return choose(l, l->model.options.mode, 0, 0);
    case ACTION_SAVE:
        prompt_start(l, PROMPT_SAVE, l->o->save_as);
        return 0;
    case ACTION_REDRAW:
        screen_repaint();
        return 0;
    case ACTION_HELP:
        l->help = true;
        return 0;
    case ACTION_QUIT:
        l->asks_quit = l->news.running;
        return !l->news.running;
    default:
        move(l, a);
        return 0;
    }
}

static int on_key(struct live *l, int key, const char *text)
{
    enum action a = key_action(key);
    l->message[0] = '\0';
    if (l->prompting != PROMPT_NONE) {
        prompt_key(l, key, text);
        return 0;
    }
    if (l->asks_quit) {
        l->asks_quit = false;
        return a == ACTION_QUIT;
    }
    if (l->help) {
        int by = a == ACTION_UP          ? -1
                 : a == ACTION_DOWN      ? 1
                 : a == ACTION_PAGE_UP   ? -l->rows
                 : a == ACTION_PAGE_DOWN ? l->rows
                                         : 0;
        l->help_top += by;
        l->help = by != 0;
        return 0;
    }
    return act(l, a);
}

/* All keys that are there. 1: quit. */
static int take_keys(struct live *l, bool *ret_any)
{
    char text[8];
    for (int key = screen_key(text); key != -1; key = screen_key(text)) {
        *ret_any = true;
        int r = on_key(l, key, text);
        if (r != 0)
            return r;
        /* Keys that come in a burst act on what they would have seen. */
        if (l->view < VIEW_FLAME && (r = tables_build(l)) < 0)
            return r;
    }
    return 0;
}

/* ---- the loop ---- */

/* False when the terminal is gone. */
static bool wait_for_key(uint64_t until_ns)
{
    uint64_t now = clock_monotonic_ns();
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready = poll(&input, 1, now < until_ns ? (int)((until_ns - now) / 1000000) + 1 : 0);
    return ready <= 0 || (input.revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

static int look(struct live *l, struct error *e)
{
    l->o->news(l->o->context, &l->news);
    int r = model_read(&l->model, e);
    if (r < 0)
        return r;
    if (!l->paused)
        r = model_look(&l->model);
    return r < 0 ? error_set(e, -r, "cannot show the recording: %s", strerror(-r)) : 0;
}

static int loop(struct live *l, struct error *e)
{
    uint64_t next = 0;
    bool redraw = true;
    for (;;) {
        if (screen_signal != 0)
            return screen_signal;
        if (screen_stopped)
            screen_suspend();
        if (screen_resized) {
            screen_resize();
            redraw = true;
        }
        uint64_t now = clock_monotonic_ns();
        if (now >= next) {
            int r = look(l, e);
            if (r < 0)
                return r;
            bool reading = model_reading(&l->model) >= 0;
            next = now + (l->slow ? SLOW_FRAME_MS : reading ? FRAME_MS / 4 : FRAME_MS) * UINT64_C(1000000);
            redraw = true;
        }
        if (redraw) {
            int r = draw(l);
            if (r < 0)
                return error_set(e, -r, "cannot draw the screen: %s", strerror(-r));
        }
        redraw = false;
        if (!wait_for_key(next))
            return SIGHUP;
        int r = take_keys(l, &redraw);
        if (r != 0)
            return r < 0 ? error_set(e, -r, "cannot show that: %s", strerror(-r)) : 0;
    }
}

int live_check(struct error *e)
{
    return screen_check(e);
}

int live_run(const struct live_options *options, struct error *e)
{
    struct live *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return error_set(e, ENOMEM, "out of memory");
    l->o = options;
    l->function = PROFILE_NONE;
    map_init(&l->tasks.index);
    for (size_t i = 0; i < ARRAY_SIZE(l->tables); i++)
        l->tables[i].held = PROFILE_NONE;
    int r = model_open(&l->model, options, e);
    if (r == 0)
        r = screen_open(e);
    if (r == 0) {
        r = loop(l, e);
        screen_close();
    }
    filter_set(l, "");
    model_close(&l->model);
    for (size_t i = 0; i < ARRAY_SIZE(l->tables); i++)
        table_release(&l->tables[i]);
    tasks_release(&l->tasks);
    flame_release(&l->flame);
    free(l);
    return r;
}
