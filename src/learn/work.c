/* What is done besides the labs: the final project and the reviews, as the log has them. */
#include "learn/inside.h"

#include <string.h>

#define CAPSTONE "capstone" /* id of the lab that is between the core and the project, where the course has it */

const char *const learn_work_names[LEARN_WORKS] = {"first", "second", "third"};
const char *const learn_projects[] = {"weblog", "finder", "clinic", NULL};
const char *const learn_criteria[LEARN_CRITERIA] = {
    "Baseline and question",
    "Profiling evidence",
    "Correctness evidence",
    "Measured improvement",
    "Quality of validation",
    "Readability and trade-offs",
    "Report and pitfalls",
    "Reviews that you gave",
};
const unsigned learn_criterion_weights[LEARN_CRITERIA] = {10, 15, 15, 20, 10, 10, 10, 10};

bool learn_project_supplied(const char *name)
{
    for (size_t i = 0; learn_projects[i] != NULL; i++)
        if (strcmp(name, learn_projects[i]) == 0)
            return true;
    return false;
}

static void take_project(struct learn_work_state *w, const struct learn_event *x)
{
    if (x->quick) {
        w->redacted = x;
        return;
    }
    if (x->outcome == GRADE_UNRESOLVED || x->outcome == GRADE_FAULT)
        return;
    w->checks++;
    w->last = x;
    if (attempt_is_better(x, w->best))
        w->best = x;
}

static void take_review(struct learn_work_state *w, const struct learn_event *x)
{
    for (size_t i = 0; i < LEARN_WORKS; i++)
        if (strcmp(x->work, learn_work_names[i]) == 0 && w->reviews[i] == NULL) {
            w->reviews[i] = x;
            w->reviewed++;
            w->anchored += x->right;
        }
}

void work_take(struct learn_work_state *w, const struct learn_event *x)
{
    if (x->kind == LEARN_BEGIN)
        w->begun = x;
    else if (x->kind == LEARN_PROJECT)
        take_project(w, x);
    else if (x->kind == LEARN_REVIEW)
        take_review(w, x);
}

enum learn_step work_step(const struct learn_state *s)
{
    const struct learn_lab_state *capstone = learn_state_find(s, CAPSTONE);
    if (capstone != NULL && !capstone->passed)
        return LEARN_STEP_CAPSTONE;
    if (s->work.redacted == NULL && (s->work.best == NULL || s->work.best->outcome != GRADE_PASSED))
        return LEARN_STEP_PROJECT;
    return s->work.reviewed < LEARN_WORKS ? LEARN_STEP_REVIEW : LEARN_STEP_REPORT;
}
