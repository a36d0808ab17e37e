#include "base/base.h"
#include "base/unicode.h"
#include "base/utf8.h"

#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"
#define SHORTEST_MIDDLE_CUT 16 /* in fewer columns the start alone says more than both ends */

size_t utf8_decode(const char *text, size_t size, uint32_t *ret_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (size == 0)
        return 0;
    unsigned char first = (unsigned char)text[0];
    if (first < 0x80) {
        *ret_point = first;
        return 1;
    }
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || size < length)
        return 0;
    uint32_t point = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (next & 0x3f);
    }
    if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *ret_point = point;
    return length;
}

bool utf8_unsafe(uint32_t point)
{
    if (point < 0x20 || (point >= 0x7f && point < 0xa0))
        return true;
    return (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point == 0x2028 ||
           point == 0x2029;
}

static bool in_table(const struct unicode_range *table, size_t n, uint32_t point)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (point > table[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && point >= table[low].first;
}

static size_t point_width(uint32_t point)
{
    if (point < 0x300)
        return point == 0xad ? 0 : 1;
    if (in_table(unicode_zero_width, ARRAY_SIZE(unicode_zero_width), point))
        return 0;
    return in_table(unicode_wide, ARRAY_SIZE(unicode_wide), point) ? 2 : 1;
}

/* One piece of text as it is shown: a safe character, or '?' in place of anything else. */
struct piece {
    size_t length, width;
    bool safe;
};

static struct piece piece_at(const char *text, size_t size)
{
    uint32_t point = 0;
    size_t length = utf8_decode(text, size, &point);
    if (length == 0)
        return (struct piece){.length = 1, .width = 1};
    if (utf8_unsafe(point))
        return (struct piece){.length = length, .width = 1};
    return (struct piece){.length = length, .width = point_width(point), .safe = true};
}

int text_append_safe(struct buffer *b, const char *text, size_t size)
{
    size_t at = 0, done = 0;
    while (at < size) {
        struct piece piece = piece_at(text + at, size - at);
        if (!piece.safe) {
            buffer_append(b, text + done, at - done);
            buffer_append_byte(b, '?');
            done = at + piece.length;
        }
        at += piece.length;
    }
    return buffer_append(b, text + done, at - done);
}

int text_append_word(struct buffer *b, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,@%";
    const char *quote = text[strspn(text, plain)] == '\0' ? "" : "'";

    buffer_append_string(b, quote);
    for (const char *at = text; *at;) {
        size_t size = strcspn(at, "'");
        text_append_safe(b, at, size);
        at += size;
        if (*at) {
            buffer_append_string(b, "'\\''");
            at++;
        }
    }
    return buffer_append_string(b, quote);
}

int text_append_utf8(struct buffer *b, const char *text, size_t size)
{
    size_t at = 0, done = 0;
    while (at < size) {
        uint32_t point;
        size_t length = utf8_decode(text + at, size - at, &point);
        if (length == 0) {
            buffer_append(b, text + done, at - done);
            buffer_append_string(b, "\xef\xbf\xbd");
            done = ++at;
        }
        at += length;
    }
    return buffer_append(b, text + done, at - done);
}

size_t text_width(const char *text, size_t size)
{
    size_t width = 0;
    for (size_t at = 0; at < size;) {
        struct piece piece = piece_at(text + at, size - at);
        at += piece.length;
        width += piece.width;
    }
    return width;
}

/* How many bytes from `text` on fit into `columns`. Marks of no width stay with the character before them. */
static size_t bytes_that_fit(const char *text, size_t size, size_t columns)
{
    size_t at = 0;
    while (at < size) {
        struct piece piece = piece_at(text + at, size - at);
        if (piece.width > columns)
            break;
        columns -= piece.width;
        at += piece.length;
    }
    return at;
}

int text_append_fitted(struct buffer *b, const char *text, size_t columns)
{
    size_t size = strlen(text), width = text_width(text, size);
    if (width <= columns)
        return text_append_safe(b, text, size);
    if (columns == 0)
        return 0;
    size_t room = columns - 1, tail = columns < SHORTEST_MIDDLE_CUT ? 0 : room * 3 / 5;
    size_t head_bytes = bytes_that_fit(text, size, room - tail);
    text_append_safe(b, text, head_bytes);
    buffer_append_string(b, ELLIPSIS);
    if (tail == 0)
        return text_append_safe(b, "", 0);

    /* The tail begins where what is left is no wider than its share: a path's end tells more than its start.
     */
    size_t at = head_bytes, left = width - text_width(text, head_bytes);
    while (at < size && left > tail) {
        struct piece piece = piece_at(text + at, size - at);
        at += piece.length;
        left -= piece.width;
    }
    return text_append_safe(b, text + at, size - at);
}

void text_append_markup(struct buffer *b, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        switch (text[i]) {
        case '&':
            buffer_append_string(b, "&amp;");
            break;
        case '<':
            buffer_append_string(b, "&lt;");
            break;
        case '>':
            buffer_append_string(b, "&gt;");
            break;
        case '"':
            buffer_append_string(b, "&quot;");
            break;
        default:
            buffer_append_byte(b, (uint8_t)text[i]);
        }
}

void text_hex(const uint8_t *bytes, size_t size, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * size] = '\0';
}
