/* Private to base: one strict UTF-8 decoder for the text, JSON and error code. */
#ifndef PITVIPER_BASE_UTF8_H
#define PITVIPER_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the valid sequence at text (1 to 4), or 0: truncated, overlong, a surrogate, or beyond U+10FFFF.
 */
size_t utf8_decode(const char *text, size_t size, uint32_t *ret_point);
/* Code points that move a terminal's cursor, end a line or reorder what is read. */
bool utf8_unsafe(uint32_t point);

#endif
