/* What follows from the log. The same events give the same state, in whatever order they stood in the files. */
#include "learn/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void learn_state_release(struct learn_state *s)
{
    free(s->labs);
    s->labs = NULL;
    s->count = 0;
}

struct learn_lab_state *learn_state_find(const struct learn_state *s, const char *lab_id)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->labs[i].lab->id, lab_id) == 0)
            return &s->labs[i];
    return NULL;
}

/* ---- attempts ---- */

/* How far it came, for attempts that did not pass and have the same points. */
static int rank(const struct learn_event *x)
{
    switch (x->outcome) {
    case GRADE_PASSED:
        return 4;
    case GRADE_UNREADABLE:
        return 3;
    case GRADE_SLOW:
        return 2;
    case GRADE_WRONG:
        return 1;
    case GRADE_BROKEN:
    case GRADE_UNRESOLVED:
    case GRADE_FAULT:
        break;
    }
    return 0;
}

/* The earlier of two alike stands. */
bool attempt_is_better(const struct learn_event *x, const struct learn_event *than)
{
    if (than == NULL || (x->outcome == GRADE_PASSED) != (than->outcome == GRADE_PASSED))
        return than == NULL || x->outcome == GRADE_PASSED;
    return x->points != than->points ? x->points > than->points : rank(x) > rank(than);
}

static void take_check(struct learn_lab_state *lab, const struct learn_event *x)
{
    if (x->quick)
        return;
    lab->unsettled_last = x->outcome == GRADE_UNRESOLVED || x->outcome == GRADE_FAULT;
    if (lab->unsettled_last) {
        lab->unresolved++;
        return;
    }
    lab->attempts++;
    lab->passed = lab->passed || x->outcome == GRADE_PASSED;
    lab->last = x;
    if (attempt_is_better(x, lab->best))
        lab->best = x;
}

static void take_lab_event(struct learn_lab_state *lab, const struct learn_event *x, const char *machine)
{
    lab->touched_ns = x->time_ns;
    switch (x->kind) {
    case LEARN_CHECK:
        take_check(lab, x);
        break;
    case LEARN_RUN:
        lab->runs++;
        break;
    case LEARN_HINT:
        lab->hints = x->step > lab->hints ? x->step : lab->hints;
        break;
    case LEARN_SOLUTION:
        lab->solution = true;
        break;
    case LEARN_OTHER:
    case LEARN_START:
    case LEARN_SELF_CHECK:
    case LEARN_BEGIN:
    case LEARN_WATCH:
    case LEARN_REFLECT:
    case LEARN_PROJECT:
    case LEARN_REVIEW:
    case LEARN_KINDS:
        break;
    }
    lab->begun = true; /* a check of a lab that was merged without its beginning is one too */
    /* The questions in a folder are those of the machine that laid them down; of a folder that was copied, the last. */
    if (x->kind == LEARN_BEGIN && x->seed != 0 && (lab->seed == 0 || strcmp(x->machine, machine) == 0))
        lab->seed = x->seed;
}

/* ---- time ---- */

static int compare_by_machine(const void *left, const void *right)
{
    const struct learn_event *a = *(const struct learn_event *const *)left,
                             *b = *(const struct learn_event *const *)right;
    int by_machine = strcmp(a->machine, b->machine);
    if (by_machine != 0)
        return by_machine;
    return a->time_ns != b->time_ns ? (a->time_ns < b->time_ns ? -1 : 1) : strcmp(a->id, b->id);
}

/* The time before an event goes to what it is about: what led to a check was work on the lab, what led to the beginning
 * of a lab was reading. */
static void take_time(struct learn_state *s, const struct learn_event *x, uint64_t ns)
{
    struct learn_lab_state *lab = x->lab[0] != '\0' ? learn_state_find(s, x->lab) : NULL;
    s->spent_ns += ns;
    if (lab != NULL && x->kind != LEARN_BEGIN)
        lab->spent_ns += ns;
    else if (lab != NULL && lab->lab->module <= GRADE_MODULES)
        s->modules[lab->lab->module].spent_ns += ns;
    else if (x->kind == LEARN_REFLECT)
        s->modules[x->module].spent_ns += ns;
}

