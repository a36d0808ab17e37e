/* One attempt on its way: what its parts hand to each other. Private to grade. */
#ifndef PITVIPER_GRADE_CHECK_H
#define PITVIPER_GRADE_CHECK_H

#include "grade/findings.h"
#include "grade/gate.h"
#include "grade/program.h"
#include "grade/trial.h"
#include "grade/values.h"

#define CHECK_COLUMNS 100 /* of a shown value */

struct check_sample { /* what a gate asked for, and was fed */
    struct gate_want want;
    struct gate_sample got;
};
struct check_samples {
    struct check_sample *items;
    size_t count, capacity;
    bool paced; /* taken beside a pacemaker */
};
struct check {
    const struct grade_lab *lab;
    const struct grade_options *o;
    struct grade_result *r;
    struct error *e;
    struct runner runner;
    struct source learner, starter, reference, null;
    struct buffer learner_text, null_text;
    struct source_file single[4]; /* code: what these are made of, one file each */
    struct parts *parts;          /* program: what they are made of; NULL else */
    struct findings findings;     /* program */
    uint64_t began_ns, deadline_ns;
    /* What is told of a failure. All of it is the learner's or made of what is: not safe to print, but for values,
     * which are. */
    struct {
        char input[4 * CHECK_COLUMNS], answer[4 * CHECK_COLUMNS], right[4 * CHECK_COLUMNS];
        char why[TRIAL_WHY_MAX];
        char path[96];
        unsigned size; /* of an input too large to show; 0 else */
        bool killed;   /* program: it is about what a kill leaves */
        bool late;
    } told;
    const char *causes[GRADE_GATES_MAX]; /* why a gate is not settled, or refused; "" where it is */
    struct check_samples samples[GRADE_GATES_MAX];
    char fault[640]; /* what the grader or the machine could not do */
    char unreadable[200];
    char where[400]; /* the time is now; safe to print */
};

/* The outcome is the check's own from here on: 0, also for a fault, which is noted; -EINTR. */
int check_fault(struct check *c, int r);
uint64_t check_left_ns(const struct check *c);
static inline bool check_judges_readability(const struct check *c) /* which `watch` has no time for */
{
    return !c->r->provisional || c->o->untimed;
}
uint64_t check_seed(const struct check *c, const char *what, uint64_t a, uint64_t b); /* drawn from the attempt's */
void check_progress(struct check *c, const char *stage, unsigned done, unsigned of);
/* Whether the learner's answer is right, by the lab's oracle; a wrong one is told. Runs the oracle. Negative: a fault.
 */
int check_answer(struct check *c, const struct input *input, uint32_t hash_seed, const struct trial *learner,
    const struct source *oracle, bool *ret_right);
/* The same against an answer that is there already. */
bool check_same(struct check *c, const struct input *input, const struct buffer *answer, const struct buffer *right);
void check_tell_failure(struct check *c, const struct input *input, const struct trial *learner);

int check_cases(struct check *c); /* correct.c: sets the outcome where one fails */
int check_gates(struct check *c); /* measure.c */
/* where.c: fills the result's recording, and `where`. Of no consequence if it cannot. */
void check_where(struct check *c, const struct input *input);
/* program.c: takes the sources, and lets them go; the steps that a check of code has not */
int check_program_sources(struct check *c);
void check_program_release(struct check *c);
int check_program_findings(struct check *c);
int check_program_kills(struct check *c);
int check_answers(struct check *c); /* questions.c: the whole of an answers lab, but for its receipt */
/* score.c */
void check_score(struct check *c);
void check_score_program(struct check *c);
/* feedback.c, receipt.c */
void check_feedback(struct check *c);
void check_receipt(struct check *c);
void check_gate_text(const struct grade_gate_result *g, struct buffer *into);

#endif
