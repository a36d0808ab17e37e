/* `prove --explain`: which functions and lines carry the difference. */
#include "cmd/prove_explain.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>

static void on_progress(void *context, size_t done, size_t of)
{
    (void)context;
    fprintf(stderr, "\rexplain: %zu of %zu runs\033[K", done, of);
    fflush(stderr);
}

struct diff_sides *prove_explain(
    struct prove_runner *r, struct prove_subject *const subjects[2], const struct prove_options *o, int *ret_status)
{
    struct prove_recordings recordings = {.folder = ""};
    const struct prove_subject *both[2] = {subjects[0], subjects[1]};
    const struct prove_explain_options how = {
        .timeout_ns = o->timeout_ns,
        .seed = o->seed,
        .progress = o->progress ? on_progress : NULL,
    };
    struct diff_sides *sides = NULL;
    struct error e = {""};
    int result = prove_record(r, both, &how, &recordings, &e);
    if (how.progress)
        fputs("\r\033[K", stderr);
    if (result < 0) {
        error_prefix(&e, "no explanation");
        *ret_status = cmd_fail(result == -ECANCELED ? CMD_INTERRUPTED : CMD_FAILED, &e);
        return NULL;
    }
    char *const *names[2] = {recordings.names[0], recordings.names[1]};
    const size_t counts[2] = {recordings.count, recordings.count};
    sides = diff_sides_load(names, counts, &(struct profile_options){.mode = PROFILE_WALL}, ret_status);
    for (int side = 0; side < 2 && sides; side++)
        sides->names[side] = subjects[side]->name; /* the files' names go with the files */
    prove_recordings_release(&recordings);
    if (!sides || (sides->diff->whole.a > 0 && sides->diff->whole.b > 0))
        return sides;
    *ret_status = cmd_fail_text(CMD_FAILED,
        "no explanation: no sample could be taken of %.200s; is it a Python program that "
        "runs for longer than a few milliseconds?",
        subjects[sides->diff->whole.a > 0]->name);
    diff_sides_free(sides);
    return NULL;
}
