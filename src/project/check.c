/* One check of a project: read, compare, break, time, judge. What is missing is a finding; what fails on our side is
 * not. */
#include "project/inside.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define RECEIPT_MAX LEARN_RECEIPT_MAX
#define SOURCES_MAX ((size_t)64 << 10) /* that the readability is measured of */
#define DEPTH 5
#define SIZE_MOST 1000.0

void project_progress(const struct project *p, const char *stage)
{
    if (p->o->progress != NULL)
        p->o->progress(p->o->context, stage);
}

bool project_stopped(const struct project *p)
{
    return p->o->stop != NULL && *p->o->stop;
}

void project_result_release(struct project_result *r)
{
    buffer_release(&r->receipt);
}

static void refuse(struct project *p, const char *text)
{
    if (p->refused[0] == '\0')
        snprintf(p->refused, sizeof(p->refused), "%.390s", text);
}

/* ---- reading ---- */

static int read_text(const struct project *p, const char *name, size_t most, struct buffer *into)
{
    buffer_init(into, most);
    return project_file_read(p->o->folder, name, into);
}

static int read_manifest(struct project *p)
{
    CLEANUP(buffer_release) struct buffer text;
    struct error e = {""};
    int r = read_text(p, "project.json", PROJECT_MANIFEST_MAX, &text);
    if (r == -ENOENT)
        return error_set(
            p->e, ENOENT, "there is no %s/project.json: 'pitviper learn project start' lays one down", p->o->folder);
    if (r < 0 && r != -EFBIG)
        return error_set(p->e, -r, "cannot read %s/project.json: %s", p->o->folder, strerror(-r));
    if (r == -EFBIG)
        r = error_set(&e, EBADMSG, "project.json: larger than %u KB", PROJECT_MANIFEST_MAX >> 10);
    if (r == 0)
        r = project_manifest_parse((const char *)text.data, text.size, &p->arena, &p->manifest, &e);
    if (r == -EBADMSG) {
        p->manifest = (struct project_manifest){.program = "own", .python = ""};
        refuse(p, e.text);
        return 0;
    }
    return r < 0 ? error_set(p->e, -r, "%s", e.text) : 0;
}

static void read_report(struct project *p)
{
    CLEANUP(buffer_release) struct buffer text;
    if (read_text(p, "report.md", PROJECT_REPORT_MAX, &text) == 0)
        project_report_read((const char *)text.data, text.size, &p->report);
}

static void read_side(struct project *p, enum side side)
{
    char path[PATH_MOST], line[400];
    struct error e = {""};
    const char *name = side == BEFORE ? "before" : "after";
    snprintf(path, sizeof(path), "%s/%s", p->o->folder, name);
    if (files_read(path, DEPTH, PROJECT_FILE_MAX, true, &p->sides[side], &e) < 0) {
        refuse(p, e.text);
        return;
    }
    const char *program = p->manifest.command.count > 0 ? p->manifest.command.items[0] : NULL;
    if (program != NULL && files_find(&p->sides[side], program) == NULL) {
        snprintf(line, sizeof(line), "%s/%.300s is not there", name, program);
        refuse(p, line);
    }
}

/* What a supplied program was is known: a before/ that was changed compares with something else. */
static void check_supplied(struct project *p)
{
    char path[200], line[400];
    snprintf(path, sizeof(path), "project/%.40s/%.40s.py", p->manifest.program, p->manifest.program);
    const struct grade_file *original = grade_file_find(path);
    snprintf(path, sizeof(path), "%.40s.py", p->manifest.program);
    const struct file *here = files_find(&p->sides[BEFORE], path);
    bool same = original != NULL && here != NULL && here->size == original->size &&
                memcmp(here->data, original->data, here->size) == 0;
    bool named = p->manifest.command.count > 0 && strcmp(p->manifest.command.items[0], path) == 0 &&
                 p->manifest.make.count > 0 && strcmp(p->manifest.make.items[0], path) == 0;
    if (!same || !named) {
        snprintf(line, sizeof(line),
            "before/%s is not the program as it was supplied, or project.json runs another "
            "one: put it back ('pitviper learn project start' lays it down where it is gone)",
            path);
        refuse(p, line);
    }
}

