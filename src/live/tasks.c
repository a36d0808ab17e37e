/*
 * The view of asyncio tasks. Those that live are listed by whoever can read the program, at most once a second and for
 * at most a twentieth of the time; their times are from samples. What ended tasks took is one row a coroutine.
 */
#include "live/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_MAX = 1 << 18, /* then all begin anew */
    COST_SHARE = 20,    /* listing may take one part in so many of the time */
    NAME_COLUMNS = 22,
    STATE_COLUMNS = 9,
};
#define LIST_EVERY_NS UINT64_C(1000000000)

void tasks_release(struct tasks *t)
{
    free(t->rows);
    map_release(&t->index);
}

static int row_of(struct tasks *t, uint64_t id, struct task_row **ret)
{
    uint64_t at;
    if (!map_get(&t->index, id, &at)) {
        at = t->count;
        int r = array_reserve(&t->rows, &t->capacity, t->count + 1, sizeof(*t->rows));
        if (r == 0)
            r = map_put(&t->index, id, at);
        if (r < 0)
            return r;
        t->rows[t->count++] = (struct task_row){.id = id};
    }
    *ret = &t->rows[at];
    return 0;
}

/* Names from elsewhere are of any length. */
static void keep(char *into, size_t size, const char *text)
{
    snprintf(into, size, "%.*s", (int)size - 1, text);
}

static int list(struct live *l)
{
    struct tasks *t = &l->tasks;
    struct live_tasks found = {.text = "tasks cannot be listed here"};
    uint64_t began = clock_monotonic_ns();
    int64_t pid = l->model.options.pid != 0 ? l->model.options.pid : l->o->pid;
    if (l->o->tasks != NULL && l->news.phase == LIVE_SAMPLING)
        l->o->tasks(l->o->context, pid, &found);
    else
        found.text = "the program is sampled no more";
    if (t->count + found.count > ROWS_MAX) {
        t->count = 0;
        map_clear(&t->index);
        l->tables[VIEW_TASKS].held = PROFILE_NONE;
    }
    t->turn++;
    t->cut = found.cut;
    keep(t->text, sizeof(t->text), found.text);
    for (size_t i = 0; i < found.count; i++) {
        const struct live_task *from = &found.items[i];
        struct task_row *row;
        int r = row_of(t, hash_mix(from->id, hash_bytes(from->name, strlen(from->name))), &row);
        if (r < 0)
            return r;
        row->seen = t->turn;
        row->state = (int)from->state;
        row->line = from->line;
        keep(row->name, sizeof(row->name), from->name);
        keep(row->coroutine, sizeof(row->coroutine), from->function);
        keep(row->where, sizeof(row->where), from->where);
        keep(row->awaits, sizeof(row->awaits), from->awaits);
    }
    uint64_t now = clock_monotonic_ns(), pause = (now - began) * COST_SHARE;
    t->next_ns = now + (pause > LIST_EVERY_NS ? pause : LIST_EVERY_NS);
    return 0;
}

/* ---- their times ---- */

static uint64_t key_of(const char *name, const char *coroutine)
{
    char texts[2][sizeof(((struct task_row *)NULL)->name)];
    memset(texts, 0, sizeof(texts));
    keep(texts[0], sizeof(texts[0]), name);
    keep(texts[1], sizeof(texts[1]), coroutine);
    return hash_bytes(texts, sizeof(texts));
}

/* What was sampled goes to the tasks that live, and the rest to one row a coroutine. */
static int times_give(struct live *l)
{
    const struct profile *p = l->model.view.p;
    struct tasks *t = &l->tasks;
    struct map alive; /* name and coroutine -> row */
    int r = 0;
    map_init(&alive);
    for (size_t i = 0; i < t->count && r == 0; i++) {
        struct task_row *row = &t->rows[i];
        row->hits = 0;
        row->function = row->state == TASK_ENDED ? row->function : PROFILE_NONE;
        if (row->state != TASK_ENDED && row->seen == t->turn)
            r = map_put(&alive, key_of(row->name, row->coroutine), i);
    }
    for (size_t i = 0; i < p->task_count && r == 0; i++) {
        const struct profile_task *task = &p->tasks[i];
        struct task_row *row = NULL;
        uint64_t at;
        if (task->hits == 0)
            continue;
        if (map_get(&alive, key_of(task->name, p->functions[task->function].name), &at)) {
            row = &t->rows[at];
        } else {
            r = row_of(t, hash_mix(UINT64_MAX, task->function), &row);
            if (r < 0)
                break;
            row->state = TASK_ENDED;
            row->seen = t->turn;
            keep(row->name, sizeof(row->name), "");
            keep(row->coroutine, sizeof(row->coroutine), p->functions[task->function].name);
        }
        row->function = task->function;
        row->hits += task->hits;
    }
    map_release(&alive);
    return r;
}

