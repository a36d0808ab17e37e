/* `diff`: which functions and lines took more or less. */
#include "cmd/diff.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/outfile.h"
#include "report/report.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORT_MAX (UINT64_C(1) << 30)
#define PAGE_MAX (UINT64_C(2) << 30)

struct options {
    bool json;
    int mode, sort;
    uint64_t width, rows;
    const char *thread, *html;
    const char *side; /* never stored into: --a and --b are taken out before */
};

static const char *const modes[] = {"wall", "cpu", "gil", NULL};
static const char *const sorts[] = {"both", "self", "total", NULL};

void diff_sides_free(struct diff_sides *s)
{
    if (s == NULL)
        return;
    diff_free(s->diff);
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < s->counts[side]; i++)
            profile_free(s->profiles[side][i]);
    free(s);
}

/* `p`, of this name, goes with `of`, the first. */
static int check_origin(
    const struct profile *of, const struct profile *p, const char *name, const size_t counts[2], struct error *e)
{
    static const char *const origins[] = {[PROFILE_RECORDING] = "a recording",
        [PROFILE_SAMPLES] = "imported counts of samples",
        [PROFILE_WEIGHTS] = "imported times of stacks",
        [PROFILE_CALLS] = "imported calls of cProfile"};
    enum profile_origin first = of->origin, this = p->origin;
    if (this != first)
        return error_set(
            e, EINVAL, "%s is %s, the first file is %s: they cannot be compared", name, origins[this], origins[first]);
    if ((first == PROFILE_WEIGHTS || first == PROFILE_CALLS) && (counts[0] < 2 || counts[1] < 2))
        return error_set(e, EINVAL,
            "%s is %s, of how many samples is not known: name two files or more a side, so that their spread tells how "
            "sure a change is",
            name, origins[first]);
    return 0;
}

struct diff_sides *diff_sides_load(
    char *const *const names[2], const size_t counts[2], const struct profile_options *options, int *ret_status)
{
    struct diff_sides *s = calloc(1, sizeof(*s));
    const struct profile *first = NULL;
    struct error e;
    int r = s == NULL ? -ENOMEM : 0;
    error_set(&e, ENOMEM, "out of memory while comparing");
    for (int side = 0; r == 0 && side < 2; side++)
        for (size_t i = 0; r == 0 && i < counts[side]; i++) {
            struct profile *p = NULL;
            r = cmd_profile_load(names[side][i], options, &p, &e);
            if (r < 0)
                break;
            s->names[side] = names[side][0];
            s->profiles[side][s->counts[side]++] = p;
            first = first == NULL ? p : first;
            r = check_origin(first, p, names[side][i], counts, &e);
            if (r < 0)
                break;
            if (!p->summary.complete)
                cmd_fail_text(
                    0, "%s is not whole: %s; all that could be read was compared", names[side][i], p->summary.damage);
        }
    if (r == 0)
        r = diff_make((const struct profile *const *)s->profiles[0], counts[0],
            (const struct profile *const *)s->profiles[1], counts[1], &s->diff);
    if (r == 0)
        return s;
    *ret_status = cmd_fail(CMD_FAILED, &e);
    diff_sides_free(s);
    return NULL;
}

/* Takes `--a FILE...` and `--b FILE...` out of the words; what is left is options, and recordings of a and b in turn.
 * The number of words left, or -1 for a side that has too many. */
static int take_sides(int argc, char **argv, char **names[2], size_t counts[2])
{
    int left = 0, side = -1;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--a") == 0 || strcmp(argv[i], "--b") == 0) {
            side = argv[i][2] - 'a';
        } else if (side < 0 || (argv[i][0] == '-' && argv[i][1] != '\0')) {
            side = -1;
            argv[left++] = argv[i];
        } else {
            if (counts[side] == DIFF_PROFILES_MAX)
                return -1;
            names[side][counts[side]++] = argv[i];
        }
    }
    return left;
}

static void describe(const struct diff_sides *s, const char *const commands[2], struct report_side ret[2])
{
    for (int side = 0; side < 2; side++) {
        const struct profile *first = s->profiles[side][0];
        const char *command = profile_meta(first, "command");
        if (commands != NULL)
            command = commands[side];
        else if (first->origin != PROFILE_RECORDING)
            command = s->names[side];
        ret[side] = (struct report_side){command, profile_meta(first, "python"), profile_meta(first, "host"), 0};
        for (size_t i = 0; i < s->counts[side]; i++)
            ret[side].damaged += !s->profiles[side][i]->summary.complete;
    }
}

int diff_sides_write(
    struct buffer *out, const struct diff_sides *s, const char *const commands[2], const struct report_options *how)
{
    struct report_side sides[2];
    describe(s, commands, sides);
    int r = how == NULL ? report_diff_json(out, s->diff) : report_diff(out, s->diff, sides, how);
    return r < 0 ? cmd_fail_text(CMD_FAILED, "cannot make the comparison: %s", strerror(-r)) : CMD_OK;
}