static int take_times(struct learn_state *s, const struct learn_log *log)
{
    const struct learn_event **order = calloc(log->count + 1, sizeof(struct learn_event *));
    if (order == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < log->count; i++)
        order[i] = &log->events[i];
    qsort(order, log->count, sizeof(struct learn_event *), compare_by_machine);
    for (size_t i = 1; i < log->count; i++) {
        uint64_t gap = order[i]->time_ns - order[i - 1]->time_ns;
        if (strcmp(order[i]->machine, order[i - 1]->machine) == 0 && gap <= LEARN_BREAK_NS)
            take_time(s, order[i], gap);
    }
    free(order);
    return 0;
}

/* ---- what comes next ---- */

static bool module_is_reflected(const struct learn_state *s, unsigned module)
{
    const struct learn_module_state *m = &s->modules[module];
    return m->core == 0 || m->core_passed < m->core || m->reflection != NULL;
}

static void set_step(struct learn_state *s, enum learn_step step, const struct learn_lab_state *lab, unsigned module)
{
    s->step = step;
    s->lab = lab;
    s->module = module;
}

/* A lab that was begun, the one that was touched last; then a reflection that is owed; then the next core lab. */
static void find_step(struct learn_state *s)
{
    const struct learn_lab_state *open = NULL, *next = NULL;
    unsigned owed = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct learn_lab_state *lab = &s->labs[i];
        if (lab->begun && !lab->passed && (open == NULL || lab->touched_ns > open->touched_ns))
            open = lab;
        if (lab->lab->core && !lab->passed && next == NULL)
            next = lab;
    }
    for (unsigned module = GRADE_MODULES; module >= 1; module--)
        if (!module_is_reflected(s, module))
            owed = module;
    if (open != NULL)
        set_step(
            s, open->runs == 0 && open->attempts == 0 ? LEARN_STEP_RUN : LEARN_STEP_CHECK, open, open->lab->module);
    else if (owed != 0)
        set_step(s, LEARN_STEP_REFLECT, NULL, owed);
    else if (next != NULL)
        set_step(s, LEARN_STEP_NEXT, next, next->lab->module);
    else
        set_step(s, work_step(s), NULL, GRADE_MODULES);
}

static void take_event(struct learn_state *s, const struct learn_event *x, const char *machine)
{
    struct learn_lab_state *lab = x->lab[0] != '\0' ? learn_state_find(s, x->lab) : NULL;
    if (lab != NULL && x->kind != LEARN_OTHER)
        take_lab_event(lab, x, machine);
    else if (x->kind == LEARN_REFLECT && x->module >= 1)
        s->modules[x->module].reflection = x;
    else if (x->kind == LEARN_SELF_CHECK)
        s->self_check = x;
    else if (lab == NULL && x->work != NULL && x->work[0] != '\0')
        work_take(&s->work, x);
    else if (x->kind == LEARN_START &&
             (s->start == NULL || strcmp(x->machine, machine) == 0 || strcmp(s->start->machine, machine) != 0))
        s->start = x;
}

int learn_state_compute(const struct learn_log *log, const struct grade_lab *labs, size_t count, const char *machine,
    struct learn_state *ret, struct error *e)
{
    struct learn_state s = {.labs = calloc(count + 1, sizeof(*s.labs)), .count = count};
    if (s.labs == NULL)
        return error_set(e, ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++)
        s.labs[i].lab = &labs[i];
    for (size_t i = 0; i < log->count; i++)
        take_event(&s, &log->events[i], machine);
    for (size_t i = 0; i < count; i++)
        if (labs[i].core && labs[i].module >= 1 && labs[i].module <= GRADE_MODULES) {
            s.modules[labs[i].module].core++;
            s.modules[labs[i].module].core_passed += s.labs[i].passed;
        }
    if (take_times(&s, log) < 0) {
        learn_state_release(&s);
        return error_set(e, ENOMEM, "out of memory");
    }
    find_step(&s);
    *ret = s;
    return 0;
}
