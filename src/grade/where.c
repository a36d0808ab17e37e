/*
 * Where the time is now: a run of its own, sampled from outside, after the gates. It is evidence for the learner and
 * decides nothing, so what fails here is left out.
 *
 *   check --fork--> the run: trial_run, and so keeper and child; it tells the child's pid and is waited for
 *         samples the child, a descendant, as the kernel's rules for looking at processes want it
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grade/check.h"
#include "profile/profile.h"
#include "sample/sample.h"

#define WHERE_WALL_NS 2000000000u
#define WHERE_RATE_HZ 1000
#define READY_NS 1000000000u
#define TEXT_COLUMNS 60

/* ---- the run ---- */
static void tell_pid(void *context, pid_t child)
{
    const int *fd = context;
    (void)!write(*fd, &child, sizeof(child));
}

static _Noreturn void run_it(struct check *c, const struct input *input, int tell)
{
    struct trial t;
    c->runner.started = tell_pid;
    c->runner.context = &tell;
    if (trial_run(&c->runner, &c->learner, input, 1, WHERE_WALL_NS, &t, c->e) == 0)
        trial_release(&t);
    _exit(0);
}

/* ---- the sampler ---- */
static int sample_it(struct target *target, struct record_writer *writer, struct error *e)
{
    struct sample_options options = {
        .rate_hz = WHERE_RATE_HZ, .duration_ns = WHERE_WALL_NS, .children = true, .sources = true};
    struct sample_result result;
    struct sampler *sampler;
    char rate[16];
    int r = sampler_new(&options, target, writer, &sampler, e);
    if (r < 0)
        return r;
    r = sampler_wait_ready(sampler, READY_NS, e);
    snprintf(rate, sizeof(rate), "%d", WHERE_RATE_HZ);
    record_put_meta(writer, "rate_hz", rate);
    record_put_meta(writer, "mode", "wall");
    if (r == 0)
        r = sampler_run(sampler, &result, e);
    sampler_free(sampler);
    return r;
}

static int record_it(const char *path, pid_t pid, struct buffer *into, struct error *e)
{
    struct record_writer *writer;
    struct target *target;
    int r = target_open(pid, &target, e);
    if (r < 0)
        return r;
    r = record_writer_open(path, &writer, e);
    if (r < 0) {
        target_close(target);
        return r;
    }
    r = sample_it(target, writer, e);
    int closed = record_writer_close(writer, e);
    r = r < 0 ? r : closed;
    return r < 0 ? r : file_read_all(AT_FDCWD, path, into);
}

static int record_run(struct check *c, const struct input *input, struct error *e)
{
    char path[600];
    int fds[2];
    pid_t child;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    pid_t runner = fork();
    if (runner == 0)
        run_it(c, input, fds[1]);
    close(fds[1]);
    int r = runner < 0 ? -errno : read(fds[0], &child, sizeof(child)) == (ssize_t)sizeof(child) ? 0 : -ESRCH;
    snprintf(path, sizeof(path), "%s/recording.pit", c->runner.place);
    if (r == 0)
        r = record_it(path, child, &c->r->recording, e);
    while (runner > 0 && waitpid(runner, NULL, 0) < 0 && errno == EINTR)
        ;
    close(fds[0]);
    unlink(path);
    return r;
}

/* ---- what it shows ---- */
static bool is_learners(const struct check *c, const struct profile *p, uint32_t line)
{
    const char *file = p->functions[p->lines[line].function].file;
    size_t size = strlen(file);
    for (size_t i = 0; i < c->learner.count; i++) {
        const char *name = c->learner.files[i].name;
        size_t length = strlen(name);
        bool theirs = c->lab->kind != GRADE_PROGRAM || strchr(name, '/');
        if (theirs && size > length && file[size - length - 1] == '/' && strcmp(file + size - length, name) == 0)
            return true;
    }
    return false;
}

/* The line of the learner's file that is the innermost of theirs in most samples: what it calls counts for it. */
static uint32_t hottest(const struct check *c, const struct profile *p, uint64_t *ret_hits)
{
    uint64_t *hits = calloc(p->line_count + 1, sizeof(*hits));
    uint32_t best = PROFILE_NONE;
    for (size_t i = 1; hits && i < p->node_count; i++) {
        size_t node = i;
        while (node != 0 && !is_learners(c, p, p->nodes[node].line))
            node = p->nodes[node].parent;
        if (node == 0)
            continue;
        uint32_t line = p->nodes[node].line;
        hits[line] += p->nodes[i].self;
        if (best == PROFILE_NONE || hits[line] > hits[best])
            best = line;
    }
    *ret_hits = best == PROFILE_NONE ? 0 : hits[best];
    free(hits);
    return best;
}

static void tell(struct check *c, const struct profile *p)
{
    CLEANUP(buffer_release) struct buffer text;
    char source[512] = "";
    const char *start;
    size_t size;
    uint64_t hits;
    uint32_t line = hottest(c, p, &hits);
    buffer_init(&text, 4096);
    if (line == PROFILE_NONE || hits == 0 || p->hits == 0)
        return;
    const struct profile_line *l = &p->lines[line];
    const struct profile_function *f = &p->functions[l->function];
    if (profile_source_line(p, f->file, l->line, &start, &size)) {
        for (; size > 0 && (*start == ' ' || *start == '\t'); size--)
            start++;
        snprintf(source, sizeof(source), "%.*s", (int)(size < sizeof(source) ? size : sizeof(source) - 1), start);
    }
    const char *slash = strrchr(f->file, '/');
    buffer_printf(&text, "%.0f %% of the time is now at ", 100.0 * (double)hits / (double)p->hits);
    text_append_fitted(&text, slash ? slash + 1 : f->file, TEXT_COLUMNS);
    buffer_printf(&text, " line %u, in ", l->line);
    text_append_fitted(&text, f->name, TEXT_COLUMNS);
    if (source[0]) {
        buffer_append_string(&text, ": ");
        text_append_fitted(&text, source, TEXT_COLUMNS);
    }
    snprintf(c->where, sizeof(c->where), "%s", buffer_text(&text));
}

void check_where(struct check *c, const struct input *input)
{
    struct error e = {""};
    struct profile *p;
    const struct profile_options options = {.mode = PROFILE_WALL};
    if (record_run(c, input, &e) < 0) {
        buffer_clear(&c->r->recording);
        return;
    }
    if (profile_read_memory(c->r->recording.data, c->r->recording.size, "recording", &options, &p, &e) < 0)
        return;
    tell(c, p);
    profile_free(p);
}
