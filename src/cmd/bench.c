/* `bench`: what one command or function takes, and how far that is to be trusted. */
#include "cmd/bench.h"
#include "cmd/cmd.h"
#include "cmd/keep.h"
#include "cmd/waiting.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX (UINT64_C(64) << 20)
#define TEXT_MAX (1u << 20)
#define NUMBER_LETTERS "-0123456789.eE+" /* no hexadecimal, nan or inf */

struct options {
    struct keep_options keep;
    const char *parameter; /* never stored into: taken out before */
    const char *setup, *args, *python, *input;
    uint64_t budget, timeout, runs, width;
    bool json;
};
struct benching {
    const struct options *o;
    struct prove_runner *runner;
    struct keep keep;
    const char *text; /* the command or function, with {name} for parameters */
    struct bench_parameter parameters[BENCH_PARAMETERS_MAX];
    size_t parameter_count;
    struct bench_point points[BENCH_POINTS_MAX];
    size_t point_count;
    struct error e;
};

/* ---- parameters ---- */

static int parse_parameter(const char *text, struct bench_parameter *ret)
{
    const char *equals = strchr(text, '=');
    struct bench_parameter p = {.count = 0};
    size_t size = equals != NULL ? (size_t)(equals - text) : 0;
    bool name = size > 0 && size < sizeof(p.name) && (text[0] < '0' || text[0] > '9');
    for (size_t i = 0; name && i < size; i++)
        name = text[i] == '_' || (text[i] >= '0' && text[i] <= '9') || ((text[i] | 32) >= 'a' && (text[i] | 32) <= 'z');
    if (!name)
        return -EINVAL;
    memcpy(p.name, text, size);
    for (const char *at = equals + 1;; at++) {
        size_t width = strcspn(at, ",");
        if (width == 0 || p.count == BENCH_VALUES_MAX)
            return -EINVAL;
        p.values[p.count] = at;
        p.sizes[p.count++] = width;
        at += width;
        if (*at == '\0')
            break;
    }
    *ret = p;
    return 0;
}

/* Takes every `--param NAME=LIST` out of the words; how many are left, or -1 after having said what is wrong. */
static int take_parameters(struct benching *b, int argc, char **argv)
{
    int left = 0;
    size_t points = 1;
    for (int i = 0; i < argc; i++) {
        const char *list = NULL;
        if (strcmp(argv[i], "--") == 0) {
            while (i < argc)
                argv[left++] = argv[i++];
            break;
        }
        if (strncmp(argv[i], "--param=", 8) == 0)
            list = argv[i] + 8;
        else if (strcmp(argv[i], "--param") == 0 && i + 1 < argc)
            list = argv[++i];
        if (list == NULL) {
            argv[left++] = argv[i];
            continue;
        }
        if (b->parameter_count == BENCH_PARAMETERS_MAX)
            return cmd_fail_text(-1, "bench: at most %d --param", BENCH_PARAMETERS_MAX);
        struct bench_parameter *p = &b->parameters[b->parameter_count];
        if (parse_parameter(list, p) < 0)
            return cmd_fail_text(-1, "bench: --param cannot be '%s': write it as n=10,100,1000", list);
        for (size_t k = 0; k < b->parameter_count; k++)
            if (strcmp(p->name, b->parameters[k].name) == 0)
                return cmd_fail_text(-1, "bench: --param names %s twice", p->name);
        b->parameter_count++;
        points *= p->count;
        if (points > BENCH_POINTS_MAX)
            return cmd_fail_text(-1, "bench: --param makes %zu combinations, of at most %d", points, BENCH_POINTS_MAX);
    }
    return left;
}

/* The values of a combination as JSON, for a set-up: counts (10k too) and other numbers as such, all else as strings.
 */
static void put_names(struct buffer *out, const struct benching *b, const struct bench_point *at)
{
    struct json j = {.out = out};
    json_object_begin(&j, NULL);
    for (size_t i = 0; i < b->parameter_count; i++) {
        const struct bench_parameter *p = &b->parameters[i];
        const char *text = p->values[at->choice[i]];
        size_t size = p->sizes[at->choice[i]];
        char value[64] = "", *end;
        uint64_t count;
        if (size < sizeof(value))
            memcpy(value, text, size);
        double number = strtod(value, &end);
        if (parse_count(value, &count) == 0 && count <= INT64_MAX)
            json_integer(&j, p->name, (int64_t)count);
        else if (value[0] != '\0' && *end == '\0' && value[strspn(value, NUMBER_LETTERS)] == '\0')
            json_number(&j, p->name, number);
        else
            json_string(&j, p->name, text, size);
    }
    json_object_end(&j);
}

/* The command with every {name} replaced. */
static void put_command(struct buffer *out, const struct benching *b, const struct bench_point *at)
{
    for (const char *c = b->text; *c != '\0'; c++) {
        const struct bench_parameter *found = NULL;
        size_t choice = 0;
        for (size_t i = 0; *c == '{' && i < b->parameter_count && found == NULL; i++) {
            size_t size = strlen(b->parameters[i].name);
            if (strncmp(c + 1, b->parameters[i].name, size) == 0 && c[1 + size] == '}') {
                found = &b->parameters[i];
                choice = at->choice[i];
                c += size + 1;
            }
        }
        if (found != NULL)
            buffer_append(out, found->values[choice], found->sizes[choice]);
        else
            buffer_append_byte(out, (uint8_t)*c);
    }
}

