/* `history`: what was measured in a project, over time; and to and from the files of other tools. */
#include "cmd/cmd.h"
#include "cmd/history_show.h"
#include "cmd/outfile.h"
#include "plot/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)256 << 20)
#define PAGE_SERIES_MAX 200 /* more in one page, or one screen, is no picture any more */
#define NO_FORMAT (-1)

struct options {
    const char *store, *metric, *machine, *python, *kind, *html, *import, *output, *revision;
    uint64_t rows, width;
    int export;
    bool json;
};

static const char *const formats[] = {"pyperf", NULL};

/* ---- reading series ---- */

struct seen {
    struct arena arena;
    struct history_series *series;
    struct history_shown *shown; /* NULL: a list only */
    size_t count;
};

static void seen_release(struct seen *s)
{
    for (size_t i = 0; s->shown != NULL && i < s->count; i++)
        free(s->shown[i].changes);
    free(s->shown);
    arena_release(&s->arena);
}

static int find_changes(struct history_shown *x, struct error *e)
{
    double *values = calloc(x->count + 1, sizeof(*values));
    if (values == NULL)
        return error_set(e, ENOMEM, "out of memory");
    for (size_t i = 0; i < x->count; i++)
        values[i] = x->points[i].value;
    int r = x->count < 2 * HISTORY_SEGMENT_MIN
                ? 0
                : stats_changes(values, x->count, HISTORY_SEGMENT_MIN, HISTORY_LEVEL, &x->changes, &x->change_count);
    free(values);
    return r == 0 ? 0 : error_set(e, r, "cannot look for changes in '%s': %s", x->series->subject, strerror(-r));
}

static int see_results(struct history *h, struct seen *s, struct error *e)
{
    s->shown = calloc(s->count + 1, sizeof(*s->shown));
    if (s->shown == NULL)
        return error_set(e, ENOMEM, "out of memory");
    int r = 0;
    for (size_t i = 0; r == 0 && i < s->count; i++) {
        struct history_shown *x = &s->shown[i];
        struct history_result *points = NULL;
        x->series = &s->series[i];
        r = history_points(h, &s->series[i], &s->arena, &points, &x->count, e);
        x->points = points;
        if (r == 0)
            r = find_changes(x, e);
    }
    return r;
}

/* One subject's series with all their results, or, without a subject, what there is. */
static int see(
    const char *store, const char *subject, const struct options *o, bool results, struct seen *ret, struct error *e)
{
    struct history *h = NULL;
    struct history_query q = {
        .subject = subject, .kind = o->kind, .metric = o->metric, .machine = o->machine, .python = o->python};
    struct seen s = {.count = 0};
    arena_init(&s.arena, HISTORY_ARENA_MAX);
    int r = history_open(store, &h, e);
    if (r == 0)
        r = history_list(h, &q, &s.arena, &s.series, &s.count, e);
    q.partly = true;
    if (r == 0 && s.count == 0 && subject != NULL)
        r = history_list(h, &q, &s.arena, &s.series, &s.count, e);
    if (r == 0 && s.count == 0)
        r = error_set(e, ENOENT, "%s holds no such result; 'pitviper history' lists what it holds", store);
    if (r == 0 && results)
        r = see_results(h, &s, e);
    history_close(h);
    if (r < 0)
        seen_release(&s);
    else
        *ret = s;
    return r;
}

/* ---- what the verb can do ---- */

