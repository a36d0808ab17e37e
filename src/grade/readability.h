/* How much harder a learner's source is to read than a good solution, by its syntax tree alone: it is not run. In a
 * clean process of the same Python, in the sandbox, since parsing too can be attacked. Private to grade;
 * docs/grading.md. */
#ifndef PITVIPER_GRADE_READABILITY_H
#define PITVIPER_GRADE_READABILITY_H

#include <stddef.h>

#define READABILITY_SOURCE_MAX ((size_t)64 << 10) /* bytes of a source that is measured; what is longer has 0 */

/*
 * ret_share: 0 to 1, the mean over tokens, longest function, branches, nesting, one-letter names, docstrings kept and
 * code that does nothing: each is 1 up to 1.5 times the reference's, and 0 from 3 times on. Unreadable, 0 in all: three
 * times the tokens, or two of functions, branches and nesting at three times; also what cannot be parsed, or ends the
 * measuring process. why: what costs most, one line, safe to print; "" where nothing does.
 * 0 or a negative errno: -EBADMSG where it is the reference that cannot be measured.
 */
int readability_measure(const char *python, const char *source, size_t size, const char *reference,
    size_t reference_size, double *ret_share, char *why, size_t why_size);

#endif
