/* `export`: a recording in another program's format. */
#include "cmd/cmd.h"
#include "cmd/diff.h"
#include "cmd/load.h"
#include "cmd/outfile.h"
#include "report/report.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PAGE_MAX (UINT64_C(2) << 30)
#define FLUSHED_MAX (UINT64_C(256) << 20) /* of what is written as one piece; the rest goes out 64 KB at a time */
#define NO_FORMAT (-1)

struct options {
    int format, mode;
    bool threads, tasks;
    const char *output, *thread;
    uint64_t pid;
};

static const char *const formats[] = {"collapsed", "speedscope", "pprof", "gecko", "chrome", "callgrind", "pstats",
    "jsonl", "html", "collapsed-diff", NULL};
static const char *const modes[] = {"wall", "cpu", "gil", NULL};

static bool ends_with(const char *text, const char *suffix, size_t size)
{
    size_t length = strlen(text);
    return length > size && memcmp(text + length - size, suffix, size) == 0;
}

static bool has_suffix(const char *path, const char *suffixes)
{
    while (*suffixes != '\0') {
        size_t size = strcspn(suffixes, " ");
        if (ends_with(path, suffixes, size))
            return true;
        suffixes += size + (suffixes[size] == ' ');
    }
    return false;
}

/* The format that was asked for, else the one that the file's name tells, else collapsed. NULL: the name tells too
 * little, and that has been said. */
static const struct report_format *choose_format(const struct options *o)
{
    const char *path = o->output == NULL ? "" : o->output, *slash = strrchr(path, '/');
    const char *name = o->format != NO_FORMAT ? formats[o->format] : NULL;
    if (name == NULL && strncmp(slash == NULL ? path : slash + 1, "callgrind.out", 13) == 0)
        name = "callgrind";
    for (const struct report_format *f = report_formats; f->name != NULL; f++)
        if (name != NULL ? strcmp(f->name, name) == 0 : has_suffix(path, f->suffixes))
            return f;
    if (has_suffix(path, ".json .gz .prof .svg .pit")) {
        cmd_fail_text(CMD_USAGE, "export: %s does not tell the format: say it with --format", path);
        return NULL;
    }
    return &report_formats[0];
}

static int write_out(void *context, struct buffer *out)
{
    int r = file_write_all(*(int *)context, out->data, out->size);
    buffer_clear(out);
    return r;
}

static bool wants_page(const struct options *o)
{
    if (o->format != NO_FORMAT)
        return strcmp(formats[o->format], "html") == 0;
    return o->output != NULL && has_suffix(o->output, ".html");
}

static int end_output(const struct options *o, struct outfile *to, int r)
{
    int closed = outfile_close(to, r == 0);
    if (r == 0)
        r = closed;
    if (r == 0)
        return CMD_OK;
    return cmd_fail_text(
        CMD_FAILED, "cannot write %s: %s", o->output != NULL ? o->output : "standard output", strerror(-r));
}

