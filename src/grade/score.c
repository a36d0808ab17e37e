/* From the gates and the readability: the outcome and the points. */
#include "grade/check.h"

#include <math.h>
#include <string.h>

#define PERFORMANCE 70.0
#define READABILITY 30.0
/* Of the capstone. */
#define FOUND 24.0
#define DECOY 3.0 /* for each of the two kinds */
#define SCENARIOS 50.0
#define DAY 20.0
#define GROWTH_NOTHING 1.7 /* the exponent that earns nothing */

/* 0 to 1: all at the limit, nothing at half of its logarithm short of it: for a ratio, at its root. */
static double gate_share(const struct grade_gate_result *g)
{
    double limit = g->gate->limit, measure = g->measure.estimate, share;
    bool at_least = g->gate->kind == GRADE_SPEED || g->gate->kind == GRADE_PARALLEL;
    if (g->outcome == GRADE_PASSED)
        return 1;
    if (!(measure > 0) || isinf(measure))
        return 0;
    if (g->gate->kind == GRADE_GROWTH)
        share = (GROWTH_NOTHING - measure) / (GROWTH_NOTHING - limit);
    else
        share = 1 - (at_least ? log(limit) - log(measure) : log(measure) - log(limit)) / (0.5 * fabs(log(limit)));
    return share > 1 ? 1 : share > 0 ? share : 0;
}

void check_score(struct check *c)
{
    struct grade_result *r = c->r;
    double sum = 0;
    unsigned counted = 0, slow = 0, fault = 0, unresolved = 0;
    for (unsigned i = 0; i < r->gate_count; i++) {
        const struct grade_gate_result *g = &r->gates[i];
        slow += g->outcome == GRADE_SLOW;
        fault += g->outcome == GRADE_FAULT;
        unresolved += g->outcome == GRADE_UNRESOLVED;
        if (g->outcome != GRADE_FAULT) {
            sum += gate_share(g);
            counted++;
        }
    }
    if (!r->provisional && counted + fault < c->lab->gate_count) /* those that were not come to earn nothing */
        counted = c->lab->gate_count - fault;
    if (slow > 0)
        r->outcome = GRADE_SLOW;
    else if (fault > 0)
        r->outcome = GRADE_FAULT;
    else if (unresolved > 0)
        r->outcome = GRADE_UNRESOLVED;
    else
        r->outcome = r->readability > 0 || !check_judges_readability(c) ? GRADE_PASSED : GRADE_UNREADABLE;
    double points = READABILITY * r->readability + (counted > 0 ? PERFORMANCE * sum / counted : 0);
    r->points = r->outcome == GRADE_FAULT ? 0 : (unsigned)lround(points);
}

/* ---- the capstone ---- */
static void count_gates(struct check *c, double *ret_scenarios, double *ret_day)
{
    struct grade_program *p = &c->r->program;
    double sums[2] = {0, 0};
    for (unsigned i = 0; i < c->lab->gate_count; i++) { /* those that were not come to are open */
        const struct grade_gate_result *g = &c->r->gates[i];
        bool day = strcmp(c->lab->scenarios[i].name, GRADE_DAY) == 0, come_to = i < c->r->gate_count;
        unsigned passed = come_to && g->outcome == GRADE_PASSED, missed = come_to && g->outcome == GRADE_SLOW;
        *(day ? &p->day : &p->scenarios) += 1;
        *(day ? &p->day_passed : &p->scenarios_passed) += passed;
        *(day ? &p->day_missed : &p->scenarios_missed) += missed;
        sums[day] += come_to && g->outcome != GRADE_FAULT ? gate_share(g) : 0;
    }
    *ret_scenarios = p->scenarios > 0 ? sums[0] / p->scenarios : 0;
    *ret_day = p->day > 0 ? sums[1] / p->day : 0;
}

static double findings_share(const struct findings *f)
{
    double precision = f->repair.named > 0 ? (double)f->repair.right / f->repair.named : 0;
    double weight = precision < f->precision_wanted ? precision / f->precision_wanted : 1;
    return f->plants > 0 ? weight * f->found / f->plants : 0;
}

/* Its behaviour is right when this is come to. What is missed is told before what is open: it would be missed again. */
void check_score_program(struct check *c)
{
    struct grade_program *p = &c->r->program;
    const struct findings *f = &c->findings;
    double scenarios, day;
    *p = (struct grade_program){.repair = f->repair,
        .remove = f->remove,
        .leave = f->leave,
        .found = f->found,
        .plants = f->plants,
        .refused = f->refused,
        .findings_pass = f->pass,
        .scenarios_wanted = f->scenarios_wanted};
    count_gates(c, &scenarios, &day);
    if (p->scenarios_wanted > p->scenarios) /* a manifest of few, as tests have */
        p->scenarios_wanted = p->scenarios;
    if (c->r->provisional) { /* a look at each gate, and none at the findings */
        c->r->outcome = p->scenarios_missed + p->day_missed > 0 ? GRADE_SLOW : GRADE_PASSED;
        return;
    }
    if (p->day_missed > 0 || p->scenarios_missed + p->scenarios_wanted > p->scenarios)
        c->r->outcome = GRADE_SLOW;
    else if (!p->findings_pass)
        c->r->outcome = GRADE_WRONG;
    else if (p->scenarios_passed < p->scenarios_wanted || p->day_passed < p->day)
        c->r->outcome = GRADE_UNRESOLVED;
    else
        c->r->outcome = GRADE_PASSED;
    double points = FOUND * findings_share(f) + SCENARIOS * scenarios + DAY * day +
                    DECOY * findings_precise(&f->remove, f->precision_wanted) +
                    DECOY * findings_precise(&f->leave, f->precision_wanted);
    c->r->points = (unsigned)lround(points);
}
