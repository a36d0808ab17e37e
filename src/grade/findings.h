/*
 * The findings of the capstone: what a learner says is planted in their variant, and the recordings that show it,
 * against the key. Private to grade. findings.json and the recordings are hostile; key and rules are ours.
 *
 * A finding counts if its recording is of the scenario and of the untouched variant, and shows the function in enough
 * of its samples. What is told says how much was right, never what is planted and was not named.
 */
#ifndef PITVIPER_GRADE_FINDINGS_H
#define PITVIPER_GRADE_FINDINGS_H

#include "grade/trial.h"

#define FINDINGS_BYTES_MAX ((size_t)256 << 10) /* of findings.json */
#define FINDINGS_MAX 64u
#define FINDINGS_NAME_MAX 128u /* bytes of a function's name */
#define FINDINGS_TOLD_MAX 5u   /* lines about those that were refused */

struct findings_text {
    const char *data; /* NULL: there is none */
    size_t size;
};
struct findings_task {
    struct findings_text sheet;      /* findings.json */
    struct findings_text key, names; /* of the variant (variant.h) */
    struct findings_text rules;      /* plants.json */
    struct source variant;           /* its files, "parcelflow/flow.py" */
    const char *folder;              /* where recordings lie that have no absolute path */
};
struct findings {
    struct grade_named repair, remove, leave;
    unsigned found, found_wanted, plants, refused;
    double precision_wanted;
    unsigned scenarios_wanted; /* gates of scenarios, by the same rules */
    bool pass;
    char why[160];      /* the sheet as a whole counts for nothing, and why; "" where it counts */
    struct buffer told; /* lines about findings that were refused; safe to print */
};
/* 0 whatever the learner wrote; -EBADMSG where key or rules are none. ret is initialised here. */
int findings_judge(const struct findings_task *t, struct findings *ret, struct error *e);
void findings_release(struct findings *f);
/* Whether so many of so many named are enough. */
bool findings_precise(const struct grade_named *n, double wanted);

#endif
