/* `export`: a recording in another program's format. */
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FLUSHED_MAX (UINT64_C(256) << 20) /* one stack is written whole; the rest goes out 64 KB at a time */

struct options {
    int format, mode;
    bool threads;
    const char *output, *thread;
    uint64_t pid;
};

static const char *const formats[] = {"collapsed", NULL};
static const char *const modes[] = {"wall", "cpu", "gil", NULL};

static int write_out(void *context, struct buffer *out)
{
    int r = file_write_all(*(int *)context, out->data, out->size);
    buffer_clear(out);
    return r;
}

static int export_to(const struct options *o, const struct profile *p, int fd)
{
    CLEANUP(buffer_release) struct buffer out;
    buffer_init(&out, FLUSHED_MAX);
    int r = report_collapsed(&out, p, o->threads, write_out, &fd);
    /* Whoever reads our output may stop before its end: no error of ours. */
    if (r == 0 || (r == -EPIPE && o->output == NULL))
        return CMD_OK;
    return cmd_fail_text(
        CMD_FAILED, "cannot write %s: %s", o->output != NULL ? o->output : "standard output", strerror(-r));
}

static int export_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct options o = {0};
    struct profile *p = NULL;
    struct error e;
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (argc - used != 1)
        return cmd_fail_text(
            CMD_USAGE, "export: name one recording: pitviper export --format collapsed -o OUT FILE.pit");
    if (o.pid > INT32_MAX)
        return cmd_fail_text(CMD_USAGE, "export: --pid is no process id");
    struct profile_options of = {.mode = (enum profile_mode)o.mode, .thread = o.thread, .pid = (int64_t)o.pid};
    if (cmd_profile_load(argv[used], &of, &p, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    if (o.output != NULL && strcmp(o.output, "-") == 0)
        o.output = NULL;
    int fd = STDOUT_FILENO, status;
    if (o.output != NULL) {
        fd = open(o.output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
        if (fd < 0) {
            status = cmd_fail_text(CMD_FAILED, "cannot write %s: %s", o.output, strerror(errno));
            profile_free(p);
            return status;
        }
    }
    status = export_to(&o, p, fd);
    /* close() is where quotas and network file systems tell what write() could not. */
    if (o.output != NULL && close(fd) < 0 && errno != EINTR && status == CMD_OK)
        status = cmd_fail_text(CMD_FAILED, "cannot write %s: %s", o.output, strerror(errno));
    if (status == CMD_OK && !p->summary.complete)
        cmd_fail_text(0, "%s is not whole: %s; all before that was exported", argv[used], p->summary.damage);
    profile_free(p);
    return status;
}

static const struct cmd_option export_options[] = {
    {"format", 'f', CMD_CHOICE, offsetof(struct options, format), NULL, "what to write (default collapsed)", formats},
    {"output", 'o', CMD_TEXT, offsetof(struct options, output), "OUT", "where to (default: standard output)", NULL},
    {"threads", 0, CMD_FLAG, offsetof(struct options, threads), NULL, "make the thread's name the first frame", NULL},
    {"mode", 0, CMD_CHOICE, offsetof(struct options, mode), NULL,
        "which samples count: all, on a CPU, holding the GIL (default wall)", modes},
    {"thread", 0, CMD_TEXT, offsetof(struct options, thread), "NAME|TID", "count only this thread", NULL},
    {"pid", 0, CMD_COUNT, offsetof(struct options, pid), "PID", "count only this process", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb cmd_export_verb = {
    .name = "export",
    .synopsis = "[options] FILE",
    .summary = "write a recording in a format of other programs",
    .options = export_options,
    .details = "collapsed: a line a stack for flame graph programs, outermost frame first, each frame as\n"
               "`qualname (path:line)`, frames joined by ';', then a space and the samples. A ';' within a name is\n"
               "written ':'.",
    .run = export_run,
};
