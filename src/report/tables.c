/* Functions, lines with their source, threads, asyncio tasks, and the heaviest path. */
#include "report/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHARE_COLUMNS = 7,
    INTERVAL_COLUMNS = 10,
    TIME_COLUMNS = 8,
    CPU_COLUMNS = 6,
    TASKS_COLUMNS = 5,
    UNSOURCED_SHOWN = 4,
    PATH_SHOWN = 28,
};

static void put_share(struct page *g, const struct profile_share *s)
{
    char text[NUMBER_TEXT];
    enum style heat = s->share >= 0.2 ? STYLE_HOT : s->share >= 0.05 ? STYLE_WARM : STYLE_PLAIN;
    page_text(g, "  ");
    page_style(g, heat);
    page_column(g, share_text(text, s->share), SHARE_COLUMNS, true);
    page_style(g, STYLE_PLAIN);
    page_text(g, " ");
    page_style(g, STYLE_DIM);
    bool known = g->p->origin == PROFILE_RECORDING || g->p->origin == PROFILE_SAMPLES;
    page_column(g, known ? interval_text(text, s) : "", INTERVAL_COLUMNS, true);
    page_style(g, STYLE_PLAIN);
}

/* The name and, right of it in the last columns, the place. */
static void put_function(struct page *g, const struct profile_function *f, uint32_t line)
{
    size_t left = g->width > g->column + 2 ? g->width - g->column - 2 : 0;
    size_t place = f->file[0] == '\0' ? 0 : left * 9 / 20;
    page_text(g, "  ");
    page_column(g, f->name, left - place, false);
    if (place > 2) {
        page_text(g, "  ");
        page_place(g, f->file, line, place - 2);
    }
}

static void put_more(struct page *g, size_t more, const char *what)
{
    char n[NUMBER_TEXT];
    if (more == 0)
        return;
    page_style(g, STYLE_DIM);
    page_printf(g, "  and %s more %s", number_text(n, more), what);
    page_style(g, STYLE_PLAIN);
    page_end(g);
}

struct profile_share report_function_share(const struct profile *p, uint32_t function, bool total)
{
    const struct profile_run_hits *hits = NULL;
    const struct profile_function *f = &p->functions[function];
    if (p->run_count < 2)
        return profile_share(p, total ? &f->total : &f->self);
    size_t count = profile_function_runs(p, function, &hits);
    return profile_runs_share(p, hits, count, total);
}

struct profile_share report_line_share(const struct profile *p, uint32_t line, bool total)
{
    const struct profile_run_hits *hits = NULL;
    if (p->run_count < 2)
        return profile_share(p, total ? &p->lines[line].total : &p->lines[line].self);
    size_t count = profile_line_runs(p, line, &hits);
    return profile_runs_share(p, hits, count, total);
}

int report_functions(struct page *g, bool by_total)
{
    const struct profile *p = g->p;
    uint32_t *order = NULL;
    size_t count, shown = 0, with = 0;
    bool shows_cpu = p->options.mode != PROFILE_CPU && p->origin == PROFILE_RECORDING; /* there, all of it is */
    int r = by_total ? profile_functions_by_total(p, &order, &count) : profile_functions_by_self(p, &order, &count);
    if (r < 0)
        return r;
    page_title(g, by_total ? "functions, by the time in them and in what they call (total)"
                           : "functions, by the time in themselves (self)");
    page_style(g, STYLE_DIM);
    page_text(g, "  ");
    page_column(g, by_total ? "total" : "self", SHARE_COLUMNS - 2, true);
    page_text(g, "   ");
    page_column(g, "range", INTERVAL_COLUMNS, true);
    page_column(g, "time", TIME_COLUMNS + 1, true);
    if (shows_cpu)
        page_column(g, "on cpu", CPU_COLUMNS + 2, true);
    page_text(g, "  function");
    page_style(g, STYLE_PLAIN);
    page_end(g);
    for (size_t i = 0; i < count; i++) {
        const struct profile_function *f = &p->functions[order[i]];
        const struct profile_sums *s = by_total ? &f->total : &f->self;
        uint64_t on_cpu = by_total ? f->total_cpu : f->self_cpu;
        char text[NUMBER_TEXT];
        if (s->y == 0)
            break;
        with++;
        if (shown == g->rows)
            continue;
        shown++;
        struct profile_share share = report_function_share(p, order[i], by_total);
        put_share(g, &share);
        page_column(g, p->wall_ns > 0 ? time_text(text, profile_time_ns(p, s->y)) : "-", TIME_COLUMNS + 1, true);
        snprintf(text, sizeof(text), "%.0f %%", 100 * (double)on_cpu / (double)s->y);
        if (shows_cpu)
            page_column(g, text, CPU_COLUMNS + 2, true);
        put_function(g, f, f->first_line);
        page_end(g);
    }
    put_more(g, with - shown, with - shown == 1 ? "function" : "functions");
    free(order);
    return 0;
}

