/* `bisect`: git's own bisection, driven by verdicts. Private to src/cmd. */
#ifndef PITVIPER_CMD_BISECT_H
#define PITVIPER_CMD_BISECT_H

#include "prove/prove.h"

/* ---- bisect_git.c: a bisection in a repository of its own, that borrows the user's objects ---- */
struct bisection {
    struct prove_runner *runner;
    char *folder; /* of the repository; temporary */
};
enum bisect_answer { BISECT_GOOD, BISECT_BAD, BISECT_SKIP };
enum bisect_state {
    BISECT_GOES_ON, /* `next` is to be tried */
    BISECT_FOUND,   /* `next` is the first bad commit */
    BISECT_LEFT,    /* only skipped ones are left: the first bad commit is one of `left` */
};
#define BISECT_LEFT_MAX 64
struct bisect_step {
    enum bisect_state state;
    char next[65];
    char left[BISECT_LEFT_MAX][65];
    size_t left_count;
};
int bisection_open(struct prove_runner *r, const char *good, const char *bad, bool first_parent, struct bisection *ret,
    struct bisect_step *ret_step, struct error *e);
int bisection_answer(
    struct bisection *b, const char *revision, enum bisect_answer answer, struct bisect_step *ret, struct error *e);
void bisection_close(struct bisection *b); /* accepts a zeroed one */

/* A commit's full name, of the repository that we stand in. -ENOENT: there is none. */
int bisect_commit(struct prove_runner *r, const char *name, char ret[65], struct error *e);
bool bisect_is_ancestor(struct prove_runner *r, const char *old, const char *new);
/* Its first line, safe to print. */
void bisect_subject(struct prove_runner *r, const char *revision, char *into, size_t size);
/* How many commits are behind one and not the other. */
uint64_t bisect_distance(struct prove_runner *r, const char *good, const char *bad, bool first_parent);

#endif
