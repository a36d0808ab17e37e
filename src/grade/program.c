/* The capstone's own steps of a check: what each side is made of, the findings, and what a kill leaves of a journal. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/check.h"

#define FINDINGS_NAME "findings.json"
#define SOLUTION "solution/"
#define WORKLOADS "workloads.py"
#define KILLS 3u
#define KILL_FIRST_NS 250000000u /* after the exec, and up to so much later again: most of it is start-up */
#define KILL_MOST_NS 4000000000u /* for a machine on which nothing was appended by then */
#define READ_WALL_NS 10000000000u
#define APPEND "append_until_killed" /* of the lab's file */
#define READ "read_after_kill"

struct parts {
    struct variant variant;
    struct package learner;
    struct buffer findings;
    bool has_findings;
    struct source_file files[4][SOURCE_FILES_MAX]; /* of learner, variant, solution and null */
};

/* ---- sources ---- */

/* What plays a scenario, and a package beside it. */
static struct source join(const struct grade_lab *lab, struct source_file into[SOURCE_FILES_MAX], const char *play,
    size_t play_size, const struct source_file *package, size_t count)
{
    const struct grade_file *workloads = grade_lab_file(lab, WORKLOADS);
    into[0] = (struct source_file){lab->file, play, play_size};
    into[1] = (struct source_file){WORKLOADS, workloads->data, workloads->size};
    for (size_t i = 0; i < count && i + 2 < SOURCE_FILES_MAX; i++)
        into[i + 2] = package[i];
    return (struct source){into, count + 2 < SOURCE_FILES_MAX ? count + 2 : SOURCE_FILES_MAX};
}

static size_t solution_files(const struct grade_lab *lab, struct source_file ret[SOURCE_FILES_MAX])
{
    size_t count = 0, folder = strlen(lab->folder) + 1, solution = strlen(SOLUTION);
    for (size_t i = 0; i < lab->file_count && count < SOURCE_FILES_MAX; i++) {
        const struct grade_file *f = &lab->files[i];
        if (strncmp(f->path + folder, SOLUTION, solution) == 0)
            ret[count++] = (struct source_file){f->path + folder + solution, f->data, f->size};
    }
    return count;
}

static int read_findings(struct check *c)
{
    struct buffer *b = &c->parts->findings;
    buffer_init(b, 0);
    if (!c->o->questions)
        return 0;
    int r = package_read_file(c->o->questions, FINDINGS_NAME, FINDINGS_BYTES_MAX, b);
    c->parts->has_findings = r == 0;
    if (r == -EFBIG)
        return error_set(c->e, EFBIG, FINDINGS_NAME " is larger than %zu KiB", FINDINGS_BYTES_MAX >> 10);
    return r == 0 || r == -ENOENT ? 0 : error_set(c->e, -r, "cannot read " FINDINGS_NAME ": %s", strerror(-r));
}

int check_program_sources(struct check *c)
{
    struct source_file solution[SOURCE_FILES_MAX];
    const struct grade_file *play = grade_lab_file(c->lab, c->lab->file);
    struct parts *p = c->parts = calloc(1, sizeof(*c->parts));
    if (!p)
        return error_set(c->e, ENOMEM, "out of memory");
    int r = package_read(c->o->source, &p->learner, c->e);
    if (r == 0 && (r = read_findings(c)) == 0)
        r = variant_draw(&c->runner, c->o->seed, &p->variant, c->e);
    if (r < 0) {
        check_program_release(c);
        return r;
    }
    buffer_init(&c->null_text, 256);
    /* What memory and time are counted beyond: as run.py --null, the program is there and the input is made. */
    buffer_printf(&c->null_text,
        "import hashlib\nimport workloads\nfrom parcelflow import flow\n\n\ndef %s(*arguments):\n    return None\n",
        c->lab->function);
    c->learner = join(c->lab, p->files[0], play->data, play->size, p->learner.files, p->learner.count);
    c->starter = join(c->lab, p->files[1], play->data, play->size, p->variant.files, p->variant.count);
    c->reference = join(c->lab, p->files[2], play->data, play->size, solution, solution_files(c->lab, solution));
    c->null =
        join(c->lab, p->files[3], buffer_text(&c->null_text), c->null_text.size, p->variant.files, p->variant.count);
    return 0;
}

