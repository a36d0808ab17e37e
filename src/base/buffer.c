#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_init(struct buffer *b, size_t max)
{
    *b = (struct buffer){.max = max};
}

void buffer_release(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){.max = b->max};
}

void buffer_clear(struct buffer *b)
{
    b->size = 0;
    b->failed = false;
}

/* Room for `needed` bytes in all. The NUL of buffer_text lives beyond max, so that a full buffer is still
 * text. */
static int grow(struct buffer *b, size_t needed)
{
    if (needed <= b->capacity)
        return 0;
    size_t limit = b->max < SIZE_MAX ? b->max + 1 : SIZE_MAX;
    if (needed > limit) {
        b->failed = true;
        return -EFBIG;
    }
    size_t capacity = b->capacity < 64 ? 64 : b->capacity;
    while (capacity < needed)
        capacity = capacity > limit / 2 ? limit : capacity * 2;
    if (capacity > limit)
        capacity = limit;
    uint8_t *data = realloc(b->data, capacity);
    if (data == NULL) {
        b->failed = true;
        return -ENOMEM;
    }
    b->data = data;
    b->capacity = capacity;
    return 0;
}

int buffer_reserve(struct buffer *b, size_t extra)
{
    if (b->failed)
        return -ENOMEM;
    if (extra > b->max - b->size) {
        b->failed = true;
        return -EFBIG;
    }
    return grow(b, b->size + extra);
}

int buffer_append(struct buffer *b, const void *data, size_t size)
{
    int result = buffer_reserve(b, size);
    if (result < 0)
        return result;
    if (size > 0)
        memcpy(b->data + b->size, data, size);
    b->size += size;
    return 0;
}

int buffer_append_string(struct buffer *b, const char *text)
{
    return buffer_append(b, text, strlen(text));
}

int buffer_append_byte(struct buffer *b, uint8_t byte)
{
    return buffer_append(b, &byte, 1);
}

int buffer_append_varint(struct buffer *b, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;
    while (value >= 0x80) {
        bytes[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[n++] = (uint8_t)value;
    return buffer_append(b, bytes, n);
}

int buffer_append_zigzag(struct buffer *b, int64_t value)
{
    uint64_t word = (uint64_t)value;
    return buffer_append_varint(b, (word << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

int buffer_append_le32(struct buffer *b, uint32_t value)
{
    uint8_t bytes[4];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    return buffer_append(b, bytes, sizeof bytes);
}

int buffer_append_le64(struct buffer *b, uint64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    return buffer_append(b, bytes, sizeof bytes);
}

int buffer_printf(struct buffer *b, const char *format, ...)
{
    char small[256];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (length < 0) {
        b->failed = true;
        return -EINVAL;
    }
    size_t size = (size_t)length;
    if (size < sizeof small)
        return buffer_append(b, small, size);

    /* One more than the text: vsnprintf writes its NUL too, into the byte that grow() allows beyond max. */
    int result = buffer_reserve(b, size);
    if (result == 0)
        result = grow(b, b->size + size + 1);
    if (result < 0)
        return result;
    va_start(args, format);
    vsnprintf((char *)b->data + b->size, size + 1, format, args);
    va_end(args);
    b->size += size;
    return 0;
}

const char *buffer_text(struct buffer *b)
{
    if (b->failed || b->size == SIZE_MAX || grow(b, b->size + 1) < 0)
        return "";
    b->data[b->size] = '\0';
    return (const char *)b->data;
}
