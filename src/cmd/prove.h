/* What `prove` writes of its result. Private to src/cmd. */
#ifndef PITVIPER_CMD_PROVE_H
#define PITVIPER_CMD_PROVE_H

#include "prove/prove.h"

/* "B is faster by at least 4.1 %": one line without its end, for whoever prints a verdict. names: of A and B. */
void prove_write_heading(struct buffer *out, const struct prove_options *o, const struct prove_result *result);
void prove_write_text(struct buffer *out, const struct prove_options *o, struct prove_subject *const subjects[2],
    const char *const names[2], const struct prove_result *result, bool colour);
/* why: a JSON value for the member "explain"; NULL: none. */
void prove_write_json(struct buffer *out, const struct prove_options *o, struct prove_subject *const subjects[2],
    const char *const names[2], const struct prove_result *result, const struct buffer *why);

#endif