/* ---- lines ---- */

static void put_source(struct page *g, const char *path, uint32_t line)
{
    const char *text;
    size_t size;
    if (profile_source_line(g->p, path, line, &text, &size))
        page_source(g, text, size);
}

struct unsourced {
    const char *paths[UNSOURCED_SHOWN];
    size_t count;
};

static void note_unsourced(const struct page *g, struct unsourced *u, const char *path)
{
    const char *text;
    size_t size;
    if (path[0] == '\0' || path[0] == '<' || profile_source_line(g->p, path, 1, &text, &size))
        return;
    for (size_t i = 0; i < u->count && i < UNSOURCED_SHOWN; i++)
        if (strcmp(u->paths[i], path) == 0)
            return;
    if (u->count < UNSOURCED_SHOWN)
        u->paths[u->count] = path;
    u->count++;
}

static void put_unsourced(struct page *g, const struct unsourced *u)
{
    for (size_t i = 0; i < u->count && i < UNSOURCED_SHOWN; i++) {
        const struct profile_source *s = profile_source(g->p, u->paths[i]);
        static const char *const why[] = {"source not recorded", "only the source's hash was recorded"};
        page_style(g, STYLE_DIM);
        page_printf(g, "  %s: ", why[s != NULL]);
        page_text(g, u->paths[i]);
        page_style(g, STYLE_PLAIN);
        page_end(g);
    }
    if (u->count > UNSOURCED_SHOWN)
        put_more(g, u->count - UNSOURCED_SHOWN, "without source");
}

int report_lines(struct page *g)
{
    const struct profile *p = g->p;
    struct unsourced unsourced = {.count = 0};
    uint32_t *order = NULL;
    size_t count, shown = 0;
    int r = profile_lines_by_self(p, &order, &count);
    if (r < 0)
        return r;
    page_title(g, "hottest lines");
    for (size_t i = 0; i < count && shown < g->rows; i++) {
        const struct profile_line *line = &p->lines[order[i]];
        const struct profile_function *f = &p->functions[line->function];
        if (f->kind != PROFILE_PYTHON)
            continue;
        shown++;
        struct profile_share share = report_line_share(p, order[i], false);
        put_share(g, &share);
        page_text(g, "  ");
        size_t left = g->width > g->column ? g->width - g->column : 0, place = left * 2 / 5, start = g->column;
        page_place(g, f->file, line->line, place);
        page_column(g, "", g->column - start < place ? place - (g->column - start) : 0, false);
        page_text(g, "  ");
        put_source(g, f->file, line->line);
        page_end(g);
        note_unsourced(g, &unsourced, f->file);
    }
    if (shown == 0) {
        page_text(g, "  no sample was in a Python line");
        page_end(g);
    }
    put_unsourced(g, &unsourced);
    free(order);
    return 0;
}

/* ---- threads ---- */

/* One thread has one sample a tick: its own shares are plain binomial ones. */
static struct profile_share of_thread(uint64_t part, uint64_t whole)
{
    double y = (double)part, n = (double)whole;
    return profile_interval(y, y, y, n, n, n);
}

static int by_cpu(const void *a, const void *b, void *context)
{
    const struct profile *p = context;
    const struct profile_thread *t = &p->threads[*(const uint32_t *)a], *u = &p->threads[*(const uint32_t *)b];
    if (t->on_cpu != u->on_cpu)
        return t->on_cpu < u->on_cpu ? 1 : -1;
    if (t->present != u->present)
        return t->present < u->present ? 1 : -1;
    return t < u ? -1 : t > u;
}

static void put_thread(struct page *g, const struct profile_thread *t)
{
    char text[NUMBER_TEXT];
    struct profile_share cpu = of_thread(t->on_cpu, t->present), gil = of_thread(t->has_gil, t->present);
    put_share(g, &cpu);
    put_share(g, &gil);
    page_column(g, time_text(text, profile_time_ns(g->p, t->present)), TIME_COLUMNS + 1, true);
    page_text(g, "  ");
    if (g->p->process_count > 1)
        page_printf(g, "%d ", g->p->processes[t->process].pid);
    if (t->name[0] != '\0')
        page_text(g, t->name);
    else
        page_printf(g, "thread %d", t->tid);
    page_end(g);
}

int report_threads(struct page *g)
{
    const struct profile *p = g->p;
    size_t count = 0;
    uint32_t *order = malloc((p->thread_count + 1) * sizeof(*order));
    if (order == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < p->thread_count; i++)
        if (p->threads[i].present > 0)
            order[count++] = (uint32_t)i;
    if (count > 1) {
        qsort_r(order, count, sizeof(*order), by_cpu, (void *)p);
        page_title(g, "threads, by their time on a CPU");
        page_style(g, STYLE_DIM);
        page_text(g, "   on cpu      range  has gil      range     seen  ");
        page_text(g, p->process_count > 1 ? "process and name" : "name");
        page_style(g, STYLE_PLAIN);
        page_end(g);
        for (size_t i = 0; i < count && i < g->rows; i++)
            put_thread(g, &p->threads[order[i]]);
        put_more(g, count > g->rows ? count - g->rows : 0, "threads");
    }
    free(order);
    return 0;
}

