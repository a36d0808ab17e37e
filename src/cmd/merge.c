/* `merge`: several recordings into one. */
#include "cmd/merge.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int merge_output_open(struct merge_output *o, const char *path, struct error *e)
{
    bool regular = false;
    if (strlen(path) >= sizeof(o->path))
        return error_set(e, ENAMETOOLONG, "cannot write the recording to '%.60s...': the name is too long", path);
    snprintf(o->path, sizeof(o->path), "%s", path);
    if (strcmp(path, "-") != 0) {
        int r = session_output_check(path, &regular, e);
        if (r < 0)
            return r;
    }
    if (regular)
        snprintf(o->aside, sizeof(o->aside), "%s.%d.part", path, (int)getpid());
    return record_merge_new(regular ? o->aside : o->path, &o->merge, e);
}

int merge_output_add(struct merge_output *o, const char *path, struct error *e)
{
    struct record_summary summary;
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    CLEANUP(fd_close) int fd = cmd_recording_open(path, e);
    if (fd < 0)
        return fd;
    int r = record_merge_add(o->merge, fd, name, &summary, e);
    if (r == 0 && !summary.complete)
        cmd_fail_text(0, "%s is not whole: %s; all that could be read was merged", name, summary.damage);
    return r;
}

void merge_output_drop(struct merge_output *o)
{
    (void)record_merge_close(o->merge, NULL);
    o->merge = NULL;
    if (o->aside[0] != '\0')
        (void)unlink(o->aside);
}

int merge_output_close(struct merge_output *o, struct error *e)
{
    int r = record_merge_close(o->merge, e);
    o->merge = NULL;
    if (r == 0 && o->aside[0] != '\0' && rename(o->aside, o->path) < 0)
        r = error_set(e, errno, "cannot write the recording to '%s': %s", o->path, strerror(errno));
    if (r < 0)
        merge_output_drop(o);
    return r;
}

struct options {
    const char *output;
};

static int merge_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct options o = {0};
    struct merge_output out = {0};
    struct error e;
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (o.output == NULL || argc - used < 1)
        return cmd_fail_text(CMD_USAGE, "merge: name the output and the recordings: pitviper merge -o OUT A.pit B.pit");
    for (int i = used, inputs = 0; i < argc; i++)
        if (strcmp(argv[i], "-") == 0 && ++inputs > 1)
            return cmd_fail_text(CMD_USAGE, "merge: standard input can be read once only");
    if (merge_output_open(&out, o.output, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    bool told = false;
    for (int i = used; i < argc; i++) {
        if (merge_output_add(&out, argv[i], &e) < 0) {
            merge_output_drop(&out);
            return cmd_fail(CMD_FAILED, &e);
        }
        if (!told && record_merge_differs(out.merge)) {
            told = true;
            cmd_fail_text(0, "%s is a recording of another command than the one before: merged all the same", argv[i]);
        }
    }
    if (merge_output_close(&out, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    return CMD_OK;
}

static const struct cmd_option merge_options[] = {
    {"output", 'o', CMD_TEXT, offsetof(struct options, output), "OUT", "the recording to write; - is standard output",
        NULL},
    CMD_OPTION_END,
};

const struct cmd_verb cmd_merge_verb = {
    .name = "merge",
    .synopsis = "-o OUT FILE...",
    .summary = "make one recording of several runs",
    .options = merge_options,
    .details =
        "Each recording keeps its own runs, and the time between them is not counted. OUT is written aside and\n"
        "takes its name when it is whole. Of a damaged recording all that can be read is merged, and a line says so;\n"
        "where a file is no recording, nothing is written. Files of other profilers are not merged, for they do not\n"
        "have the times of their samples; diff takes several of them a side.",
    .run = merge_run,
};