static int write_file(const char *path, const struct buffer *b)
{
    struct outfile f;
    struct error e;
    if (b->failed)
        return cmd_fail_text(CMD_FAILED, "out of memory while writing %s", path == NULL ? "the answer" : path);
    if (outfile_open(path, &f, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    int r = file_write_all(f.fd, b->data, b->size), closed = outfile_close(&f, r == 0);
    r = r < 0 ? r : closed;
    if (r < 0 && r != -EPIPE)
        return cmd_fail_text(CMD_FAILED, "cannot write %s: %s", path == NULL ? "the answer" : path, strerror(-r));
    return CMD_OK;
}

static int show(const char *store, const char *subject, const struct options *o)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(seen_release) struct seen s = {0};
    struct error e;
    bool results = subject != NULL || o->html != NULL;
    buffer_init(&out, OUTPUT_MAX);
    if (see(store, subject, o, results, &s, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    if (o->html != NULL && s.count > PAGE_SERIES_MAX)
        return cmd_fail_text(CMD_USAGE,
            "history: %zu series are too many for a page: name a subject, or --metric, --machine, --python", s.count);
    struct history_show_options how = {
        .width = o->width != 0 ? (size_t)o->width : (size_t)cmd_width(STDOUT_FILENO),
        .rows = (size_t)o->rows,
        .colour = cmd_colour(STDOUT_FILENO),
        .utf8 = plot_utf8(),
    };
    if (o->html != NULL) {
        history_show_page(&out, s.shown, s.count);
        return write_file(o->html, &out);
    }
    if (o->json)
        history_show_json(&out, store, s.series, s.count, s.shown);
    else if (!results)
        history_show_list(&out, s.series, s.count, store, &how);
    for (size_t i = 0; !o->json && results && i < s.count && i < PAGE_SERIES_MAX; i++) {
        buffer_append_string(&out, i > 0 ? "\n" : "");
        history_show_text(&out, &s.shown[i], &how);
    }
    return cmd_print(STDOUT_FILENO, &out);
}

static int import_file(const char *store, const char *path)
{
    CLEANUP(buffer_release) struct buffer in;
    struct history_batch batch = {0};
    struct error e;
    buffer_init(&in, HISTORY_INPUT_MAX);
    int r = file_read_all(AT_FDCWD, path, &in);
    if (r == -EFBIG)
        return cmd_fail_text(CMD_FAILED, "%s is larger than %zu MB", path, HISTORY_INPUT_MAX >> 20);
    if (r < 0)
        return cmd_fail_text(CMD_FAILED, "cannot read %s: %s", path, strerror(-r));
    if (history_import((const char *)in.data, in.size, path, &batch, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    r = history_add(store, batch.results, batch.count, &e);
    size_t count = batch.count;
    history_batch_release(&batch);
    if (r < 0)
        return cmd_fail(CMD_FAILED, &e);
    if (e.text[0] != '\0')
        cmd_fail(0, &e);
    CLEANUP(buffer_release) struct buffer out;
    buffer_init(&out, 8192);
    buffer_printf(&out, "%zu result%s of ", count, count == 1 ? "" : "s");
    text_append_safe(&out, path, strlen(path));
    buffer_append_string(&out, count == 1 ? " is in " : " are in ");
    text_append_safe(&out, store, strlen(store));
    buffer_append_byte(&out, '\n');
    return cmd_print(STDOUT_FILENO, &out);
}

/* Of each series the newest result, of the revision that was asked for. */
static int export_pyperf(const char *store, const char *subject, const struct options *o)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(seen_release) struct seen s = {0};
    struct error e;
    size_t count = 0, left = 0;
    buffer_init(&out, OUTPUT_MAX);
    if (see(store, subject, o, true, &s, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    struct history_result *results = calloc(s.count, sizeof(*results));
    if (results == NULL)
        return cmd_fail_text(CMD_FAILED, "out of memory");
    for (size_t i = 0; i < s.count; i++) {
        size_t at = s.shown[i].count;
        while (at > 0 && o->revision != NULL &&
               strncmp(s.shown[i].points[at - 1].revision, o->revision, strlen(o->revision)) != 0)
            at--;
        if (at > 0)
            results[count++] = s.shown[i].points[at - 1];
    }
    int r = history_export_pyperf(&out, results, count, &left);
    free(results);
    if (r < 0)
        return cmd_fail_text(CMD_FAILED, "cannot make pyperf's file: %s", strerror(-r));
    if (left == count)
        return cmd_fail_text(
            CMD_FAILED, "there is no result that pyperf has a unit for: it knows times, memory and counts");
    if (left > 0)
        cmd_fail_text(
            0, "left out, since pyperf does not know their unit (ratios, exponents): %zu of %zu results", left, count);
    return write_file(o->output, &out);
}

static int history_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct options o = {.rows = 20, .export = NO_FORMAT};
    CLEANUP(free_pointer) char *store = NULL;
    struct error e;
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    const char *subject = used < argc ? argv[used] : NULL;
    bool export = o.export != NO_FORMAT;
    if (argc - used > 1)
        return cmd_fail_text(CMD_USAGE, "history: name one subject, in quotes where it has blanks");
    if ((o.import != NULL) + export + (o.html != NULL) + o.json > 1)
        return cmd_fail_text(CMD_USAGE, "history: --import, --export, --html and --json exclude each other");
    if (o.width > 10000 || o.rows > INT32_MAX)
        return cmd_fail_text(CMD_USAGE, "history: --width and --rows have to be smaller");
    if ((o.output != NULL || o.revision != NULL) && !export)
        return cmd_fail_text(CMD_USAGE, "history: -o and --revision go with --export");
    signal(SIGPIPE, SIG_IGN);
    setlocale(LC_CTYPE, "");
    int r = history_place(o.store, NULL, &store);
    if (r < 0)
        return cmd_fail_text(CMD_FAILED, "cannot find the project's folder: %s", strerror(-r));
    if (history_check(store, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    return o.import != NULL ? import_file(store, o.import)
           : export         ? export_pyperf(store, subject, &o)
                            : show(store, subject, &o);
}

static const struct cmd_option history_options[] = {
    {"store", 0, CMD_TEXT, offsetof(struct options, store), "FILE",
        "the store (default: .pitviper/history.db of the project)", NULL},
    {"metric", 0, CMD_TEXT, offsetof(struct options, metric), "NAME", "only this one: wall, cpu, memory ...", NULL},
    {"machine", 0, CMD_TEXT, offsetof(struct options, machine), "ID", "only of this machine", NULL},
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "NAME",
        "only of this interpreter, such as 'CPython 3.13.0'", NULL},
    {"by", 0, CMD_TEXT, offsetof(struct options, kind), "VERB",
        "only what this measured: prove, bench, scale, gate, pyperf ...", NULL},
    {"json", 0, CMD_FLAG, offsetof(struct options, json), NULL, "print one JSON object", NULL},
    {"html", 0, CMD_TEXT, offsetof(struct options, html), "FILE", "write a page", NULL},
    {"rows", 0, CMD_COUNT, offsetof(struct options, rows), "N", "results of each table (default 20)", NULL},
    {"width", 0, CMD_COUNT, offsetof(struct options, width), "COLUMNS",
        "width of the text (default: the terminal's, else 80)", NULL},
    {"import", 0, CMD_TEXT, offsetof(struct options, import), "FILE",
        "take in a JSON file of pyperf or pytest-benchmark", NULL},
    {"export", 0, CMD_CHOICE, offsetof(struct options, export), NULL,
        "write the newest result of each series in a format of other programs", formats},
    {"output", 'o', CMD_TEXT, offsetof(struct options, output), "FILE", "where to export to (default: standard output)",
        NULL},
    {"revision", 0, CMD_TEXT, offsetof(struct options, revision), "REV",
        "export the newest result of this revision (a commit's name, or its beginning)", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb cmd_history_verb = {
    .name = "history",
    .synopsis = "[options] [SUBJECT]",
    .summary = "show what was measured over time, and where it changed",
    .options = history_options,
    .details =
        "Without a subject: what there is. With one, or a part of its name: its results, one series for each metric,\n"
        "machine and interpreter, and where their level changed.",
    .run = history_run,
};