static void read_numbers(struct project *p)
{
    p->seed = 1;
    p->size = 1;
    for (size_t i = 1; i + 1 < p->manifest.make.count; i++) {
        const char *word = p->manifest.make.items[i], *value = p->manifest.make.items[i + 1];
        char *end;
        if (strcmp(word, "--seed") == 0) {
            p->seed = strtoull(value, &end, 10);
            p->has_seed = *end == '\0' && end != value;
        } else if (strcmp(word, "--size") == 0) {
            p->size = strtod(value, &end);
            p->has_size = *end == '\0' && end != value && p->size > 0 && p->size <= SIZE_MOST;
        }
    }
    if (learn_project_supplied(p->manifest.program) && !(p->has_seed && p->has_size))
        refuse(p, "project.json: 'make' of a supplied program has --seed and --size with a number behind each (a size "
                  "above 0, up to 1000)");
    if (!p->has_size)
        p->size = 1;
}

static int read_all(struct project *p)
{
    int r = read_manifest(p);
    if (r < 0)
        return r;
    p->own = !learn_project_supplied(p->manifest.program);
    snprintf(p->r->program, sizeof(p->r->program), "%s", p->manifest.program);
    read_report(p);
    read_side(p, BEFORE);
    read_side(p, AFTER);
    r = files_read(p->o->folder, 1, PROJECT_FILE_MAX, true, &p->tools, p->e);
    p->r->redacted = p->manifest.redacted;
    if (r == 0 && p->refused[0] == '\0') {
        if (!p->own)
            check_supplied(p);
        read_numbers(p);
    }
    return r;
}

/* ---- readability: all of after beside all of before ---- */

static int check_readability(struct project *p)
{
    CLEANUP(buffer_release) struct buffer before;
    CLEANUP(buffer_release) struct buffer after;
    buffer_init(&before, SOURCES_MAX);
    buffer_init(&after, SOURCES_MAX);
    files_join(&p->sides[BEFORE], &before);
    files_join(&p->sides[AFTER], &after);
    project_progress(p, "readability");
    if (before.failed || after.failed) {
        snprintf(p->readability_why, sizeof(p->readability_why), "more than %zu KB of Python", SOURCES_MAX >> 10);
        return 0;
    }
    int r = grade_readability(p->o->python, (const char *)after.data, after.size, (const char *)before.data,
        before.size, &p->readability, p->readability_why, sizeof(p->readability_why));
    if (r < 0) {
        p->readability = NAN;
        snprintf(p->readability_why, sizeof(p->readability_why), "%s",
            r == -EBADMSG ? "before/ cannot be read as Python" : strerror(-r));
    }
    return project_stopped(p) ? error_set(p->e, ECANCELED, "interrupted") : 0;
}

/* ---- the check ---- */

/* What the learner's files do wrong is refused with what was said of it; what we cannot do ends the check. */
static int run_all(struct project *p)
{
    int r = evidence_check(p);
    if (r == 0)
        r = check_readability(p);
    if (r < 0 || p->refused[0] != '\0' || p->manifest.redacted)
        return r;
    r = place_open(p);
    if (r == 0)
        r = behaviour_check(p);
    if (r == 0 && p->right && !(p->check.run && p->check.status != 0))
        r = timing_check(p);
    if (r == -EBADMSG || (r == -ENOENT && p->own) || r == -E2BIG) {
        refuse(p, p->e->text);
        r = 0;
    }
    place_close(p);
    return r;
}

static int begin(struct project *p)
{
    uint8_t random[16];
    uint64_t drawn;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random) ||
        getrandom(&drawn, sizeof(drawn), 0) != (ssize_t)sizeof(drawn))
        return error_set(p->e, errno, "there are no random numbers: %s", strerror(errno));
    text_hex(random, sizeof(random), p->r->id);
    p->r->seed = p->o->seed != 0 ? p->o->seed : drawn;
    p->random = hash_mix(p->r->seed, 11) | 1;
    return 0;
}

int project_check(const struct project_options *o, struct project_result *ret, struct error *e)
{
    struct project_result result = {.outcome = GRADE_FAULT, .level = -1};
    struct project p = {.o = o, .r = &result, .e = e, .readability = NAN};
    uint64_t begun_ns = clock_monotonic_ns();
    arena_init(&p.arena, (size_t)4 << 20);
    buffer_init(&result.receipt, RECEIPT_MAX);
    int r = begin(&p);
    if (r == 0)
        r = read_all(&p);
    if (r == 0)
        r = run_all(&p);
    if (r == 0) {
        result.spent_ns = clock_monotonic_ns() - begun_ns;
        rubric_fill(&p);
        receipt_write(&p);
        if (result.receipt.failed)
            r = error_set(e, ENOMEM, "out of memory for the receipt");
    }
    files_release(&p.sides[BEFORE]);
    files_release(&p.sides[AFTER]);
    files_release(&p.tools);
    arena_release(&p.arena);
    if (r < 0)
        project_result_release(&result);
    else
        *ret = result;
    return r;
}
