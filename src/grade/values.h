/*
 * Arguments and answers as canonical bytes (harness/values.py, which says how): what they are compared by, and how one
 * is shown. Private to grade. Bytes from a child are hostile: values_check() comes first; what it has passed, the
 * others trust.
 */
#ifndef PITVIPER_GRADE_VALUES_H
#define PITVIPER_GRADE_VALUES_H

#include "base/base.h"

#define VALUES_DEPTH_MAX 64
#define VALUES_BYTES_MAX ((size_t)16 << 20)
#define VALUES_INT_MAX 64u /* bytes of an int that is shown in digits; of a longer one its size is */

/* -EBADMSG unless it is one value, in its canonical form. */
int values_check(const void *data, size_t size);
/* As Python writes it, on one line of at most so many columns; safe to print. */
void values_show(const void *data, size_t size, size_t columns, struct buffer *into);

#define VALUES_SHOWN 60 /* columns */
struct values_difference {
    char path[96];                                 /* "[3]['name']"; "" for the whole */
    char a[4 * VALUES_SHOWN], b[4 * VALUES_SHOWN]; /* the parts that differ, shown */
};
/* Whether they differ, and where first. Floats are the same within `tolerance` of the larger one; not so in sets and as
 * keys. Types count: 1, 1.0 and True differ. */
bool values_differ(
    const void *a, size_t a_size, const void *b, size_t b_size, double tolerance, struct values_difference *ret);

#endif
