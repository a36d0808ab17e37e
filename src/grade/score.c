/* From the gates and the readability: the outcome and the points. */
#include "grade/check.h"

#include <math.h>

#define PERFORMANCE 70.0
#define READABILITY 30.0
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
        r->outcome = r->readability > 0 || r->provisional ? GRADE_PASSED : GRADE_UNREADABLE;
    double points = READABILITY * r->readability + (counted > 0 ? PERFORMANCE * sum / counted : 0);
    r->points = r->outcome == GRADE_FAULT ? 0 : (unsigned)lround(points);
}
