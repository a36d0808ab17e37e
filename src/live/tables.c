/* The views that are lists: functions, threads, processes, lines; and of tasks (tasks.c) the order. */
#include "live/inside.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define MATCHED_BYTES 1024 /* of a name that the filter looks at: a stranger's may be very long */

/* ---- which rows, in which order ---- */

bool live_matches(const struct live *l, const char *text)
{
    char part[MATCHED_BYTES];
    if (l->filter[0] == '\0')
        return true;
    snprintf(part, sizeof(part), "%s", text);
    if (l->pattern != NULL)
        return regexec(l->pattern, part, 0, NULL, 0) == 0;
    return strcasestr(part, l->filter) != NULL;
}

static bool function_matches(const struct live *l, uint32_t i)
{
    const struct profile_function *f = &l->model.view.p->functions[i];
    return live_matches(l, f->name) || live_matches(l, f->file);
}

static bool row_wanted(const struct live *l, uint32_t i)
{
    const struct profile *p = l->model.view.p;
    switch (l->view) {
    case VIEW_FUNCTIONS:
        return p->functions[i].total.y > 0 && function_matches(l, i);
    case VIEW_THREADS: {
        /* One that was not there in this window has ended before it. */
        const struct profile_thread *t = &p->threads[i];
        bool there = t->present > 0 || (l->model.view.now[i].state & (RECORD_PRESENT | RECORD_REJECTED)) != 0;
        return there && (live_matches(l, t->name) ||
                            (t->hits > 0 && l->model.view.now[i].node != 0 &&
                                function_matches(l, p->lines[p->nodes[l->model.view.now[i].node].line].function)));
    }
    case VIEW_PROCESSES:
        return live_matches(l, p->processes[i].command);
    case VIEW_TASKS:
        return tasks_wanted(l, i);
    default:
        return p->lines[i].self.y > 0 && function_matches(l, p->lines[i].function);
    }
}

int tables_sorts(enum view v)
{
    static const int sorts[VIEW_COUNT] = {
        [VIEW_FUNCTIONS] = 3, [VIEW_THREADS] = 4, [VIEW_PROCESSES] = 2, [VIEW_LINES] = 3, [VIEW_TASKS] = 3};
    return sorts[v];
}

/* Larger ones come first. */
static double number_of(const struct live *l, uint32_t i)
{
    const struct profile *p = l->model.view.p;
    int sort = l->tables[l->view].sort;
    switch (l->view) {
    case VIEW_FUNCTIONS:
        return sort == 0 ? (double)p->functions[i].self.y : sort == 1 ? (double)p->functions[i].total.y : 0;
    case VIEW_THREADS:
        return sort == 0   ? (double)p->threads[i].on_cpu
               : sort == 1 ? (double)p->threads[i].has_gil
               : sort == 2 ? 0
                           : -(double)p->threads[i].tid;
    case VIEW_PROCESSES:
        return sort == 0 ? (double)p->processes[i].hits : -(double)p->processes[i].pid;
    case VIEW_TASKS:
        return tasks_number(l, i, sort);
    default:
        return sort == 0 ? (double)p->lines[i].self.y : sort == 1 ? (double)p->lines[i].total.y : 0;
    }
}

static const char *name_of(const struct live *l, uint32_t i)
{
    const struct profile *p = l->model.view.p;
    switch (l->view) {
    case VIEW_FUNCTIONS:
        return p->functions[i].name;
    case VIEW_THREADS:
        return p->threads[i].name;
    case VIEW_PROCESSES:
        return p->processes[i].command;
    case VIEW_TASKS:
        return l->tasks.rows[i].name;
    default:
        return p->functions[p->lines[i].function].file;
    }
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct live *l = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    double x = number_of(l, i), y = number_of(l, j);
    if (x != y)
        return x > y ? -1 : 1;
    int r = l->view == VIEW_TASKS ? strverscmp(name_of(l, i), name_of(l, j)) : strcmp(name_of(l, i), name_of(l, j));
    if (r == 0 && l->view == VIEW_LINES)
        r = l->model.view.p->lines[i].line < l->model.view.p->lines[j].line ? -1 : 1;
    return r != 0 ? r : (i > j) - (i < j);
}

int tables_build(struct live *l)
{
    const struct profile *p = l->model.view.p;
    if (l->view >= VIEW_FLAME)
        return 0;
    const size_t counts[VIEW_FLAME] = {
        p->function_count, p->thread_count, p->process_count, p->line_count, l->tasks.count};
    struct table *t = &l->tables[l->view];
    t->count = 0;
    for (uint32_t i = 0; i < counts[l->view]; i++)
        if (row_wanted(l, i)) {
            int r = table_add(t, i);
            if (r < 0)
                return r;
        }
    if (t->count > 1)
        qsort_r(t->rows, t->count, sizeof(*t->rows), compare_rows, l);
    table_settle(t, l->height - 1);
    return 0;
}