/* ---- running ---- */

static void show_progress(void *context, const char *stage, size_t done, size_t planned)
{
    const struct benching *b = context;
    if (b->parameter_count > 0)
        waiting_show("combination %zu; %s: %zu of at most %zu", b->point_count + 1, stage, done, planned);
    else
        waiting_show("%s: %zu of at most %zu", stage, done, planned);
}

/* A function's parameters are not in its text, so they are put behind it. */
static void put_name(struct buffer *out, const struct benching *b, const struct bench_point *at, const char *text)
{
    buffer_append_string(out, text);
    for (size_t i = 0; at->result->function && i < b->parameter_count; i++) {
        const struct bench_parameter *p = &b->parameters[i];
        buffer_printf(out, " %s=%.*s", p->name, (int)p->sizes[at->choice[i]], p->values[at->choice[i]]);
    }
}

static void keep_point(struct benching *b, const struct bench_point *at, const struct prove_subject *s)
{
    static const char *const names[BENCH_METRICS] = {"wall", "cpu"};
    CLEANUP(buffer_release) struct buffer name;
    CLEANUP(free_pointer) double *levels = NULL;
    const struct bench_result *r = at->result;
    struct history_result all[BENCH_METRICS + 1];
    buffer_init(&name, TEXT_MAX);
    put_name(&name, b, at, s->name);
    levels = calloc(r->process_count + 1, sizeof(*levels));
    if (levels == NULL || r->interrupted)
        return;
    keep_python(&b->keep, b->runner, s);
    for (int i = 0; i < BENCH_METRICS; i++) {
        const struct stats_interval *centre = &r->figures[i].centre;
        all[i] = keep_result(&b->keep, "bench", buffer_text(&name), names[i], "s", centre->estimate);
        all[i].low = centre->low;
        all[i].high = centre->high;
        all[i].runs = r->process_count;
    }
    for (size_t i = 0; r->function && i < r->process_count; i++)
        levels[i] = r->processes[i].level;
    all[BENCH_WALL].samples = r->function ? levels : r->values;
    all[BENCH_WALL].sample_count = r->function ? r->process_count : r->value_count;
    all[BENCH_WALL].verdict = !r->function ? "" : r->steady ? "steady" : "no steady state";
    all[BENCH_METRICS] = keep_result(&b->keep, "bench", buffer_text(&name), "memory", "bytes", r->memory);
    all[BENCH_METRICS].runs = r->process_count;
    keep_add(&b->keep, all, ARRAY_SIZE(all));
}

static int run_point(struct benching *b, struct bench_point *at, size_t points)
{
    CLEANUP(buffer_release) struct buffer names, text;
    const struct options *o = b->o;
    struct prove_subject *s = NULL;
    struct bench_options how = {
        .budget_ns = (o->budget != 0 ? o->budget : UINT64_C(10000000000)) / points,
        .timeout_ns = o->timeout,
        .runs = (uint32_t)o->runs,
        .progress = show_progress,
        .context = b,
    };
    buffer_init(&names, TEXT_MAX);
    buffer_init(&text, TEXT_MAX);
    put_names(&names, b, at);
    put_command(&text, b, at);
    if (names.failed || text.failed)
        return error_set(&b->e, ENOMEM, "the command with its parameters is too long");
    struct prove_subject_options given = {
        .python = o->python,
        .setup = o->setup,
        .args = o->args,
        .input = o->input,
        .names = b->parameter_count > 0 ? buffer_text(&names) : NULL,
    };
    int r = prove_subject_new(buffer_text(&text), &given, &s, &b->e);
    if (r == 0)
        r = bench_measure(b->runner, s, &how, &at->result, &b->e);
    if (r == 0)
        keep_point(b, at, s);
    prove_subject_free(s);
    return r;
}

/* Every combination, the last parameter fastest. */
static int run_points(struct benching *b)
{
    size_t points = 1;
    for (size_t i = 0; i < b->parameter_count; i++)
        points *= b->parameters[i].count;
    for (size_t index = 0; index < points; index++) {
        struct bench_point *at = &b->points[b->point_count];
        size_t rest = index;
        for (size_t i = b->parameter_count; i-- > 0; rest /= b->parameters[i].count)
            at->choice[i] = rest % b->parameters[i].count;
        int r = run_point(b, at, points);
        if (r < 0)
            return r;
        b->point_count++;
        if (at->result->interrupted)
            break;
    }
    return 0;
}

