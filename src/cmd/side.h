/*
 * A revision made ready to be measured: its checkout, its set-up, and a subject in it. Private to src/cmd.
 */
#ifndef PITVIPER_CMD_SIDE_H
#define PITVIPER_CMD_SIDE_H

#include "prove/prove.h"

struct side {
    struct prove_checkout *checkout; /* NULL: the tree that we stand in, as it is */
};
/* revision: NULL, the tree as it is; setup: a command to be run once in the checkout, or NULL. */
int side_open(struct prove_runner *r, const char *revision, const char *setup, struct side *ret, struct error *e);
void side_close(struct side *s);               /* accepts a zeroed one */
const char *side_folder(const struct side *s); /* NULL: ours */

/* What is to be run, as the user gave it: one text, or the words of a command. */
struct side_task {
    const char *text;
    char *const *argv;                 /* NULL: text */
    const char *python, *setup, *args; /* of functions */
};
/* The task in this side's folder and environment. -EXDEV: it imports from elsewhere what the checkout has too. */
int side_subject(struct prove_runner *r, const struct side *s, const struct side_task *task, uint64_t timeout_ns,
    struct prove_subject **ret, struct error *e);

#endif
