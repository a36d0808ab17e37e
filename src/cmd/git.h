/* git, as a process. Private to src/cmd. */
#ifndef PITVIPER_CMD_GIT_H
#define PITVIPER_CMD_GIT_H

#include "prove/prove.h"

/* `git WORDS...` in `folder` (NULL: ours), in English. Its output (the first 64 KB) is appended; ret_status is its exit
 * status, which is the caller's to judge; what it says on stderr goes into e where that is not 0. -ECANCELED:
 * interrupted. */
int git_run(struct prove_runner *r, const char *folder, const char *const *words, struct buffer *out, int *ret_status,
    struct error *e);

#endif
