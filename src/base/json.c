#include "base/base.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_quoted(struct buffer *out, const char *text, size_t size)
{
    buffer_append_byte(out, '"');
    size_t done = 0, at = 0;
    while (at < size) {
        uint32_t point = 0;
        size_t length = utf8_decode(text + at, size - at, &point);
        if (length > 0 && point >= 0x20 && point != '"' && point != '\\' && point != 0x7f) {
            at += length;
            continue;
        }
        if (at > done)
            buffer_append(out, text + done, at - done);
        if (length == 0)
            buffer_append_string(out, "\xef\xbf\xbd");
        else if (point == '"' || point == '\\')
            buffer_printf(out, "\\%c", (int)point);
        else if (point == '\n')
            buffer_append_string(out, "\\n");
        else if (point == '\t')
            buffer_append_string(out, "\\t");
        else
            buffer_printf(out, "\\u%04x", (unsigned)point);
        at += length == 0 ? 1 : length;
        done = at;
    }
    if (at > done)
        buffer_append(out, text + done, at - done);
    buffer_append_byte(out, '"');
}

static void start_value(struct json *j, const char *name)
{
    if (j->comma)
        buffer_append_byte(j->out, ',');
    j->comma = true;
    if (name != NULL) {
        put_quoted(j->out, name, strlen(name));
        buffer_append_byte(j->out, ':');
    }
}

static void start_group(struct json *j, const char *name, uint8_t bracket)
{
    start_value(j, name);
    buffer_append_byte(j->out, bracket);
    j->comma = false;
}

static void end_group(struct json *j, uint8_t bracket)
{
    buffer_append_byte(j->out, bracket);
    j->comma = true;
}

void json_object_begin(struct json *j, const char *name)
{
    start_group(j, name, '{');
}

void json_object_end(struct json *j)
{
    end_group(j, '}');
}

void json_array_begin(struct json *j, const char *name)
{
    start_group(j, name, '[');
}

void json_array_end(struct json *j)
{
    end_group(j, ']');
}

void json_string(struct json *j, const char *name, const char *text, size_t size)
{
    start_value(j, name);
    put_quoted(j->out, text, size);
}

void json_text(struct json *j, const char *name, const char *text)
{
    json_string(j, name, text, strlen(text));
}

void json_integer(struct json *j, const char *name, int64_t value)
{
    start_value(j, name);
    buffer_printf(j->out, "%lld", (long long)value);
}

void json_number(struct json *j, const char *name, double value)
{
    if (!isfinite(value)) {
        json_null(j, name);
        return;
    }
    /* The shortest of three that reads back as the same number: 0.1 rather than 0.10000000000000001. */
    char text[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    /* Whatever the locale calls its decimal point, JSON calls it a point. */
    for (char *c = text; *c != '\0'; c++) {
        if (strchr("0123456789+-e", *c) == NULL)
            *c = '.';
    }
    start_value(j, name);
    buffer_append_string(j->out, text);
}

void json_boolean(struct json *j, const char *name, bool value)
{
    start_value(j, name);
    buffer_append_string(j->out, value ? "true" : "false");
}

void json_null(struct json *j, const char *name)
{
    start_value(j, name);
    buffer_append_string(j->out, "null");
}
