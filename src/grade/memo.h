/* What several checks of one lab share. Private to grade; grade.h has how it is made. NULL is a memo that knows nothing
 * and keeps nothing. */
#ifndef PITVIPER_GRADE_MEMO_H
#define PITVIPER_GRADE_MEMO_H

#include "grade/grade.h"
#include "sandbox/sandbox.h"

struct memo_machine {
    struct sandbox_ladder ladder;
    struct sandbox_interpreter python;
};
const struct memo_machine *memo_machine(const struct grade_memo *m); /* NULL: not known */
/* True: it is the memo's from now on. */
bool memo_take_machine(struct grade_memo *m, const struct memo_machine *machine);

/* Of what the lab's own code answers: which code, a number that it depends on, and what it was given. */
struct memo_key {
    uint8_t digest[32];
};
void memo_key(const char *what, uint64_t number, const void *data, size_t size, struct memo_key *ret);
bool memo_recall(const struct grade_memo *m, const struct memo_key *key, struct buffer *ret); /* appends it */
void memo_keep(struct grade_memo *m, const struct memo_key *key, const struct buffer *value); /* if there is room */

#endif
