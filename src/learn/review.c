/*
 * A review as its author wrote it: a table of criteria with a level and a sentence each, and what to do first. The text
 * is a stranger's: nothing in it is trusted but what can be looked up.
 */
#include "learn/inside.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_WORDS_LEAST 5u /* of what is to be done first */
#define QUOTE_LEAST 8u       /* bytes of a quotation */
#define CITED_LEAST 8u       /* digits of a receipt's id */
#define ANCHORS_MAX 1000u    /* that are looked at in one text */

struct text {
    const char *at, *end;
};
struct reading {
    const struct learn_work_file *files;
    size_t file_count;
    const struct learn_log *log;
    struct learn_review *review;
};

/* ---- pieces of text ---- */

/* Without what stands around: blanks, and the marks of bold text. */
static struct text trim(struct text t)
{
    while (t.at < t.end && (isspace((unsigned char)*t.at) || *t.at == '*' || *t.at == '_'))
        t.at++;
    while (t.end > t.at && (isspace((unsigned char)t.end[-1]) || t.end[-1] == '*' || t.end[-1] == '_'))
        t.end--;
    return t;
}

static bool begins(struct text t, const char *word)
{
    size_t size = strlen(word);
    return (size_t)(t.end - t.at) >= size && strncasecmp(t.at, word, size) == 0;
}

static const char *find(struct text t, const char *word)
{
    return t.at < t.end ? memmem(t.at, (size_t)(t.end - t.at), word, strlen(word)) : NULL;
}

static struct text take_line(struct text *rest)
{
    struct text line = *rest;
    const char *end = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));
    line.end = end == NULL ? rest->end : end;
    rest->at = end == NULL ? rest->end : end + 1;
    return line;
}

static struct text take_cell(struct text *row)
{
    struct text cell = *row;
    while (row->at < row->end && *row->at != '|')
        row->at += *row->at == '\\' && row->at + 1 < row->end ? 2 : 1;
    cell.end = row->at;
    if (row->at < row->end)
        row->at++;
    return cell;
}

static size_t count_words(struct text t)
{
    size_t words = 0;
    bool inside = false;
    for (; t.at < t.end; t.at++) {
        bool counts = isalnum((unsigned char)*t.at) || (unsigned char)*t.at >= 0x80;
        words += counts && !inside;
        inside = counts || (inside && !isspace((unsigned char)*t.at));
    }
    return words;
}

/* ---- places ---- */

static size_t count_lines(const struct learn_work_file *file)
{
    size_t lines = file->size > 0 && file->text[file->size - 1] != '\n';
    for (size_t i = 0; i < file->size; i++)
        lines += file->text[i] == '\n';
    return lines;
}

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || strchr("._-/", c) != NULL;
}

/* weblog.py:117, after/weblog.py:117 */
static bool names_line(const struct reading *r, struct text t, const char *colon)
{
    const char *from = colon;
    char *end;
    while (from > t.at && is_of_name(from[-1]) && from[-1] != '\0')
        from--;
    size_t size = (size_t)(colon - from);
    if (size == 0 || colon + 1 >= t.end || !isdigit((unsigned char)colon[1]))
        return false;
    char digits[8] = "";
    for (size_t i = 0; i + 1 < sizeof(digits) && colon + 1 + i < t.end && isdigit((unsigned char)colon[1 + i]); i++)
        digits[i] = colon[1 + i];
    unsigned long line = strtoul(digits, &end, 10);
    for (size_t i = 0; i < r->file_count; i++) {
        const char *name = r->files[i].name;
        size_t whole = strlen(name);
        bool same = size <= whole && memcmp(name + whole - size, from, size) == 0 &&
                    (size == whole || name[whole - size - 1] == '/');
        if (same && line >= 1 && line <= count_lines(&r->files[i]))
            return true;
    }
    return false;
}

