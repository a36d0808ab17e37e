/*
 * `selftest`: does this profiler tell the truth on this machine? Small programs measure with their own clock how long
 * each of their functions runs; each is profiled while it does so, and the distance between the two is printed.
 */
#include "cmd/cmd.h"
#include "cmd/interpreter.h"
#include "sample/sample.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    RATE_HZ = 2000,
    NAMES_CAP = 4096, /* functions met while a program starts and runs */
};

struct program {
    const char *name, *about, *text;
};

/* Each prints one line a function, "NAME SECONDS", by the clock that wall samples follow. */
static const struct program programs[] = {
    {"slices", "two functions in turn, 30 and 70 of 100",
        "import time\n"
        "spent = {'alpha': 0.0, 'beta': 0.0}\n"
        "def alpha(t):\n    while time.perf_counter() < t: pass\n"
        "def beta(t):\n    while time.perf_counter() < t: pass\n"
        "end = time.perf_counter() + 1.2\n"
        "while time.perf_counter() < end:\n"
        "    for f, d in ((alpha, .0003), (beta, .0007)):\n"
        "        a = time.perf_counter(); f(a + d); spent[f.__name__] += time.perf_counter() - a\n"
        "for k, v in spent.items(): print(k, v)\n"},
    {"sleeps", "a function that works and one that waits, half and half",
        "import time\n"
        "spent = {'works': 0.0, 'waits': 0.0}\n"
        "def works(d):\n    t = time.perf_counter() + d\n    while time.perf_counter() < t: pass\n"
        "def waits(d):\n    time.sleep(d)\n"
        "end = time.perf_counter() + 1.2\n"
        "while time.perf_counter() < end:\n"
        "    for f in (works, waits):\n"
        "        a = time.perf_counter(); f(.004); spent[f.__name__] += time.perf_counter() - a\n"
        "for k, v in spent.items(): print(k, v)\n"},
    {"generators", "a generator and its consumer, 40 and 60 of 100",
        "import time\n"
        "spent = {'produce': 0.0, 'consume': 0.0}\n"
        "def produce(end):\n"
        "    while time.perf_counter() < end:\n"
        "        a = time.perf_counter(); t = a + .0004\n"
        "        while time.perf_counter() < t: pass\n"
        "        spent['produce'] += time.perf_counter() - a\n        yield t\n"
        "def consume(end):\n"
        "    for _ in produce(end):\n"
        "        a = time.perf_counter(); t = a + .0006\n"
        "        while time.perf_counter() < t: pass\n"
        "        spent['consume'] += time.perf_counter() - a\n"
        "consume(time.perf_counter() + 1.2)\n"
        "for k, v in spent.items(): print(k, v)\n"},
};

/* ---- self samples by function name, straight from the recording ---- */
struct tally {
    struct {
        char name[64];
        uint64_t hits;
    } functions[NAMES_CAP];
    size_t count;
    uint32_t *code_function, *frame_code, *stack_frame; /* growing tables by id */
    size_t code_capacity, frame_capacity, stack_capacity;
    uint32_t stack, state;
};

static int on_code(void *context, const struct record_code *c)
{
    struct tally *t = context;
    size_t k = 0;

    while (k < t->count && strcmp(t->functions[k].name, c->qualname) != 0)
        k++;
    if (k == t->count && k + 1 < NAMES_CAP)
        snprintf(t->functions[t->count++].name, sizeof(t->functions[0].name), "%s", c->qualname);
    if (array_reserve(&t->code_function, &t->code_capacity, c->id + 1u, sizeof(uint32_t)) < 0)
        return -ENOMEM;
    t->code_function[c->id] = (uint32_t)k;
    return 0;
}

static int on_frame(void *context, const struct record_frame *f)
{
    struct tally *t = context;

    if (array_reserve(&t->frame_code, &t->frame_capacity, f->id + 1u, sizeof(uint32_t)) < 0)
        return -ENOMEM;
    t->frame_code[f->id] = f->kind == RECORD_FRAME_PYTHON ? f->code : UINT32_MAX;
    return 0;
}

