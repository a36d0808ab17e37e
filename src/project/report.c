/* report.md, as far as a program can read it: headings, words, figures, and what it cites. */
#include "project/project.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FASTER 5 /* the heading "How much faster?" */

const char *const project_headings[PROJECT_HEADINGS] = {
    "Question",
    "Baseline",
    "Where the time goes",
    "What I changed, and why that",
    "Is it still right?",
    "How much faster?",
    "What I left alone",
    "What it cost in clarity",
    "What would make my number wrong",
};

struct reading {
    struct project_report *report;
    int section; /* -1: before the first heading that is known */
    bool code, comment;
    double sizes[2];
    unsigned size_count;
};

static bool line_has(const char *line, size_t size, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= size; i++)
        if (strncasecmp(line + i, word, length) == 0)
            return true;
    return false;
}

/* Letters and digits alone are compared, so that a mark more or less does not matter. */
static bool same_heading(const char *line, size_t size, const char *heading)
{
    const char *end = line + size;
    for (;; line++, heading++) {
        while (line < end && !isalnum((unsigned char)*line))
            line++;
        while (*heading != '\0' && !isalnum((unsigned char)*heading))
            heading++;
        if (line == end || *heading == '\0')
            return line == end && *heading == '\0';
        if (tolower((unsigned char)*line) != tolower((unsigned char)*heading))
            return false;
    }
}

static void take_heading(struct reading *r, const char *line, size_t size)
{
    r->section = -1;
    for (int i = 0; i < (int)PROJECT_HEADINGS; i++)
        if (same_heading(line, size, project_headings[i])) {
            r->section = i;
            r->report->there[i] = true;
        }
}

static void take_recording(struct project_report *report, const char *line, const char *dot)
{
    const char *from = dot;
    while (from > line && (isalnum((unsigned char)from[-1]) || (from[-1] != '\0' && strchr("._-/", from[-1]) != NULL)))
        from--;
    size_t size = (size_t)(dot - from) + 4;
    if (size <= 4 || size >= sizeof(report->recordings[0]))
        return;
    for (size_t i = 0; i < report->recording_count; i++)
        if (strlen(report->recordings[i]) == size && memcmp(report->recordings[i], from, size) == 0)
            return;
    if (report->recording_count < PROJECT_RECORDINGS_MAX)
        memcpy(report->recordings[report->recording_count++], from, size);
}

static bool has_unit(const char *at, const char *end)
{
    static const char *const units[] = {"%", "s", "ms", "us", "ns", "MB", "KB", "GB", "times", "x", "samples", "calls"};
    while (at < end && *at == ' ')
        at++;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        size_t size = strlen(units[i]);
        if ((size_t)(end - at) >= size && strncmp(at, units[i], size) == 0 &&
            (at + size == end || !isalnum((unsigned char)at[size])))
            return true;
    }
    return false;
}

/* "(-62.61 to -31.37)" behind the bracket */
static bool is_interval(const char *at, const char *end)
{
    char text[64];
    double low, high;
    size_t size = (size_t)(end - at) < sizeof(text) - 1 ? (size_t)(end - at) : sizeof(text) - 1;
    memcpy(text, at, size);
    text[size] = '\0';
    return sscanf(text, "%lf%*[ %] to %lf", &low, &high) == 2 || sscanf(text, "%lf to %lf", &low, &high) == 2;
}

static void take_number(struct reading *r, const char *line, const char *at, const char *behind, const char *end)
{
    struct project_report *report = r->report;
    char number[32];
    size_t size = (size_t)(behind - at);
    bool fraction = memchr(at, '.', size) != NULL;
    if (r->section >= 0 && (fraction || has_unit(behind, end)))
        report->figures[r->section]++;
    if (size >= sizeof(number))
        return;
    memcpy(number, at, size);
    number[size] = '\0';
    double value = strtod(number, NULL);
    bool claim = (size_t)(end - behind) >= 14 && strncmp(behind, " times as fast", 14) == 0;
    if (claim && report->claim_count < PROJECT_CLAIMS_MAX)
        report->claims[report->claim_count++] = value;
    bool is_size = at - line >= 5 && line_has(line, (size_t)(at - line), "size") &&
                   (strncasecmp(at - 5, "size ", 5) == 0 || (at - line >= 6 && strncasecmp(at - 6, "sizes ", 6) == 0));
    if (r->section == FASTER && is_size && r->size_count < 2 &&
        (r->size_count == 0 || r->sizes[0] < value || r->sizes[0] > value))
        r->sizes[r->size_count++] = value;
}

static void take_words(struct reading *r, const char *line, size_t size)
{
    bool inside = false;
    size_t words = 0;
    for (size_t i = 0; i < size; i++) {
        bool counts = isalnum((unsigned char)line[i]) || (unsigned char)line[i] >= 0x80;
        words += counts && !inside;
        inside = counts || (inside && !isspace((unsigned char)line[i]));
    }
    r->report->words += words;
    if (r->section >= 0)
        r->report->section_words[r->section] += words;
}

static void take_line(struct reading *r, const char *line, size_t size)
{
    struct project_report *report = r->report;
    const char *end = line + size;
    for (const char *at = line; at < end; at++) {
        bool word = at == line || !(isalnum((unsigned char)at[-1]) || at[-1] == '.');
        if (end - at >= 4 && memcmp(at, ".pit", 4) == 0 && (at + 4 == end || !isalnum((unsigned char)at[4])))
            take_recording(report, line, at);
        if (*at == '(' && r->section == FASTER)
            report->interval = report->interval || is_interval(at + 1, end);
        if (!isdigit((unsigned char)*at) || !word)
            continue;
        const char *behind = at;
        while (behind < end && (isdigit((unsigned char)*behind) ||
                                   (*behind == '.' && behind + 1 < end && isdigit((unsigned char)behind[1]))))
            behind++;
        take_number(r, line, at, behind, end);
        at = behind - 1;
    }
    if (r->section == FASTER)
        report->memory = report->memory || line_has(line, size, "memory");
    report->second_tool = report->second_tool || line_has(line, size, "function calls") ||
                          line_has(line, size, "ncalls") || line_has(line, size, "loops, best of") ||
                          (line_has(line, size, "size=") && line_has(line, size, "count="));
}

/* Comments, which the form has, are blanked; newlines stay. */
static void blank_comments(char *text, size_t size)
{
    char *at = text;
    while ((at = memmem(at, size - (size_t)(at - text), "<!--", 4)) != NULL) {
        char *end = memmem(at, size - (size_t)(at - text), "-->", 3);
        end = end == NULL ? text + size : end + 3;
        for (; at < end; at++)
            *at = *at == '\n' ? '\n' : ' ';
    }
}

void project_report_read(const char *text, size_t size, struct project_report *ret)
{
    struct project_report report = {.words = 0};
    struct reading r = {.report = &report, .section = -1};
    CLEANUP(free_pointer) char *copy = malloc(size + 1);
    *ret = report;
    if (copy == NULL)
        return;
    memcpy(copy, text, size);
    blank_comments(copy, size);
    for (const char *at = copy, *end = copy + size; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop == NULL ? end : stop) - at);
        if (length >= 3 && strncmp(at, "```", 3) == 0)
            r.code = !r.code;
        else if (!r.code && length > 2 && at[0] == '#')
            take_heading(&r, at, length);
        else {
            take_line(&r, at, length);
            if (!r.code)
                take_words(&r, at, length);
        }
        at += length + 1;
    }
    report.sizes = r.size_count >= 2;
    *ret = report;
}