static bool is_receipt(const struct reading *r, const char *at, size_t size)
{
    for (size_t i = 0; r->log != NULL && size >= CITED_LEAST && size <= 32 && i < r->log->count; i++)
        if (strncmp(r->log->events[i].receipt, at, size) == 0)
            return true;
    return false;
}

/* A line of the work, a receipt of the log, or a recording by name. */
static bool has_anchor(const struct reading *r, struct text t)
{
    unsigned looked = 0;
    for (const char *at = t.at; at < t.end && looked < ANCHORS_MAX; at++) {
        bool begins_word = at == t.at || !isalnum((unsigned char)at[-1]);
        if (*at == ':' && looked++ < ANCHORS_MAX && names_line(r, t, at))
            return true;
        if (*at == '.' && at > t.at && isalnum((unsigned char)at[-1]) && t.end - at >= 4 &&
            memcmp(at, ".pit", 4) == 0 && (t.end - at == 4 || !isalnum((unsigned char)at[4])))
            return true;
        if (begins_word && isxdigit((unsigned char)*at)) {
            size_t size = 0;
            while (at + size < t.end && isxdigit((unsigned char)at[size]))
                size++;
            if (size >= CITED_LEAST && looked++ < ANCHORS_MAX && is_receipt(r, at, size))
                return true;
        }
    }
    return false;
}

/* Words between marks that stand in one of the work's files just so. */
static bool quotes_work(const struct reading *r, struct text t)
{
    unsigned looked = 0;
    for (const char *at = t.at; at < t.end && looked < ANCHORS_MAX; at++) {
        const char *end = *at == '*' || *at == '"' || *at == '`' ? memchr(at + 1, *at, (size_t)(t.end - at - 1)) : NULL;
        if (end == NULL)
            continue;
        size_t size = (size_t)(end - at - 1), least = *at == '`' ? 1 : QUOTE_LEAST;
        looked++;
        for (size_t i = 0; size >= least && i < r->file_count; i++)
            if (memmem(r->files[i].text, r->files[i].size, at + 1, size) != NULL)
                return true;
        if (size >= least && *at == '`')
            return true; /* a command or an input of the reviewer's own */
        at = end;
    }
    return false;
}

/* A number that measures or places something: two digits, a fraction, or with what it counts beside it. */
static bool has_figure(struct text t)
{
    static const char *const before[] = {"line ", "lines ", "seed ", "seeds ", "size ", "sizes ", "change "};
    static const char *const behind[] = {"%", "s", "ms", "MB", "KB", "GB", "times", "x", "runs", "lines"};
    for (const char *at = t.at; at < t.end; at++) {
        /* Behind a colon it is a line, which has to be there. */
        if (!isdigit((unsigned char)*at) || (at > t.at && (isalnum((unsigned char)at[-1]) || at[-1] == ':')))
            continue;
        const char *end = at;
        while (end < t.end && (isdigit((unsigned char)*end) || (strchr(".,", *end) != NULL && *end != '\0' &&
                                                                   end + 1 < t.end && isdigit((unsigned char)end[1]))))
            end++;
        if (end - at >= 2)
            return true;
        for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
            size_t size = strlen(before[i]);
            if ((size_t)(at - t.at) >= size && strncasecmp(at - size, before[i], size) == 0)
                return true;
        }
        struct text rest = {end, t.end};
        rest = trim(rest);
        for (size_t i = 0; i < ARRAY_SIZE(behind); i++) {
            size_t size = strlen(behind[i]);
            if (begins(rest, behind[i]) && (rest.at + size == rest.end || !isalnum((unsigned char)rest.at[size])))
                return true;
        }
    }
    return false;
}

/* ---- the review ---- */

static void take_sentences(struct reading *r, struct text t)
{
    while (t.at < t.end) {
        struct text one = t;
        const char *at = t.at;
        while (at < t.end &&
               !(strchr(".!?", *at) != NULL && *at != '\0' && (at + 1 == t.end || isspace((unsigned char)at[1]))))
            at++;
        one.end = at;
        t.at = at < t.end ? at + 1 : t.end;
        if (count_words(one) == 0)
            continue;
        r->review->sentences++;
        r->review->anchored += has_anchor(r, one);
    }
}