/* ---- cells ---- */

void live_share(char into[16], double share)
{
    snprintf(into, 16, "%.1f%%", share * 100);
}

static unsigned heat(double share)
{
    return share >= 0.2 ? STYLE_HOT : share >= 0.05 ? STYLE_WARM : STYLE_PLAIN;
}

static void draw_share(
    const struct live *l, int row, int *column, const struct profile_sums *sums, bool selected, bool range)
{
    struct profile_share s = profile_share(l->model.view.p, sums);
    char text[16];
    live_share(text, s.share);
    screen_format(row, *column, 7, selected ? STYLE_SELECTED : heat(s.share), "%6s ", text);
    *column += 7;
    if (!range)
        return;
    screen_format(row, *column, 11, selected ? STYLE_SELECTED : STYLE_FAINT, "%4.1f-%.1f", s.low * 100, s.high * 100);
    *column += 11;
}

void live_head(const struct live *l, int *column, int width, int sort, const char *text)
{
    bool sorted = sort >= 0 && l->tables[l->view].sort == sort;
    screen_text(BODY_ROW, *column, width, sorted ? STYLE_CHOSEN : STYLE_HEAD, text);
    *column += width;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool wide(const struct live *l)
{
    return l->columns >= 76;
}

static void head_functions(const struct live *l)
{
    int column = 0;
    live_head(l, &column, wide(l) ? 18 : 7, 0, "  SELF");
    live_head(l, &column, wide(l) ? 18 : 7, 1, " TOTAL");
    live_head(l, &column, 6, -1, "  CPU");
    live_head(l, &column, l->columns - column, 2, "FUNCTION");
}

static void draw_function(const struct live *l, int row, uint32_t i, bool selected)
{
    const struct profile_function *f = &l->model.view.p->functions[i];
    unsigned style = selected ? STYLE_SELECTED : STYLE_PLAIN;
    int column = 0;
    draw_share(l, row, &column, &f->self, selected, wide(l));
    draw_share(l, row, &column, &f->total, selected, wide(l));
    screen_format(row, column, 6, style, "%4d%%", (int)((double)f->total_cpu * 100 / (double)f->total.y + 0.5));
    column += 6;
    int left = l->columns - column, name = left * 3 / 5;
    screen_text(row, column, left < 24 ? left : name, style, f->name);
    if (left >= 24 && f->kind == PROFILE_PYTHON)
        screen_format(
            row, column + name, left - name, selected ? style : STYLE_FAINT, " %.300s:%u", f->file, f->first_line);
    else if (left >= 24)
        screen_text(row, column + name, left - name, style, "");
}

static const char *state_name(uint32_t state, unsigned *style)
{
    bool cpu = (state & RECORD_ON_CPU) != 0, gil = (state & RECORD_HAS_GIL) != 0;
    *style = cpu ? STYLE_GOOD : gil ? STYLE_WARM : STYLE_FAINT;
    if ((state & RECORD_REJECTED) != 0)
        return "unreadable";
    if ((state & RECORD_PRESENT) == 0)
        return "gone";
    if ((state & RECORD_IN_GC) != 0)
        return "collecting";
    if ((state & RECORD_WAITS_FOR_GIL) != 0)
        return "wants GIL";
    return cpu ? gil ? "CPU, GIL" : "on CPU" : gil ? "holds GIL" : "waiting";
}

static void head_threads(const struct live *l)
{
    int column = 0;
    live_head(l, &column, 9, 3, "    TID");
    live_head(l, &column, 16, 2, "THREAD");
    live_head(l, &column, 11, -1, "STATE");
    live_head(l, &column, 7, 0, "   CPU");
    live_head(l, &column, 7, 1, "   GIL");
    if (wide(l))
        live_head(l, &column, SPARK_SECONDS + 1, -1, "ACTIVITY");
    live_head(l, &column, l->columns - column, -1, "NOW IN");
}

static void draw_thread(const struct live *l, int row, uint32_t i, bool selected)
{
    const struct profile *p = l->model.view.p;
    const struct profile_thread *t = &p->threads[i];
    const struct profile_now *now = &l->model.view.now[i];
    unsigned style = selected ? STYLE_SELECTED : STYLE_PLAIN, state_style;
    const char *state = state_name(now->state, &state_style), *where = "";
    char share[16];
    double present = t->present > 0 ? (double)t->present : 1;
    int column = 0;
    if ((now->state & RECORD_PRESENT) != 0 && now->node != 0)
        where = p->functions[p->lines[p->nodes[now->node].line].function].name;
    screen_format(row, column, 9, style, "%7d ", (int)t->tid);
    screen_text(row, column + 8, 17, style, t->name);
    screen_text(row, column + 24, 12, style, "");
    screen_text(row, column + 25, 11, selected ? style : state_style, state);
    column = 36;
    live_share(share, (double)t->on_cpu / present);
    screen_format(row, column, 7, style, "%6s ", share);
    live_share(share, (double)t->has_gil / present);
    screen_format(row, column + 7, 7, style, "%6s ", share);
    column += 14;
    if (wide(l)) {
        screen_spark(row, column, l->model.sparks[i].levels, SPARK_SECONDS);
        screen_text(row, column + SPARK_SECONDS, 1, style, "");
        column += SPARK_SECONDS + 1;
    }
    screen_text(row, column, l->columns - column, style, where);
}

static void head_processes(const struct live *l)
{
    int column = 0;
    live_head(l, &column, 9, 1, "    PID");
    live_head(l, &column, 9, -1, " PARENT");
    live_head(l, &column, 9, -1, "PYTHON");
    live_head(l, &column, 12, -1, "STATE");
    live_head(l, &column, 8, 0, "  TIME");
    live_head(l, &column, l->columns - column, -1, "COMMAND");
}

static void draw_process(const struct live *l, int row, uint32_t i, bool selected)
{
    const struct profile *p = l->model.view.p;
    const struct profile_process *q = &p->processes[i];
    unsigned style = selected ? STYLE_SELECTED : STYLE_PLAIN;
    char share[16], state[32] = "running";
    if (q->ended && q->status >= 0 && WIFSIGNALED(q->status))
        snprintf(state, sizeof(state), "signal %d", WTERMSIG(q->status));
    else if (q->ended && q->status >= 0)
        snprintf(state, sizeof(state), "exit %d", WEXITSTATUS(q->status));
    else if (q->ended)
        snprintf(state, sizeof(state), "ended");
    live_share(share, p->hits == 0 ? 0 : (double)q->hits / (double)p->hits);
    screen_format(row, 0, 9, style, "%7d", (int)q->pid);
    screen_format(row, 9, 9, style, "%7d", q->parent < p->process_count ? (int)p->processes[q->parent].pid : 0);
    screen_text(row, 18, 9, style, q->python[0] == '\0' ? "-" : q->python);
    screen_text(row, 27, 12, style, state);
    screen_format(row, 39, 8, style, "%6s ", share);
    screen_text(row, 47, l->columns - 47, style, q->command);
}

static void head_lines(const struct live *l)
{
    int column = 0;
    live_head(l, &column, wide(l) ? 18 : 7, 0, "  SELF");
    live_head(l, &column, 7, 1, " TOTAL");
    live_head(l, &column, 26, 2, "LINE");
    live_head(l, &column, l->columns - column, -1, "SOURCE");
}

static void draw_line(const struct live *l, int row, uint32_t i, bool selected)
{
    const struct profile *p = l->model.view.p;
    const struct profile_line *line = &p->lines[i];
    const struct profile_function *f = &p->functions[line->function];
    unsigned style = selected ? STYLE_SELECTED : STYLE_PLAIN;
    const char *text;
    size_t size;
    char place[300], source[300] = "";
    int column = 0;
    draw_share(l, row, &column, &line->self, selected, wide(l));
    draw_share(l, row, &column, &line->total, selected, false);
    snprintf(place, sizeof(place), "%.200s:%u", base_name(f->file), line->line);
    screen_text(row, column, 25, style, f->kind == PROFILE_PYTHON ? place : f->name);
    screen_text(row, column + 25, 1, style, "");
    if (profile_source_line(p, f->file, line->line, &text, &size)) {
        for (; size > 0 && (*text == ' ' || *text == '\t'); text++)
            size--;
        snprintf(source, sizeof(source), "%.*s", size < 250 ? (int)size : 250, text);
    } else {
        snprintf(source, sizeof(source), "in %.200s", f->name);
    }
    screen_text(row, column + 26, l->columns - column - 26, style, source);
}

void tables_draw(struct live *l)
{
    static void (*const heads[])(const struct live *l) = {
        head_functions, head_threads, head_processes, head_lines, tasks_head};
    static void (*const draws[])(const struct live *l, int row, uint32_t i, bool selected) = {
        draw_function, draw_thread, draw_process, draw_line, tasks_draw};
    const struct table *t = &l->tables[l->view];
    if (l->height > 0)
        heads[l->view](l);
    for (int i = 0; i < l->height - 1 && t->top + (size_t)i < t->count; i++)
        draws[l->view](l, BODY_ROW + 1 + i, t->rows[t->top + (size_t)i], t->top + (size_t)i == t->at);
    if (t->count == 0 && l->height > 1)
        screen_text(BODY_ROW + 1, 0, l->columns, STYLE_FAINT,
            l->filter[0] != '\0'    ? "nothing matches the filter"
            : l->view == VIEW_TASKS ? l->tasks.text
                                    : "no samples yet");
}
