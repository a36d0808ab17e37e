#include "grade/readability.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grade/inside.h"
#include "sandbox/sandbox.h"

#define WALL_NS 10000000000u
#define ANSWER_MOST ((size_t)64 << 10)

/* ---- the process ---- */

static void append_source(struct buffer *b, const char *source, size_t size)
{
    buffer_append_le32(b, (uint32_t)size);
    buffer_append(b, source, size);
}

static int run_in(const char *place, const struct sandbox_ladder *ladder, const struct sandbox_interpreter *python,
    const struct buffer *input, struct sandbox_result *ret)
{
    char folder[600], scratch[600];
    snprintf(folder, sizeof(folder), "%s/lab", place);
    snprintf(scratch, sizeof(scratch), "%s/scratch", place);
    if (mkdir(folder, 0700) < 0 || mkdir(scratch, 0700) < 0)
        return -errno;
    char *argv[] = {python->path, (char *)"-I", (char *)"-S", (char *)"-B", (char *)"-W", (char *)"ignore",
        (char *)"-c", (char *)(uintptr_t)grade_harness_readability, NULL};
    char *env[] = {(char *)"LC_ALL=C.UTF-8", NULL};
    const struct sandbox_spec spec = {.argv = argv,
        .env = env,
        .folder = folder,
        .scratch = scratch,
        .readable = (const char *const *)python->readable,
        .input = input->data,
        .input_size = input->size,
        .level_most = SANDBOX_LEVEL_BEST,
        .limits = {.wall_ns = WALL_NS, .cpu_ns = WALL_NS, .answer = ANSWER_MOST}};
    struct error e = {""};
    return sandbox_run(&spec, ladder, ret, &e);
}

static int run(const char *path, const struct buffer *input, struct sandbox_result *ret)
{
    struct sandbox_ladder ladder;
    struct sandbox_interpreter python;
    struct error e = {""};
    const char *tmp = getenv("TMPDIR");
    char place[512];
    int r = sandbox_probe(&ladder, &e);
    if (r < 0 || (r = sandbox_interpreter_find(path, &python, &e)) < 0)
        return r;
    snprintf(place, sizeof(place), "%.400s/pitviper-read-XXXXXX", tmp && tmp[0] == '/' ? tmp : "/tmp");
    if (mkdtemp(place)) {
        r = run_in(place, &ladder, &python, input, ret);
        sandbox_wipe(place, NULL);
        rmdir(place);
    } else {
        r = -errno;
    }
    sandbox_interpreter_release(&python);
    return r;
}

/* ---- its answer ---- */

static void say(char *why, size_t why_size, const char *text)
{
    struct buffer safe;
    buffer_init(&safe, ANSWER_MOST);
    text_append_safe(&safe, text, strnlen(text, ANSWER_MOST));
    snprintf(why, why_size, "%s", buffer_text(&safe));
    buffer_release(&safe);
}

/* "0.83\nwhat costs": a number within 0 and 1, or it is none of ours. */
static int take_answer(struct buffer *payload, double *ret_share, char *why, size_t why_size)
{
    const char *text = buffer_text(payload);
    char *end;
    double share = strtod(text, &end);
    if (end == text || *end != '\n' || !(share >= 0 && share <= 1))
        return -EBADMSG;
    *ret_share = share;
    say(why, why_size, end + 1);
    return 0;
}

int readability_measure(const char *python, const char *source, size_t size, const char *reference,
    size_t reference_size, double *ret_share, char *why, size_t why_size)
{
    if (reference_size > READABILITY_SOURCE_MAX)
        return -EBADMSG;
    if (size > READABILITY_SOURCE_MAX) {
        *ret_share = 0;
        snprintf(why, why_size, "longer than %zu KiB", READABILITY_SOURCE_MAX >> 10);
        return 0;
    }
    struct buffer input;
    struct sandbox_result result;
    buffer_init(&input, 2 * READABILITY_SOURCE_MAX + 8);
    append_source(&input, source, size);
    append_source(&input, reference, reference_size);
    int r = input.failed ? -ENOMEM : run(python, &input, &result);
    buffer_release(&input);
    if (r < 0)
        return r;
    if (result.end == SANDBOX_ANSWERED && result.answer.kind == ANSWER_DATA) {
        r = take_answer(&result.answer.payload, ret_share, why, why_size);
    } else if (result.end == SANDBOX_ANSWERED) {
        r = -EBADMSG; /* the reference */
    } else if (result.end == SANDBOX_STOPPED || result.end == SANDBOX_LOST || result.unkillable) {
        r = -ECANCELED;
    } else { /* a source that ends the parser: too deep, or it takes too long */
        *ret_share = 0;
        snprintf(why, why_size, "it cannot be read as Python: %s", sandbox_end_text(result.end));
    }
    sandbox_result_release(&result);
    return r;
}

int grade_readability(const char *python, const char *source, size_t size, const char *other, size_t other_size,
    double *ret_share, char *why, size_t why_size)
{
    return readability_measure(python, source, size, other, other_size, ret_share, why, why_size);
}