/* The page is made before it is written; all else is written as it is made. */
static int export_page(const struct options *o, const char *path)
{
    struct outfile to;
    struct error e;
    CLEANUP(buffer_release) struct buffer page;
    buffer_init(&page, PAGE_MAX);
    struct profile_options of = {.mode = (enum profile_mode)o->mode, .thread = o->thread, .pid = (int64_t)o->pid};
    if (cmd_page_make(path, &of, &page, &e) < 0 || outfile_open(o->output, &to, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    return end_output(o, &to, file_write_all(to.fd, page.data, page.size));
}

static int refuse_terminal(const struct report_format *f, int fd)
{
    if (!f->binary || isatty(fd) != 1)
        return CMD_OK;
    return cmd_fail_text(CMD_USAGE, "export: %s is binary, not for a terminal: name a file with -o", f->name);
}

static enum report_first first_of(const struct options *o)
{
    return o->threads ? REPORT_FIRST_THREAD : o->tasks ? REPORT_FIRST_TASK : REPORT_FIRST_FRAME;
}

static int write_export(
    const struct options *o, const struct report_format *f, const struct profile *p, const struct report_spans *spans)
{
    struct outfile to;
    struct error e;
    if (outfile_open(o->output, &to, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    if (refuse_terminal(f, to.fd) != CMD_OK) {
        outfile_close(&to, false);
        return CMD_USAGE;
    }
    CLEANUP(buffer_release) struct buffer out;
    buffer_init(&out, FLUSHED_MAX);
    const struct report_export x = {
        .out = &out, .p = p, .spans = spans, .first = first_of(o), .flush = write_out, .context = &to.fd};
    return end_output(o, &to, f->write(&x));
}

static int export_recording(const struct options *o, const struct report_format *f, const char *path)
{
    struct profile *p = NULL;
    struct report_spans *spans = NULL;
    struct error e;
    struct profile_options of = {.mode = (enum profile_mode)o->mode, .thread = o->thread, .pid = (int64_t)o->pid};
    of.columns = f->columns;
    if (f->spans) {
        if (report_spans_new(&spans) < 0)
            return cmd_fail_text(CMD_FAILED, "out of memory for the export");
        of.span = report_spans_add;
        of.span_context = spans;
    }
    if (cmd_profile_load(path, &of, &p, &e) < 0) {
        report_spans_free(spans);
        return cmd_fail(CMD_FAILED, &e);
    }
    int status = write_export(o, f, p, spans);
    if (status == CMD_OK && !p->summary.complete)
        cmd_fail_text(0, "%s is not whole: %s; all that could be read was exported", path, p->summary.damage);
    report_spans_free(spans);
    profile_free(p);
    return status;
}

/* Two recordings, as one set of stacks with two numbers each. */
static int export_diff(const struct options *o, char *const *paths)
{
    struct profile_options of = {.mode = (enum profile_mode)o->mode, .thread = o->thread, .pid = (int64_t)o->pid};
    char *const *const names[2] = {&paths[0], &paths[1]};
    struct outfile to;
    struct error e;
    int status = CMD_FAILED;
    struct diff_sides *sides = diff_sides_load(names, (const size_t[2]){1, 1}, &of, &status);
    if (sides == NULL)
        return status;
    if (outfile_open(o->output, &to, &e) < 0) {
        diff_sides_free(sides);
        return cmd_fail(CMD_FAILED, &e);
    }
    CLEANUP(buffer_release) struct buffer out;
    buffer_init(&out, FLUSHED_MAX);
    status = end_output(o, &to, report_diff_collapsed(&out, sides->diff, write_out, &to.fd));
    diff_sides_free(sides);
    return status;
}

static int export_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct options o = {.format = NO_FORMAT};
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    bool two = o.format != NO_FORMAT && strcmp(formats[o.format], "collapsed-diff") == 0;
    if (argc - used != 1 + two)
        return cmd_fail_text(
            CMD_USAGE, two ? "export: name two recordings: pitviper export --format collapsed-diff -o OUT A.pit B.pit"
                           : "export: name one recording: pitviper export --format speedscope -o OUT FILE.pit");
    if (o.pid > INT32_MAX)
        return cmd_fail_text(CMD_USAGE, "export: --pid is no process id");
    if (o.output != NULL && strcmp(o.output, "-") == 0)
        o.output = NULL;
    /* A reader that is gone is told as what it is, not by a signal. */
    signal(SIGPIPE, SIG_IGN);
    if (two)
        return export_diff(&o, &argv[used]);
    if (wants_page(&o))
        return export_page(&o, argv[used]);
    const struct report_format *f = choose_format(&o);
    if (f == NULL || (o.output == NULL && refuse_terminal(f, STDOUT_FILENO) != CMD_OK))
        return CMD_USAGE;
    if (o.threads && o.tasks)
        return cmd_fail_text(CMD_USAGE, "export: --threads and --tasks each want to come first: choose one");
    if (o.tasks && f != &report_formats[0])
        return cmd_fail_text(CMD_USAGE, "export: --tasks goes with collapsed%s",
            strcmp(f->name, "pprof") == 0 ? "; pprof has tasks as a label by itself" : "");
    if (o.threads && f != &report_formats[0])
        return cmd_fail_text(CMD_USAGE,
            f->by_thread ? "export: --threads goes with collapsed; %s tells threads apart by itself"
                         : "export: --threads goes with collapsed; %s has no threads: pick one with --thread",
            f->name);
    return export_recording(&o, f, argv[used]);
}

static const struct cmd_option export_options[] = {
    {"format", 'f', CMD_CHOICE, offsetof(struct options, format), NULL,
        "what to write (default: what OUT ends in, else collapsed)", formats},
    {"output", 'o', CMD_TEXT, offsetof(struct options, output), "OUT", "where to (default: standard output)", NULL},
    {"threads", 0, CMD_FLAG, offsetof(struct options, threads), NULL,
        "collapsed: make the thread's name the first frame", NULL},
    {"tasks", 0, CMD_FLAG, offsetof(struct options, tasks), NULL,
        "collapsed: make the asyncio task's name the first frame", NULL},
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
    .details = "collapsed   a line a stack, for flame graph programs            .collapsed .folded .txt\n"
               "speedscope  each thread in the order of time, speedscope        .speedscope.json\n"
               "pprof       stacks by thread, `go tool pprof` and stores        .pb.gz .pprof\n"
               "gecko       each thread in the order of time, Firefox Profiler  .gecko.json .firefox.json\n"
               "chrome      a time line for Perfetto and chrome://tracing       .trace.json .chrome.json\n"
               "callgrind   functions, lines and calls, KCachegrind             .callgrind callgrind.out*\n"
               "pstats      functions and callers, Python's pstats, snakeviz    .pstats\n"
               "jsonl       a JSON object a stack and a span, for scripts       .jsonl .ndjson\n"
               "html        one page that holds all there is, no network needed .html\n"
               "collapsed-diff  the stacks of two recordings, with microseconds a run in each, for flamegraph.pl\n"
               "In html, --mode is the view that it opens in.",
    .run = export_run,
};
