/* `scale`: how what a function costs grows with the size of its input. */
#include "cmd/scale.h"
#include "cmd/cmd.h"
#include "cmd/keep.h"
#include "cmd/outfile.h"
#include "cmd/waiting.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX (UINT64_C(64) << 20)
#define PLOT_HEIGHT 16

struct options {
    struct keep_options keep;
    const char *sizes, *setup, *python, *html;
    uint64_t predict, budget, timeout, runs, width;
    bool json;
};

int scale_parse_sizes(const char *text, double sizes[GROWTH_SIZES_MAX], size_t *ret_count, struct error *e)
{
    size_t count = 0;
    for (const char *at = text;; at++) {
        char one[32];
        uint64_t value;
        size_t size = strcspn(at, ",");
        snprintf(one, sizeof(one), "%.*s", (int)(size < sizeof(one) ? size : sizeof(one) - 1), at);
        if (size >= sizeof(one) || parse_count(one, &value) < 0 || value < 1 || (double)value > GROWTH_SIZE_MOST)
            return error_set(e, EINVAL, "'%.40s' in --sizes is not a size: write 1000 or 1k, such as 1k,2k,4k", one);
        if (count > 0 && (double)value <= sizes[count - 1])
            return error_set(e, EINVAL, "--sizes have to rise: %s comes after %.0f", one, sizes[count - 1]);
        if (count == GROWTH_SIZES_MAX)
            return error_set(e, EINVAL, "--sizes has more than %d sizes", GROWTH_SIZES_MAX);
        sizes[count++] = (double)value;
        at += size;
        if (*at == '\0')
            break;
    }
    if (count < GROWTH_SIZES_MIN)
        return error_set(
            e, EINVAL, "--sizes has %zu of at least %d sizes that an exponent takes", count, GROWTH_SIZES_MIN);
    *ret_count = count;
    return 0;
}

void scale_show_progress(void *context, const struct growth_progress *p)
{
    char n[PLOT_TEXT];
    (void)context;
    waiting_show("%s at n = %s, %.0f of at most %.0f s", p->stage, plot_number(n, p->n, PLOT_NUMBER),
        (double)p->spent_ns / 1e9, (double)p->budget_ns / 1e9);
}

