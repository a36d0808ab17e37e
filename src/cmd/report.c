/* `report`: where a recording's time went. */
#include "report/report.h"
#include "cmd/cmd.h"
#include "cmd/load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define REPORT_MAX (UINT64_C(4) << 30)

struct options {
    bool json, html;
    int mode, sort;
    uint64_t width, rows, pid;
    const char *thread;
};

static const char *const modes[] = {"wall", "cpu", "gil", NULL};
static const char *const sorts[] = {"both", "self", "total", NULL};

int cmd_recording_open(const char *path, struct error *e)
{
    int fd =
        strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_set(e, errno, "cannot read %s: %s", path, strerror(errno));
    return fd;
}

int cmd_profile_load(const char *path, const struct profile_options *options, struct profile **ret, struct error *e)
{
    CLEANUP(fd_close) int fd = cmd_recording_open(path, e);
    if (fd < 0)
        return fd;
    return profile_read(fd, strcmp(path, "-") == 0 ? "standard input" : path, options, ret, e);
}

static int print_report(const struct profile *p, const struct report_options *options, bool json, int fd)
{
    CLEANUP(buffer_release) struct buffer out;
    buffer_init(&out, REPORT_MAX);
    int r = json ? report_json(&out, p, options) : report_text(&out, p, options);
    if (r < 0)
        return cmd_fail_text(CMD_FAILED, "cannot make the report: %s", strerror(-r));
    return cmd_print(fd, &out);
}

int cmd_report_file(const char *path, int fd)
{
    struct profile *p = NULL;
    struct error e;
    if (cmd_profile_load(path, &(struct profile_options){.mode = PROFILE_WALL}, &p, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    struct report_options options = {.width = (size_t)cmd_width(fd), .colour = cmd_colour(fd)};
    int status = print_report(p, &options, false, fd);
    profile_free(p);
    return status;
}

static int report_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct options o = {0};
    struct profile *p = NULL;
    struct error e;
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (argc - used != 1)
        return cmd_fail_text(CMD_USAGE, "report: name one recording: pitviper report FILE.pit");
    if (o.pid > INT32_MAX)
        return cmd_fail_text(CMD_USAGE, "report: --pid is no process id");
    if (o.width > 10000 || o.rows > INT32_MAX)
        return cmd_fail_text(CMD_USAGE, "report: --width and --rows have to be smaller");
    if (o.html && o.json)
        return cmd_fail_text(CMD_USAGE, "report: --html or --json, not both");
    struct profile_options of = {.mode = (enum profile_mode)o.mode, .thread = o.thread, .pid = (int64_t)o.pid};
    if (o.html)
        return cmd_page_report(argv[used], &of);
    if (cmd_profile_load(argv[used], &of, &p, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    struct report_options how = {
        .width = o.width != 0 ? (size_t)o.width : (size_t)cmd_width(STDOUT_FILENO),
        .colour = cmd_colour(STDOUT_FILENO),
        .sort = (enum report_sort)o.sort,
        .rows = (size_t)o.rows,
    };
    int status = print_report(p, &how, o.json, STDOUT_FILENO);
    profile_free(p);
    return status;
}

static const struct cmd_option report_options[] = {
    {"json", 0, CMD_FLAG, offsetof(struct options, json), NULL, "print the same facts as one JSON object", NULL},
    {"html", 0, CMD_FLAG, offsetof(struct options, html), NULL,
        "write the page beside FILE, print its path and open it in $BROWSER", NULL},
    {"mode", 0, CMD_CHOICE, offsetof(struct options, mode), NULL,
        "which samples count: all, on a CPU, holding the GIL (default wall)", modes},
    {"sort", 0, CMD_CHOICE, offsetof(struct options, sort), NULL,
        "which table of functions: by self time, by total time, both (default both)", sorts},
    {"rows", 0, CMD_COUNT, offsetof(struct options, rows), "N", "rows of each table (default 12)", NULL},
    {"thread", 0, CMD_TEXT, offsetof(struct options, thread), "NAME|TID", "count only this thread", NULL},
    {"pid", 0, CMD_COUNT, offsetof(struct options, pid), "PID", "count only this process", NULL},
    {"width", 0, CMD_COUNT, offsetof(struct options, width), "COLUMNS",
        "width of the text report (default: the terminal's, else 80)", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb cmd_report_verb = {
    .name = "report",
    .synopsis = "[options] FILE",
    .summary = "say where the time of a recording went, and how sure that is",
    .options = report_options,
    .details = "FILE is a recording (NAME.pit), collapsed stacks, a pstats or a speedscope file, or - for standard "
               "input. Of a damaged recording all is reported\n"
               "that can be read, and the report says so first. Ranges are 95 % intervals of the share in this run.",
    .run = report_run,
};