static void take_row(struct reading *r, struct text row)
{
    struct text cells[3];
    row.at++; /* the bar in front */
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
        cells[i] = i < 2 ? trim(take_cell(&row)) : take_cell(&row); /* the sentence may end with a quotation */
    for (size_t i = 0; i < LEARN_REVIEW_CRITERIA; i++) {
        if (!begins(cells[0], learn_criteria[i]))
            continue;
        bool one_digit = cells[1].end - cells[1].at == 1 && *cells[1].at >= '0' && *cells[1].at <= '3';
        /* Of two rows for one criterion the first counts: a second one is no second opinion. */
        if (r->review->levels[i] < 0 && one_digit)
            r->review->levels[i] = (int8_t)(*cells[1].at - '0');
        if (count_words(cells[2]) >= 3 && (has_anchor(r, cells[2]) || quotes_work(r, cells[2]) || has_figure(cells[2])))
            r->review->placed[i] = true;
        take_sentences(r, cells[2]);
    }
}

/* "**To the author, first:** a second size." or a heading with the text below it. */
static void take_first(struct reading *r, struct text line, struct text rest)
{
    const char *end = memchr(line.at, ':', (size_t)(line.end - line.at));
    struct text said = {end == NULL ? line.end : end + 1, line.end};
    size_t words = count_words(said);
    while (rest.at < rest.end && words < FIRST_WORDS_LEAST) {
        struct text next = take_line(&rest);
        if (trim(next).at < trim(next).end && *trim(next).at == '#')
            break;
        words += count_words(next);
    }
    r->review->first = r->review->first || words >= FIRST_WORDS_LEAST;
}

/* Comments of the form are no part of it. */
static void blank_comments(char *text, size_t size)
{
    struct text all = {text, text + size};
    const char *from;
    while ((from = find(all, "<!--")) != NULL) {
        struct text behind = {from, all.end};
        const char *end = find(behind, "-->");
        end = end == NULL ? all.end : end + 3;
        memset(text + (from - text), ' ', (size_t)(end - from));
        all.at = end;
    }
}

void learn_review_read(const char *text, size_t size, const struct learn_work_file *files, size_t count,
    const struct learn_log *log, struct learn_review *ret)
{
    struct learn_review review = {.words = 0};
    struct reading r = {files, count, log, &review};
    CLEANUP(free_pointer) char *copy = malloc(size + 1);
    memset(review.levels, -1, sizeof(review.levels));
    *ret = review;
    if (copy == NULL)
        return;
    memcpy(copy, text, size);
    blank_comments(copy, size);
    struct text rest = {copy, copy + size};
    review.words = count_words(rest);
    while (rest.at < rest.end) {
        struct text line = take_line(&rest), bare = trim(line);
        while (bare.at < bare.end && (*bare.at == '#' || *bare.at == ' ' || *bare.at == '*'))
            bare.at++;
        if (bare.at < bare.end && *bare.at == '|')
            take_row(&r, bare);
        else if (begins(bare, "To the author, first"))
            take_first(&r, bare, rest);
        if (bare.at < bare.end && *bare.at != '|')
            take_sentences(&r, bare);
    }
    *ret = review;
}

void learn_review_missing(const struct learn_review *r, struct buffer *out)
{
    for (size_t i = 0; i < LEARN_REVIEW_CRITERIA; i++)
        if (r->levels[i] < 0)
            buffer_printf(out, "%s: no level, 0 to 3\n", learn_criteria[i]);
        else if (!r->placed[i])
            buffer_printf(out,
                "%s: the sentence names no place: a line, a figure, a command, words of the report in \"...\"\n",
                learn_criteria[i]);
    if (!r->first)
        buffer_printf(out,
            "it does not say what to do first: a line \"To the author, first: ...\" of %u words or more\n",
            FIRST_WORDS_LEAST);
}