static int write_page(const char *path, const struct growth_result *r, const struct scale_view *v)
{
    CLEANUP(buffer_release) struct buffer out;
    struct outfile file;
    struct error e;
    buffer_init(&out, OUTPUT_MAX);
    scale_put_page(&out, r, v);
    if (out.failed)
        return cmd_fail_text(CMD_FAILED, "out of memory while making the page");
    if (outfile_open(path, &file, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    int written = file_write_all(file.fd, out.data, out.size), closed = outfile_close(&file, written == 0);
    if (written < 0 || closed < 0)
        return cmd_fail_text(CMD_FAILED, "cannot write '%s': %s", path, strerror(written < 0 ? -written : -closed));
    return CMD_OK;
}

static int show(const struct growth_result *r, const struct options *o, const char *name)
{
    CLEANUP(buffer_release) struct buffer out;
    struct scale_view view = {
        .name = name,
        .setup = o->setup,
        .predict = (double)o->predict,
        .cells =
            {
                .width = o->width != 0 ? (size_t)o->width : (size_t)cmd_width(STDOUT_FILENO),
                .height = PLOT_HEIGHT,
                .utf8 = plot_utf8(),
                .colour = cmd_colour(STDOUT_FILENO),
            },
    };
    buffer_init(&out, OUTPUT_MAX);
    if (o->json)
        scale_put_json(&out, r, &view);
    else
        scale_put_text(&out, r, &view);
    int status = cmd_print(STDOUT_FILENO, &out);
    if (status == CMD_OK && o->html != NULL)
        status = write_page(o->html, r, &view);
    if (status != CMD_OK)
        return status;
    return r->interrupted ? CMD_INTERRUPTED : r->verdict.settled ? CMD_OK : CMD_UNSETTLED;
}

/* The exponents: by CPU time, and by each count. */
void scale_keep(
    struct keep *k, struct prove_runner *runner, const struct prove_subject *s, const struct growth_result *r)
{
    static const char *const names[] = {"growth", "growth of calls", "growth of lines", "growth of instructions"};
    static const enum growth_measure measures[] = {GROWTH_CPU, GROWTH_CALLS, GROWTH_LINES, GROWTH_INSTRUCTIONS};
    struct history_result all[ARRAY_SIZE(names)];
    size_t count = 0;
    keep_python(k, runner, s);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct growth_fit *fit = &r->fits[measures[i]];
        if (!r->fitted[measures[i]] || !isfinite(fit->exponent.estimate))
            continue;
        all[count] = keep_result(k, "scale", s->name, names[i], "exponent", fit->exponent.estimate);
        all[count].low = fit->exponent.low;
        all[count].high = fit->exponent.high;
        all[count].runs = r->runs;
        all[count++].verdict = growth_shape_words(fit->shape);
    }
    keep_add(k, all, count);
}

static int measure(struct prove_runner *runner, const struct options *o, const struct growth_options *how,
    const char *name, struct keep *keep)
{
    struct prove_subject *subject = NULL;
    struct growth_result *result = NULL;
    struct error e;
    int status = CMD_FAILED;
    struct prove_subject_options given = {.python = o->python, .setup = o->setup};
    if (prove_subject_new(name, &given, &subject, &e) < 0)
        return cmd_fail(CMD_USAGE, &e);
    if (subject->kind != PROVE_FUNCTION) {
        status = cmd_fail_text(CMD_USAGE, "'%s' is not a function: name it as MODULE:NAME or FILE.py:NAME", name);
    } else {
        int r = growth_measure(runner, subject, how, &result, &e);
        waiting_hide();
        if (r == 0)
            status = show(result, o, name);
        if (r == 0 && !result->interrupted)
            scale_keep(keep, runner, subject, result);
        if (r < 0)
            status = r == -ECANCELED ? CMD_INTERRUPTED : cmd_fail(CMD_FAILED, &e);
    }
    growth_free(result);
    prove_subject_free(subject);
    return status;
}

static int scale_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct options o = {0};
    struct error e;
    struct growth_options how = {.progress = scale_show_progress};
    struct prove_runner *runner = NULL;
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (argc - used != 1)
        return cmd_fail_text(CMD_USAGE, "scale: name one function, as MODULE:NAME or FILE.py:NAME");
    if (o.sizes != NULL && scale_parse_sizes(o.sizes, how.sizes, &how.size_count, &e) < 0)
        return cmd_fail_text(CMD_USAGE, "scale: %s", e.text);
    if (o.runs > GROWTH_RUNS_MAX || o.width > 400 || (double)o.predict > GROWTH_SIZE_MOST)
        return cmd_fail_text(
            CMD_USAGE, "scale: --runs can be %d, --width 400, --predict %g at most", GROWTH_RUNS_MAX, GROWTH_SIZE_MOST);
    how.budget_ns = o.budget;
    how.timeout_ns = o.timeout;
    how.runs = (uint32_t)o.runs;
    (void)setlocale(LC_CTYPE, "");
    if (prove_runner_open(&runner, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    prove_runner_watch(runner, waiting_watch_interrupts());
    struct keep keep = {.path = NULL};
    int status = keep_open(&o.keep, runner, &keep);
    if (status == CMD_OK)
        status = measure(runner, &o, &how, argv[used], &keep);
    keep_release(&keep);
    prove_runner_close(runner);
    return status;
}

static const struct cmd_option scale_options[] = {
    {"sizes", 0, CMD_TEXT, offsetof(struct options, sizes), "LIST",
        "sizes to measure at, such as 1k,2k,4k (default: doubled as far as the budget goes)", NULL},
    {"setup", 0, CMD_TEXT, offsetof(struct options, setup), "EXPR",
        "an expression in n, in the function's module, whose value is the argument (default: n itself)", NULL},
    {"predict", 0, CMD_COUNT, offsetof(struct options, predict), "N",
        "the size to predict the time of (default: ten times the largest)", NULL},
    {"budget", 0, CMD_DURATION, offsetof(struct options, budget), "TIME", "how long to measure (default 10 s)", NULL},
    {"timeout", 0, CMD_DURATION, offsetof(struct options, timeout), "TIME",
        "after which one process counts as hung (default 60 s)", NULL},
    {"runs", 0, CMD_COUNT, offsetof(struct options, runs), "N", "processes that time each size (default 3)", NULL},
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "EXE", "the interpreter (default: $VIRTUAL_ENV, python3)",
        NULL},
    {"html", 0, CMD_TEXT, offsetof(struct options, html), "FILE", "write it as a page too", NULL},
    KEEP_OPTIONS(struct options, keep),
    {"json", 0, CMD_FLAG, offsetof(struct options, json), NULL, "print all figures as one JSON object", NULL},
    {"width", 0, CMD_COUNT, offsetof(struct options, width), "COLUMNS",
        "width of the text (default: the terminal's, else 80)", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb cmd_scale_verb = {
    .name = "scale",
    .synopsis = "[options] MODULE:NAME | FILE.py:NAME",
    .summary = "say how a function's cost grows with the size of its input, and predict it",
    .options = scale_options,
    .details =
        "Fresh processes time the function at each size, and others count its calls, lines and instructions.\n"
        "Where the two agree, the counts decide, which are exact; where time grows faster, the work is inside C,\n"
        "and time decides. Exit status 4: the growth is not settled.",
    .run = scale_run,
};
