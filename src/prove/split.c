/* What the user wrote as one text: a function, the words of a command, or something for a shell. */
#include "prove/inside.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static bool is_name_byte(char c, bool first)
{
    return (c & 0x80) != 0 || isalpha((unsigned char)c) || c == '_' || (!first && isdigit((unsigned char)c));
}

/* a.b.c */
static bool is_dotted_name(const char *text, size_t size)
{
    bool first = true;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '.' && !first)
            first = true;
        else if (is_name_byte(text[i], first))
            first = false;
        else
            return false;
    }
    return size > 0 && !first;
}

bool split_is_function(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || !is_dotted_name(colon + 1, strlen(colon + 1)))
        return false;
    size_t size = (size_t)(colon - text);
    if (size > 3 && memcmp(colon - 3, ".py", 3) == 0)
        return true; /* its name may have blanks */
    return is_dotted_name(text, size);
}

/* ---- words ---- */

struct splitter {
    const char *at;
    struct buffer word;
    bool begun; /* a word, be it empty: '' */
    bool shell; /* met what only a shell understands */
};

/* From the opening quote on to the closing one. */
static int split_quoted(struct splitter *s, struct error *e)
{
    char quote = *s->at++;
    for (; *s->at != quote; s->at++) {
        if (*s->at == '\0')
            return error_set(e, EINVAL, "a %s quote is not closed", quote == '"' ? "double" : "single");
        if (quote == '"' && (*s->at == '$' || *s->at == '`'))
            s->shell = true;
        if (quote == '"' && *s->at == '\\' && strchr("\\\"$`", s->at[1]) && s->at[1] != '\0')
            s->at++;
        buffer_append_byte(&s->word, (uint8_t)*s->at);
    }
    s->at++;
    return 0;
}

static int split_word(struct splitter *s, bool first, struct error *e)
{
    buffer_clear(&s->word);
    s->begun = false;
    while (*s->at && !strchr(" \t", *s->at)) {
        char c = *s->at;
        if (c == '\'' || c == '"') {
            int r = split_quoted(s, e);
            if (r < 0)
                return r;
            s->begun = true;
            continue;
        }
        if (strchr("$;&|<>()`*?[\n", c) || (!s->begun && strchr("~#!{}", c)))
            s->shell = true;
        if (first && c == '=' && s->word.size > 0 && is_dotted_name((const char *)s->word.data, s->word.size))
            s->shell = true; /* NAME=value before the command */
        if (c == '\\' && s->at[1] != '\0')
            c = *++s->at;
        buffer_append_byte(&s->word, (uint8_t)c);
        s->begun = true;
        s->at++;
    }
    return 0;
}

int split_words(const char *text, struct arena *arena, char ***ret, size_t *ret_count, bool *ret_shell, struct error *e)
{
    struct splitter s = {.at = text};
    size_t count = 0;
    int r = 0;
    char **words = arena_alloc(arena, (strlen(text) / 2 + 2) * sizeof(*words));

    if (!words || strlen(text) > SPLIT_MAX)
        return error_set(e, E2BIG, "a command of %zu bytes is too long", strlen(text));
    buffer_init(&s.word, SPLIT_MAX);
    for (;;) {
        s.at += strspn(s.at, " \t");
        if (*s.at == '\0')
            break;
        r = split_word(&s, count == 0, e);
        if (r < 0)
            break;
        words[count] = arena_strndup(arena, buffer_text(&s.word), s.word.size);
        if (!words[count] || s.word.failed) {
            r = error_set(e, ENOMEM, "out of memory");
            break;
        }
        count++;
    }
    buffer_release(&s.word);
    if (r < 0)
        return r;
    *ret = words;
    *ret_count = count;
    *ret_shell = s.shell;
    return 0;
}
