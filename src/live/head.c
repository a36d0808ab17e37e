/* The lines above and below every view, and the help. */
#include "live/inside.h"

#include <stdio.h>
#include <string.h>

static const char *const view_names[VIEW_COUNT] = {
    "functions", "threads", "processes", "lines", "tasks", "flame", "source", "output"};

static void duration(char into[32], uint64_t ns)
{
    uint64_t s = ns / 1000000000;
    if (s < 60)
        snprintf(into, 32, "%.1fs", (double)ns / 1e9);
    else if (s < 3600)
        snprintf(into, 32, "%dm%02ds", (int)(s / 60), (int)(s % 60));
    else
        snprintf(into, 32, "%lluh%02dm", (unsigned long long)(s / 3600), (int)(s / 60 % 60));
}

static const char *python_of(const struct profile *p)
{
    for (size_t i = 0; i < p->process_count; i++)
        if (p->processes[i].python[0] != '\0')
            return p->processes[i].python;
    return "?";
}

static void draw_program(const struct live *l)
{
    const struct profile *p = l->model.view.p;
    const char *command = profile_meta(p, "command");
    char elapsed[32], left[512];
    const char *state = l->news.phase == LIVE_LOST    ? "SAMPLER DIED"
                        : l->news.phase == LIVE_ENDED ? "ENDED"
                        : l->paused                   ? "PAUSED"
                                                      : "";
    duration(elapsed, p->counters.profiler_wall_ns);
    snprintf(left, sizeof(left), "pitviper %s%s%d  Python %.30s  %s  %.300s", state,
        *state != '\0' ? "  pid " : " pid ", (int)l->o->pid, python_of(p), elapsed, command == NULL ? "" : command);
    screen_text(0, 0, l->columns, STYLE_BAR, left);
}

static void draw_facts(const struct live *l)
{
    const struct profile *p = l->model.view.p;
    const struct record_counters *c = &p->counters;
    char text[512];
    double wall = c->profiler_wall_ns > 0 ? (double)c->profiler_wall_ns : 1;
    snprintf(text, sizeof(text),
        "%.0f samples/s  on CPU %.1f%%  GIL %.1f%%  missed %llu  late %llu  repaired %llu  profiler %.1f%%",
        l->model.samples_per_second, p->on_cpu.share * 100, p->has_gil.share * 100, (unsigned long long)c->ticks_missed,
        (unsigned long long)c->ticks_late, (unsigned long long)c->repaired, (double)c->profiler_cpu_ns * 100 / wall);
    screen_text(1, 0, l->columns, STYLE_PLAIN, text);
}

/* The views; then what narrows them. */
static void draw_tabs(const struct live *l)
{
    static const char *const modes[] = {"wall", "cpu", "gil"}, keys_of_views[] = "1234t56";
    bool has_tasks = l->view == VIEW_TASKS || l->model.view.p->task_count > 0;
    char text[320];
    int column = 0;
    size_t used = 0;
    for (int i = 0; i < VIEW_OUTPUT; i++) {
        int width = (int)strlen(view_names[i]) + 3;
        if (i == VIEW_TASKS && !has_tasks)
            continue;
        if (l->columns < 64 + 8 * has_tasks) /* the one that is shown, and the others' numbers */
            width = i == (int)l->view ? width : 2;
        screen_format(2, column, width, i == (int)l->view ? STYLE_CHOSEN : STYLE_FAINT, "%c %s", keys_of_views[i],
            width > 2 ? view_names[i] : "");
        column += width;
    }
    text[0] = '\0';
    bool since_start = l->model.window_ns == PROFILE_SINCE_START;
    used += (size_t)snprintf(text, sizeof(text), " %s", modes[l->model.options.mode]);
    if (!since_start || l->columns - column > 17) /* what is the rule need not be said where there is no room */
        used += (size_t)snprintf(text + used, sizeof(text) - used, since_start ? ", since start" : ", last 10 s");
    if (l->model.options.pid != 0)
        used += (size_t)snprintf(text + used, sizeof(text) - used, ", pid %d", (int)l->model.options.pid);
    if (l->model.options.thread != NULL)
        used += (size_t)snprintf(text + used, sizeof(text) - used, ", thread %s", l->model.options.thread);
    if (l->filter[0] != '\0')
        snprintf(text + used, sizeof(text) - used, ", /%s/", l->filter);
    screen_text(2, column, l->columns - column, STYLE_HEAD, text);
}

void head_draw(struct live *l)
{
    draw_program(l);
    if (l->rows > 1)
        draw_facts(l);
    if (l->rows > 2)
        draw_tabs(l);
}

void foot_draw(struct live *l)
{
    int row = l->rows - 1;
    if (row < 1)
        return;
    if (l->prompting != PROMPT_NONE)
        screen_format(row, 0, l->columns, STYLE_SELECTED, "%s%.200s_", l->prompting == PROMPT_SAVE ? "save as: " : "/",
            l->prompt);
    else if (l->asks_quit)
        screen_text(row, 0, l->columns, STYLE_ALERT,
            "the program still runs: q again ends it and quits, any other key goes on");
    else if (model_reading(&l->model) >= 0)
        screen_format(row, 0, l->columns, STYLE_WARM, "reading the recording again: %d%%", model_reading(&l->model));
    else if (l->message[0] != '\0')
        screen_text(row, 0, l->columns, STYLE_WARM, l->message);
    else if (l->news.text[0] != '\0')
        screen_text(row, 0, l->columns, STYLE_ALERT, l->news.text);
    else
        screen_text(row, 0, l->columns, STYLE_FAINT,
            "? help  1-6 t views  Enter open  / filter  < > sort  m mode  w window  Space pause  s save  o output  q "
            "quit");
}

void help_draw(struct live *l)
{
    int most = (int)key_count - (l->rows - 2);
    l->help_top = l->help_top > most ? most : l->help_top;
    l->help_top = l->help_top < 0 ? 0 : l->help_top;
    screen_text(0, 0, l->columns, STYLE_BAR, "keys (any other key goes back)");
    for (int i = 0; i + l->help_top < (int)key_count && i < l->rows - 1; i++) {
        const struct key *k = &keys[i + l->help_top];
        screen_text(1 + i, 1, 14, STYLE_HEAD, k->label);
        screen_text(1 + i, 16, l->columns - 16, STYLE_PLAIN, k->help);
    }
}