static int on_stack(void *context, uint32_t id, uint32_t parent, uint32_t frame)
{
    struct tally *t = context;

    if (array_reserve(&t->stack_frame, &t->stack_capacity, id + 1u, sizeof(uint32_t)) < 0)
        return -ENOMEM;
    /* a pseudo frame, such as the collector's, counts for the function below it */
    t->stack_frame[id] = t->frame_code[frame] == UINT32_MAX && parent ? t->stack_frame[parent] : frame;
    return 0;
}

static int on_state(void *context, uint32_t thread, uint32_t stack, uint32_t state)
{
    struct tally *t = context;

    if (thread == 0) {
        t->stack = stack;
        t->state = state;
    }
    return 0;
}

static int on_tick(void *context, uint64_t time_ns)
{
    struct tally *t = context;

    (void)time_ns;
    if ((t->state & RECORD_PRESENT) && t->stack) {
        uint32_t code = t->frame_code[t->stack_frame[t->stack]];
        if (code != UINT32_MAX && t->code_function[code] < t->count)
            t->functions[t->code_function[code]].hits++;
    }
    return 0;
}

static uint64_t hits_of(const struct tally *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->functions[i].name, name) == 0)
            return t->functions[i].hits;
    return 0;
}

static int tally_recording(const char *path, struct tally *t, struct error *e)
{
    const struct record_events events = {
        .code = on_code, .frame = on_frame, .stack = on_stack, .state = on_state, .tick = on_tick};
    struct record_summary summary;
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_set(e, errno, "cannot read back '%s': %s", path, strerror(errno));
    return record_read(fd, path, &events, t, &summary, e);
}

/* ---- one program on one interpreter ---- */
struct outcome {
    double distance; /* largest difference of a share, in points */
    double margin;   /* what chance alone may do at this number of samples, 99.9 % */
    uint64_t samples;
    char python[32];
};

static int profile(const char *interpreter, const struct program *program, const char *recording, struct buffer *output,
    struct outcome *ret, struct error *e)
{
    char *argv[] = {(char *)(uintptr_t)interpreter, (char *)(uintptr_t) "-c", (char *)(uintptr_t)program->text, NULL};
    const struct target_launch how = {.argv = argv};
    const struct sample_options options = {.rate_hz = RATE_HZ};
    struct target_launched launched;
    struct record_writer *writer;
    struct sampler *sampler;
    struct sample_result result = {0};
    struct target *target;
    int pipes[2], status;

    int r = record_writer_open(recording, &writer, e);
    if (r < 0)
        return r;
    if (pipe2(pipes, O_CLOEXEC) < 0) {
        record_writer_close(writer, NULL);
        return error_set(e, errno, "cannot make a pipe: %s", strerror(errno));
    }
    int kept = dup(STDOUT_FILENO);
    fflush(stdout);
    (void)dup2(pipes[1], STDOUT_FILENO);
    r = target_launch(&how, &launched, e);
    (void)dup2(kept, STDOUT_FILENO);
    close(kept);
    close(pipes[1]);
    if (r == 0) {
        r = target_open(launched.pid, &target, e);
        if (r == 0)
            r = sampler_new(&options, target, writer, &sampler, e);
        if (r == 0) {
            r = sampler_wait_ready(sampler, 2000000000, e);
            if (r == 0)
                r = sampler_run(sampler, &result, e);
            sampler_free(sampler);
        }
        char block[4096];
        ssize_t got;
        while ((got = read(pipes[0], block, sizeof(block))) > 0)
            buffer_append(output, block, (size_t)got);
        (void)waitpid(launched.pid, &status, 0);
    }
    close(pipes[0]);
    snprintf(ret->python, sizeof(ret->python), "%s", result.python);
    int closed = record_writer_close(writer, r < 0 ? NULL : e);
    return r < 0 ? r : closed;
}

static void compare(const struct tally *t, const char *truth, struct outcome *ret)
{
    double total = 0, seconds[8];
    char names[8][64];
    size_t count = 0;
    uint64_t hits = 0;

    for (const char *line = truth; count < 8 && sscanf(line, "%63s %lf", names[count], &seconds[count]) == 2;) {
        total += seconds[count];
        hits += hits_of(t, names[count++]);
        line = strchr(line, '\n');
        if (!line++)
            break;
    }
    ret->samples = hits;
    ret->distance = count < 2 || hits == 0 ? 100 : 0;
    for (size_t i = 0; i < count && hits; i++) {
        double is = (double)hits_of(t, names[i]) / (double)hits, ought = seconds[i] / total;
        ret->distance = fmax(ret->distance, 100 * fabs(is - ought));
        ret->margin = fmax(ret->margin, 100 * 3.29 * sqrt(ought * (1 - ought) / (double)hits));
    }
}

