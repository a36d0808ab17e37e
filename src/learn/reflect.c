/* The reflections: what is asked, and what a text has to have. Nobody grades what it says. */
#include "learn/inside.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CITED_LEAST 8u /* digits of a receipt's id */

/* 02, 04, 07 and 09 are the course's own, word for word. */
static const char *const questions[GRADE_MODULES + 1] = {
    [1] = "What did you expect, and what did the data say?",
    [2] = "What profiling tools did you find most effective and why?",
    [3] = "What would break if the input grew 100 times?",
    [4] = "How did your understanding of algorithms and data structures change after this course?",
    [5] = "What did the speed, or the memory that you saved, cost in clarity?",
    [6] = "Which change did you not make, and why?",
    [7] = "In what scenarios do you think parallel processing would be most beneficial for your projects?",
    [8] = "What would make your number wrong?",
    [9] = "What strategies can you implement in your workflow to continue optimizing performance?",
};

const char *learn_reflect_question(unsigned module)
{
    return module >= 1 && module <= GRADE_MODULES ? questions[module] : "";
}

/* Scripts that put no blanks between words (Chinese, Japanese): a character counts as one. */
static bool is_wide(const unsigned char *at)
{
    return at[0] >= 0xe3 && at[0] <= 0xe9 && (at[1] & 0xc0) == 0x80;
}

size_t learn_reflect_words(const char *text)
{
    size_t words = 0;
    bool inside = false;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        bool wide = is_wide(at), counts = isalnum(*at) || *at >= 0x80;
        if (wide || (counts && !inside))
            words++;
        inside = !wide && (counts || (inside && !isspace(*at)));
        if (wide)
            at += at[2] != '\0' ? 2 : 1;
    }
    return words;
}

/* Is this the figure, rounded as it is written there? Two digits at least, so that "1" quotes nothing, or two decimals:
 * a check tells of 0.0211 as 0.02. */
static bool quotes(const char *number, size_t size, double figure)
{
    char text[32];
    if (size == 0 || size >= sizeof(text))
        return false;
    memcpy(text, number, size);
    text[size] = '\0';
    const char *point = strchr(text, '.');
    size_t decimals = point == NULL ? 0 : size - (size_t)(point - text) - 1, digits = 0;
    for (const char *at = text; *at != '\0'; at++)
        digits += isdigit((unsigned char)*at) && (digits > 0 || *at != '0');
    double value = strtod(text, NULL), half = 0.5 * pow(10, -(double)decimals);
    bool whole = figure == floor(figure) && value == figure;
    return whole || ((digits >= 2 || (digits == 1 && decimals >= 2)) && fabs(value - figure) <= half * 1.000001);
}

/* Some number of the text, signs and units aside: 3.42x, -0.9, 35 % (of 0.35). */
static bool quotes_some(const char *text, const struct learn_event *x)
{
    for (const char *at = text; *at != '\0';) {
        if (!isdigit((unsigned char)*at)) {
            at++;
            continue;
        }
        size_t size = strspn(at, "0123456789");
        if (at[size] == '.' && isdigit((unsigned char)at[size + 1]))
            size += 1 + strspn(at + size + 1, "0123456789");
        size_t behind = size + (at[size] == ' ');
        for (unsigned i = 0; i < x->figure_count; i++)
            if (quotes(at, size, fabs(x->figures[i])) ||
                (at[behind] == '%' && quotes(at, size, fabs(x->figures[i]) * 100)))
                return true;
        at += size;
    }
    return false;
}

static bool cites(const char *text, const char *receipt)
{
    char beginning[CITED_LEAST + 1];
    if (receipt[0] == '\0')
        return false;
    memcpy(beginning, receipt, CITED_LEAST);
    beginning[CITED_LEAST] = '\0';
    const char *at = text;
    while ((at = strstr(at, beginning)) != NULL) {
        size_t size = strspn(at, "0123456789abcdef");
        if ((at == text || !isxdigit((unsigned char)at[-1])) && size <= 32 && strncmp(at, receipt, size) == 0)
            return true;
        at++;
    }
    return false;
}

/* The id itself is digits: they are no figure. */
static char *without_ids(const char *text)
{
    char *copy = strdup(text);
    for (char *at = copy; at != NULL && *at != '\0';) {
        size_t size = strspn(at, "0123456789abcdef");
        bool word = at == copy || !isalnum((unsigned char)at[-1]);
        if (word && size >= CITED_LEAST && !isalnum((unsigned char)at[size]))
            memset(at, '-', size);
        at += size > 0 ? size : 1;
    }
    return copy;
}

int learn_reflect_check(const struct learn_log *log, const char *text, const struct learn_event **ret, struct error *e)
{
    size_t words = learn_reflect_words(text);
    const struct learn_event *cited = NULL;
    bool quoted = false;
    if (words < LEARN_WORDS_LEAST)
        return error_set(e, EINVAL, "it has %zu words: write at least %u", words, LEARN_WORDS_LEAST);
    CLEANUP(free_pointer) char *plain = without_ids(text);
    if (plain == NULL)
        return error_set(e, ENOMEM, "out of memory");
    for (size_t i = 0; i < log->count && !quoted; i++) {
        const struct learn_event *x = &log->events[i];
        if (x->kind != LEARN_CHECK || !cites(text, x->receipt))
            continue;
        cited = x;
        quoted = quotes_some(plain, x);
    }
    if (cited == NULL)
        return error_set(e, EINVAL,
            "it cites no receipt: name one by the first %u digits of its id, as 'pitviper learn progress' lists them",
            CITED_LEAST);
    if (!quoted && cited->figure_count == 0)
        return error_set(e, EINVAL, "the receipt %.8s has no figure to quote: cite another one", cited->receipt);
    if (!quoted)
        return error_set(e, EINVAL,
            "it quotes no figure of the receipt %.8s, such as %.3g: a claim about speed needs its number",
            cited->receipt, cited->figures[0]);
    *ret = cited;
    return 0;
}