static int show(const struct benching *b, const struct bench_noise *noise)
{
    CLEANUP(buffer_release) struct buffer out;
    struct bench_view view = {
        .name = b->text,
        .parameters = b->parameters,
        .parameter_count = b->parameter_count,
        .points = b->points,
        .point_count = b->point_count,
        .noise = noise,
        .cells =
            {
                .width = b->o->width != 0 ? (size_t)b->o->width : (size_t)cmd_width(STDOUT_FILENO),
                .utf8 = plot_utf8(),
                .colour = cmd_colour(STDOUT_FILENO),
            },
    };
    buffer_init(&out, OUTPUT_MAX);
    if (b->o->json)
        bench_put_json(&out, &view);
    else
        bench_put_text(&out, &view);
    return cmd_print(STDOUT_FILENO, &out);
}

static int bench(struct benching *b)
{
    struct bench_ticks before;
    struct bench_noise noise;
    double own = 0;
    bool interrupted = false;
    if (prove_runner_open(&b->runner, &b->e) < 0)
        return cmd_fail(CMD_FAILED, &b->e);
    prove_runner_watch(b->runner, waiting_watch_interrupts());
    int status = keep_open(&b->o->keep, b->runner, &b->keep);
    if (status != CMD_OK) {
        prove_runner_close(b->runner);
        return status;
    }
    bench_noise_begin("", &before);
    int r = run_points(b);
    waiting_hide();
    keep_release(&b->keep);
    prove_runner_close(b->runner);
    for (size_t i = 0; i < b->point_count; i++) {
        own += b->points[i].result->own_cpu;
        interrupted = interrupted || b->points[i].result->interrupted;
    }
    bench_noise_end("", &before, own, &noise);
    if (r == -ECANCELED && b->point_count > 0) {
        interrupted = true;
        r = 0;
    }
    if (r < 0)
        return r == -ECANCELED ? CMD_INTERRUPTED : cmd_fail(CMD_FAILED, &b->e);
    status = show(b, &noise);
    return status == CMD_OK && interrupted ? CMD_INTERRUPTED : status;
}

static int bench_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct options o = {0};
    struct benching *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return cmd_fail_text(CMD_FAILED, "out of memory");
    b->o = &o;
    int left = take_parameters(b, argc, argv);
    int used = left < 0 ? -1 : cmd_options_parse(verb, &o, left, argv, true), status = CMD_USAGE;
    if (used >= 0 && left - used != 1)
        cmd_fail_text(CMD_USAGE, "bench: name one command, in quotes, or one function, as MODULE:NAME or FILE.py:NAME");
    else if (used >= 0 && o.setup != NULL && o.args != NULL)
        cmd_fail_text(CMD_USAGE, "--setup and --args both make the arguments: give one of them");
    else if (used >= 0 && (o.runs == 1 || o.runs > BENCH_RUNS_MAX || o.width > 400))
        cmd_fail_text(CMD_USAGE, "bench: --runs has to be 2 to %d, --width at most 400", BENCH_RUNS_MAX);
    else if (used >= 0) {
        b->text = argv[used];
        (void)setlocale(LC_CTYPE, "");
        status = bench(b);
    }
    for (size_t i = 0; i < b->point_count; i++)
        bench_free(b->points[i].result);
    free(b);
    return status;
}

static const struct cmd_option bench_options[] = {
    {"param", 0, CMD_TEXT, offsetof(struct options, parameter), "NAME=LIST",
        "run once for each value, such as n=10,100,1000: {n} in a command, n in --setup, else the argument", NULL},
    {"setup", 0, CMD_TEXT, offsetof(struct options, setup), "EXPR",
        "functions: an expression in their module, the argument (a tuple: all of them)", NULL},
    {"args", 0, CMD_TEXT, offsetof(struct options, args), "FILE", "functions: a JSON list, the arguments", NULL},
    {"input", 0, CMD_TEXT, offsetof(struct options, input), "FILE",
        "commands: what they read on stdin (default nothing)", NULL},
    {"runs", 0, CMD_COUNT, offsetof(struct options, runs), "N",
        "processes (default: 10 of a function, 10 to 100 of a command as the budget holds)", NULL},
    {"budget", 0, CMD_DURATION, offsetof(struct options, budget), "TIME",
        "how long to measure, all combinations together (default 10 s)", NULL},
    {"timeout", 0, CMD_DURATION, offsetof(struct options, timeout), "TIME",
        "after which one process counts as hung (default 60 s)", NULL},
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "EXE",
        "the interpreter for functions and scripts (default: $VIRTUAL_ENV, the script's #! line, python3)", NULL},
    KEEP_OPTIONS(struct options, keep),
    {"json", 0, CMD_FLAG, offsetof(struct options, json), NULL, "print all figures as one JSON object", NULL},
    {"width", 0, CMD_COUNT, offsetof(struct options, width), "COLUMNS",
        "width of the text (default: the terminal's, else 80)", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb cmd_bench_verb = {
    .name = "bench",
    .synopsis = "[options] COMMAND | MODULE:NAME | FILE.py:NAME",
    .summary = "say what one command or function takes, its spread, and what disturbs it",
    .options = bench_options,
    .details = "A figure of one thing compares with no other: to know whether B is faster than A, use `prove`.",
    .run = bench_run,
};