/* ---- tasks ---- */

static void put_task(struct page *g, const struct profile_task_group *t)
{
    const struct profile_function *f = &g->p->functions[t->function];
    char text[NUMBER_TEXT];
    struct profile_share share = profile_task_share(g->p, t);
    put_share(g, &share);
    page_column(g, g->p->wall_ns > 0 ? time_text(text, profile_time_ns(g->p, t->hits)) : "-", TIME_COLUMNS + 1, true);
    page_column(g, number_text(text, t->tasks), TASKS_COLUMNS + 2, true);
    page_text(g, "  ");
    size_t left = g->width > g->column ? g->width - g->column : 0, start = g->column;
    size_t name = t->name == NULL ? 0 : left * 2 / 5;
    page_fitted(g, t->name == NULL ? "" : t->name, name > 2 ? name - 2 : 0);
    page_column(g, "", g->column - start < name ? name - (g->column - start) : 0, false);
    page_fitted(g, f->name, left - name);
    page_end(g);
}

int report_tasks(struct page *g)
{
    struct profile_task_group *groups = NULL;
    size_t count;
    int r = profile_task_groups(g->p, &groups, &count);
    if (r == 0 && count > 0) {
        page_title(g, "asyncio tasks, by the time in which they ran");
        page_style(g, STYLE_DIM);
        page_text(g, "    share      range     time  tasks  name and coroutine");
        page_style(g, STYLE_PLAIN);
        page_end(g);
        for (size_t i = 0; i < count && i < g->rows; i++)
            put_task(g, &groups[i]);
        put_more(g, count > g->rows ? count - g->rows : 0, "tasks");
    }
    free(groups);
    return r;
}

/* ---- the heaviest path ---- */

/* Nodes of one function that follow each other are one entry: a recursion. */
struct step {
    uint32_t node; /* the first */
    size_t times;
};

static void put_step(struct page *g, const struct step *s, size_t depth)
{
    const struct profile *p = g->p;
    const struct profile_line *line = &p->lines[p->nodes[s->node].line];
    const struct profile_function *f = &p->functions[line->function];
    struct profile_share share = profile_node_share(p, s->node);
    char name[1024], times[NUMBER_TEXT], n[NUMBER_TEXT];
    size_t indent = depth < 12 ? depth : 12;
    put_share(g, &share);
    page_column(g, "", indent, false);
    size_t left = g->width > g->column + 2 ? g->width - g->column - 2 : 0;
    times[0] = '\0';
    if (s->times > 1)
        snprintf(times, sizeof(times), " (x%s)", number_text(n, s->times));
    size_t place = f->file[0] == '\0' ? 0 : (left + indent) * 9 / 20 > left ? left : (left + indent) * 9 / 20;
    size_t room = left - place, tail = strlen(times) < room ? strlen(times) : room, start = g->column + 2;
    snprintf(name, sizeof(name), "%s", f->name);
    page_text(g, "  ");
    page_fitted(g, name, room - tail);
    page_fitted(g, times, tail);
    page_column(g, "", g->column - start < room ? room - (g->column - start) : 0, false);
    if (place > 2) {
        page_text(g, "  ");
        page_place(g, f->file, line->line, place - 2);
    }
    page_end(g);
}

int report_path(struct page *g)
{
    const struct profile *p = g->p;
    uint32_t *path = NULL;
    size_t count, steps_count = 0, depth = 0;
    int r = profile_heaviest_path(p, &path, &count);
    if (r < 0)
        return r;
    struct step *steps = calloc(count + 1, sizeof(*steps));
    if (steps == NULL) {
        free(path);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t function = p->lines[p->nodes[path[i]].line].function;
        if (steps_count > 0 && p->lines[p->nodes[steps[steps_count - 1].node].line].function == function)
            steps[steps_count - 1].times++;
        else
            steps[steps_count++] = (struct step){.node = path[i], .times = 1};
    }
    page_title(g, "the heaviest path, outermost first");
    size_t head = steps_count > PATH_SHOWN ? PATH_SHOWN / 3 : steps_count;
    size_t tail = steps_count > PATH_SHOWN ? PATH_SHOWN - head - 1 : 0;
    for (size_t i = 0; i < steps_count; i++) {
        if (i == head && tail > 0) {
            put_more(g, steps_count - head - tail, "callers");
            i = steps_count - tail;
        }
        put_step(g, &steps[i], depth++);
    }
    free(steps);
    free(path);
    return 0;
}