static int run_one(const char *interpreter, const struct program *program, struct outcome *ret, struct error *e)
{
    CLEANUP(buffer_release) struct buffer output;
    struct tally tally = {.count = 0};
    char path[] = "/tmp/pitviper-selftest-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    buffer_init(&output, 1 << 16);
    if (fd < 0)
        return error_set(e, errno, "cannot make a file in /tmp: %s", strerror(errno));
    close(fd);
    *ret = (struct outcome){0};
    int r = profile(interpreter, program, path, &output, ret, e);
    if (r == 0)
        r = tally_recording(path, &tally, e);
    if (r == 0)
        compare(&tally, buffer_text(&output), ret);
    (void)unlink(path);
    free(tally.code_function);
    free(tally.frame_code);
    free(tally.stack_frame);
    return r;
}

/* ---- which Pythons ---- */
struct selftest_options {
    const char *python;
    bool json;
};

static const struct cmd_option selftest_option_table[] = {
    {"python", 0, CMD_TEXT, offsetof(struct selftest_options, python), "EXE",
        "test this interpreter only (default: every CPython 3.8 to 3.15 on the path and of pyenv)", NULL},
    {"json", 0, CMD_FLAG, offsetof(struct selftest_options, json), NULL, "print the same facts as JSON", NULL},
    CMD_OPTION_END,
};

static int selftest_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out;
    struct selftest_options o = {0};
    struct interpreters found = {0};
    struct json j = {.out = &out};
    size_t count = 1;
    int status = CMD_OK;

    buffer_init(&out, 1 << 20);
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (!o.python) {
        int r = interpreters_find(&found);
        if (r < 0)
            return cmd_fail_text(CMD_FAILED, "cannot look for Pythons: %s", strerror(-r));
        count = found.count;
        if (count == 0)
            return cmd_fail_text(CMD_FAILED, "no CPython 3.8 to 3.15 is on the path: name one with --python");
    }
    if (o.json)
        json_array_begin(&j, NULL);
    else
        buffer_append_string(&out, "python     program      samples   distance from the truth (chance explains)\n");
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < ARRAY_SIZE(programs); k++) {
            const char *interpreter = o.python ? o.python : found.paths[i];
            struct outcome r;
            struct error e = {""};
            if (isatty(STDERR_FILENO))
                fprintf(stderr, "\r%s: %s, %s\033[K", interpreter, programs[k].name, programs[k].about);
            if (run_one(interpreter, &programs[k], &r, &e) < 0) {
                if (isatty(STDERR_FILENO))
                    fputs("\r\033[K", stderr);
                cmd_fail_text(0, "%s: %s", interpreter, e.text);
                status = CMD_FAILED;
                continue;
            }
            bool true_enough = r.distance <= r.margin + 1;
            if (!true_enough && status == CMD_OK)
                status = CMD_NO;
            if (o.json) {
                json_object_begin(&j, NULL);
                json_text(&j, "python", r.python);
                json_text(&j, "program", programs[k].name);
                json_integer(&j, "samples", (int64_t)r.samples);
                json_number(&j, "distance_points", r.distance);
                json_number(&j, "chance_points", r.margin);
                json_boolean(&j, "ok", true_enough);
                json_object_end(&j);
            } else {
                buffer_printf(&out, "%-10s %-12s %7llu   %5.2f points (%.2f)%s\n", r.python, programs[k].name,
                    (unsigned long long)r.samples, r.distance, r.margin, true_enough ? "" : "  TOO FAR");
            }
        }
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (o.json) {
        json_array_end(&j);
        buffer_append_byte(&out, '\n');
    }
    interpreters_release(&found);
    int printed = cmd_print(STDOUT_FILENO, &out);
    return printed ? printed : status;
}

const struct cmd_verb cmd_selftest_verb = {
    .name = "selftest",
    .synopsis = "[options]",
    .summary = "profile small programs of known truth and print the distance",
    .options = selftest_option_table,
    .run = selftest_run,
};