static int print_diff(const struct diff_sides *s, const struct options *o)
{
    CLEANUP(buffer_release) struct buffer out;
    struct report_options how = {
        .width = o->width != 0 ? (size_t)o->width : (size_t)cmd_width(STDOUT_FILENO),
        .colour = cmd_colour(STDOUT_FILENO),
        .sort = (enum report_sort)o->sort,
        .rows = (size_t)o->rows,
    };
    buffer_init(&out, REPORT_MAX);
    int status = diff_sides_write(&out, s, NULL, o->json ? NULL : &how);
    return status != CMD_OK ? status : cmd_print(STDOUT_FILENO, &out);
}

static int write_page(const struct diff_sides *s, const struct options *o)
{
    CLEANUP(buffer_release) struct buffer page;
    struct report_side sides[2];
    struct outfile to;
    struct error e;
    describe(s, NULL, sides);
    buffer_init(&page, PAGE_MAX);
    int r = report_diff_html(&page, s->diff, sides, (enum profile_mode)o->mode);
    if (r < 0)
        return cmd_fail_text(CMD_FAILED, "cannot make the page: %s", strerror(-r));
    signal(SIGPIPE, SIG_IGN);
    if (outfile_open(o->html, &to, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    r = file_write_all(to.fd, page.data, page.size);
    int closed = outfile_close(&to, r == 0);
    r = r < 0 ? r : closed;
    return r == 0 ? CMD_OK : cmd_fail_text(CMD_FAILED, "cannot write %s: %s", o->html, strerror(-r));
}

static int diff_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct options o = {0};
    char **words = calloc(2 * (size_t)argc + 2, sizeof(*words)), **names[2] = {words, words + argc + 1};
    size_t counts[2] = {0};
    int status = CMD_USAGE;
    if (words == NULL)
        return cmd_fail_text(CMD_FAILED, "out of memory");
    int left = take_sides(argc, argv, names, counts);
    int used = left < 0 ? 0 : cmd_options_parse(verb, &o, left, argv, true);
    bool named = counts[0] + counts[1] > 0;
    for (int i = used; !named && used >= 0 && i < left; i++) {
        int side = (i - used) % 2;
        if (counts[side] < DIFF_PROFILES_MAX)
            names[side][counts[side]++] = argv[i];
    }
    if (used < 0)
        status = CMD_USAGE;
    else if (left < 0 || (!named && left - used > 2 * DIFF_PROFILES_MAX))
        cmd_fail_text(CMD_USAGE, "diff: at most %d recordings a side; merge some first", DIFF_PROFILES_MAX);
    else if (counts[0] == 0 || counts[1] == 0 || (!named && counts[0] != counts[1]) || (named && left > used))
        cmd_fail_text(CMD_USAGE, "diff: name two recordings (or pairs of them, or --a FILE... --b FILE...)");
    else if (o.width > 10000 || o.rows > INT32_MAX)
        cmd_fail_text(CMD_USAGE, "diff: --width and --rows have to be smaller");
    else if (o.html != NULL && o.json)
        cmd_fail_text(CMD_USAGE, "diff: --html or --json, not both");
    else {
        struct profile_options of = {.mode = (enum profile_mode)o.mode, .thread = o.thread};
        struct diff_sides *s = diff_sides_load((char *const *const *)names, counts, &of, &status);
        if (s != NULL)
            status = o.html != NULL ? write_page(s, &o) : print_diff(s, &o);
        diff_sides_free(s);
    }
    free(words);
    return status;
}

static const struct cmd_option diff_options[] = {
    {"a", 0, CMD_TEXT, offsetof(struct options, side), "FILE...", "recordings of the one side", NULL},
    {"b", 0, CMD_TEXT, offsetof(struct options, side), "FILE...", "recordings of the other side", NULL},
    {"json", 0, CMD_FLAG, offsetof(struct options, json), NULL, "print every function and line as one JSON object",
        NULL},
    {"html", 0, CMD_TEXT, offsetof(struct options, html), "OUT",
        "write the page with the differential flame graph; - is standard output", NULL},
    {"mode", 0, CMD_CHOICE, offsetof(struct options, mode), NULL,
        "which samples count: all, on a CPU, holding the GIL (default wall)", modes},
    {"thread", 0, CMD_TEXT, offsetof(struct options, thread), "NAME|TID", "count only this thread", NULL},
    {"sort", 0, CMD_CHOICE, offsetof(struct options, sort), NULL,
        "which table of functions: by self time, by total time, both (default both)", sorts},
    {"rows", 0, CMD_COUNT, offsetof(struct options, rows), "N", "rows of each table (default 12)", NULL},
    {"width", 0, CMD_COUNT, offsetof(struct options, width), "COLUMNS",
        "width of the text (default: the terminal's, else 80)", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb cmd_diff_verb = {
    .name = "diff",
    .synopsis = "[options] A B [A2 B2 ...] | --a FILE... --b FILE...",
    .summary = "say which functions and lines took more or less, and how sure that is",
    .options = diff_options,
    .details = "With one run a side it tells the change within these two runs. With two or more a side (run --repeat,\n"
               "merge, or several files) it tells the change between versions, from the spread between runs.",
    .run = diff_run,
};