void check_program_release(struct check *c)
{
    findings_release(&c->findings);
    if (!c->parts)
        return;
    variant_release(&c->parts->variant);
    package_release(&c->parts->learner);
    buffer_release(&c->parts->findings);
    free(c->parts);
    c->parts = NULL;
}

/* ---- findings ---- */
int check_program_findings(struct check *c)
{
    struct parts *p = c->parts;
    const struct grade_file *rules = grade_lab_file(c->lab, "plants.json");
    const struct findings_task task = {
        .sheet = {p->has_findings ? buffer_text(&p->findings) : NULL, p->findings.size},
        .key = {p->variant.key, p->variant.key_size},
        .names = {p->variant.names, p->variant.names_size},
        .rules = {rules->data, rules->size},
        .variant = {p->variant.files, p->variant.count},
        .folder = c->o->questions ? c->o->questions : ".",
    };
    check_progress(c, "findings", 0, 1);
    return findings_judge(&task, &c->findings, c->e);
}

/* ---- what a kill leaves ---- */

/* "17 18" of the child's answer, a text in canonical bytes: for how many records append had returned, and how many are
 * there. -EBADMSG: it says what is wrong. */
static int take_counts(const struct buffer *answer, size_t *ret_appended, size_t *ret_there, char *why, size_t why_size)
{
    char text[200] = "";
    const char *shown = (const char *)answer->data;
    if (answer->size > 5 && shown[0] == 'S')
        snprintf(text, sizeof(text), "%.*s", (int)(answer->size - 5), shown + 5);
    if (sscanf(text, "%zu %zu", ret_appended, ret_there) == 2)
        return 0;
    snprintf(why, why_size, "after a kill: %s", text);
    return -EBADMSG;
}

static void tell(struct check *c, enum grade_outcome outcome)
{
    c->told.killed = true;
    c->r->outcome = outcome;
}

/* The journal is opened again in the folder of the process that was killed. */
static int read_again(struct check *c, size_t *ret_appended)
{
    struct trial t;
    size_t there = 0;
    *ret_appended = 0;
    int r = trial_call(&c->runner, &c->learner, READ, false, READ_WALL_NS, &t, c->e);
    if (r < 0)
        return r;
    if (t.outcome != GRADE_PASSED) {
        snprintf(c->told.why, sizeof(c->told.why), "after a kill: %.900s", t.why);
        tell(c, t.outcome == GRADE_WRONG ? GRADE_WRONG : GRADE_BROKEN);
    } else if (take_counts(&t.answer, ret_appended, &there, c->told.why, sizeof(c->told.why)) < 0) {
        tell(c, GRADE_WRONG);
    } else if (there < *ret_appended) {
        snprintf(c->told.why, sizeof(c->told.why),
            "append had returned for %zu records when the process was killed, and %zu of them were there again",
            *ret_appended, there);
        tell(c, GRADE_WRONG);
    }
    trial_release(&t);
    return 0;
}

/* At a moment that is drawn; on a slow machine later, so that something was appended by then. */
static int kill_once(struct check *c, unsigned number)
{
    uint64_t moment = KILL_FIRST_NS + check_seed(c, "kill", number, 0) % KILL_FIRST_NS;
    for (; moment < KILL_MOST_NS; moment *= 2) {
        struct trial t;
        int r = trial_call(&c->runner, &c->learner, APPEND, true, moment, &t, c->e);
        if (r < 0)
            return r;
        enum grade_outcome outcome = t.outcome;
        size_t appended;
        snprintf(c->told.why, sizeof(c->told.why), "%s", outcome == GRADE_SLOW ? "" : t.why);
        trial_release(&t);
        if (outcome != GRADE_SLOW) { /* it failed before it was killed */
            tell(c, outcome == GRADE_WRONG ? GRADE_WRONG : GRADE_BROKEN);
            return 0;
        }
        if ((r = read_again(c, &appended)) < 0 || appended > 0 || c->r->outcome != GRADE_PASSED)
            return r;
    }
    return 0; /* this machine is too slow for it; the journal's scenario was right */
}

int check_program_kills(struct check *c)
{
    unsigned count = c->r->provisional ? 1 : KILLS;
    int r = 0;
    for (unsigned i = 0; r == 0 && i < count && c->r->outcome == GRADE_PASSED; i++) {
        check_progress(c, "kills", i, count);
        r = kill_once(c, i);
    }
    return r;
}