int tasks_look(struct live *l)
{
    struct tasks *t = &l->tasks;
    int r = !l->paused && clock_monotonic_ns() >= t->next_ns ? list(l) : 0;
    if (r == 0)
        r = times_give(l);
    memset(t->states, 0, sizeof(t->states));
    for (size_t i = 0; i < t->count && r == 0; i++)
        t->states[t->rows[i].state] += t->rows[i].seen == t->turn;
    return r;
}

/* ---- the table's questions ---- */

bool tasks_wanted(const struct live *l, uint32_t row)
{
    const struct task_row *t = &l->tasks.rows[row];
    return t->seen == l->tasks.turn && (t->state != TASK_ENDED || t->hits > 0) &&
           (live_matches(l, t->name) || live_matches(l, t->coroutine) || live_matches(l, t->where));
}

double tasks_number(const struct live *l, uint32_t row, int sort)
{
    const struct task_row *t = &l->tasks.rows[row];
    return sort == 0 ? (double)t->hits : sort == 1 ? -(double)t->state : 0;
}

void tasks_head(const struct live *l)
{
    const size_t *n = l->tasks.states;
    char text[160];
    int column = 0;
    live_head(l, &column, 7, 0, "  TIME");
    live_head(l, &column, STATE_COLUMNS, 1, "STATE");
    live_head(l, &column, NAME_COLUMNS, 2, "TASK");
    live_head(l, &column, NAME_COLUMNS, -1, "COROUTINE");
    snprintf(text, sizeof(text), "AWAITS IN   (%zu%s tasks: %zu running, %zu ready, %zu waiting)",
        n[LIVE_TASK_RUNNING] + n[LIVE_TASK_READY] + n[LIVE_TASK_WAITING], l->tasks.cut ? " or more" : "",
        n[LIVE_TASK_RUNNING], n[LIVE_TASK_READY], n[LIVE_TASK_WAITING]);
    live_head(l, &column, l->columns - column, -1, text);
}

void tasks_draw(const struct live *l, int row, uint32_t i, bool selected)
{
    static const char *const states[] = {"running", "ready", "waiting", "ended"};
    static const unsigned styles[] = {STYLE_GOOD, STYLE_WARM, STYLE_FAINT, STYLE_FAINT};
    const struct task_row *t = &l->tasks.rows[i];
    unsigned style = selected ? STYLE_SELECTED : STYLE_PLAIN;
    uint64_t all = l->model.view.p->hits;
    char text[200], share[16];
    int column = 0;
    live_share(share, all == 0 ? 0 : (double)t->hits / (double)all);
    screen_format(row, column, 7, style, "%6s ", share);
    column += 7;
    screen_text(row, column, STATE_COLUMNS, selected ? style : styles[t->state], states[t->state]);
    column += STATE_COLUMNS;
    screen_text(row, column, NAME_COLUMNS - 1, style, t->name);
    screen_text(row, column + NAME_COLUMNS - 1, 1, style, "");
    column += NAME_COLUMNS;
    screen_text(row, column, NAME_COLUMNS - 1, style, t->coroutine);
    screen_text(row, column + NAME_COLUMNS - 1, 1, style, "");
    column += NAME_COLUMNS;
    text[0] = '\0';
    if (t->where[0] != '\0')
        snprintf(text, sizeof(text), "%s:%u%s%s", t->where, t->line, t->awaits[0] != '\0' ? " for " : "", t->awaits);
    screen_text(row, column, l->columns - column, style, text);
}
