/* Why it changed: fresh runs of both sides under the sampler, apart from those that were timed. */
#include "prove/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ENOUGH_NS = 2000000000, /* of a side, so that a share of a tenth is known to a tenth of it */
    LEAST_RUNS = 5,         /* their spread is what tells chance from change */
    LEAST_LONG_RUNS = 3,
    LONG_NS = 10000000000ull, /* of one run */
    CALL_BATCHES = 20,        /* of 50 ms each on the slower side, of as many calls on both */
};

/* What a run of a side is: of a function, as many calls on either side, or there would be no difference to be seen. */
struct recorded {
    struct prove_batch_options batches;
    uint64_t longest_ns;
};

static int measure(struct prove_runner *r, const struct prove_subject *const subjects[2], uint64_t timeout_ns,
    struct recorded *ret, struct error *e)
{
    struct recorded rec = {.batches = {.batches = CALL_BATCHES}};
    for (int side = 0; side < 2; side++) {
        struct prove_process how = {.timeout_ns = timeout_ns};
        struct prove_batches b = {0};
        struct prove_run run = {0};
        int result = prove_subject_run(r, subjects[side], NULL, &how, &b, &run, e);
        if (result < 0)
            return result;
        if (rec.batches.loops == 0 || b.loops < rec.batches.loops)
            rec.batches.loops = b.loops;
        if (run.wall_ns > rec.longest_ns)
            rec.longest_ns = run.wall_ns;
        prove_batches_release(&b);
        prove_run_release(&run);
    }
    if (subjects[0]->kind == PROVE_FUNCTION)
        rec.longest_ns = 1000000000;
    *ret = rec;
    return 0;
}

static size_t choose_runs(const struct recorded *rec)
{
    size_t least = rec->longest_ns > LONG_NS ? LEAST_LONG_RUNS : LEAST_RUNS;
    size_t wanted = (size_t)(ENOUGH_NS / (rec->longest_ns ? rec->longest_ns : 1)) + 1;
    return wanted < least ? least : wanted > PROVE_RECORDINGS_MAX ? PROVE_RECORDINGS_MAX : wanted;
}

/* `pitviper run -o PATH -- COMMAND`, which passes on everything that its program is given, and ends as that does. */
static int record(struct prove_runner *r, const struct prove_subject *s, const struct recorded *rec,
    const struct prove_process *how, const char *path, struct error *e)
{
    struct subject_call call;
    struct prove_run run = {0};
    int result = subject_batch_call_init(&call, s, &rec->batches, how, e);
    size_t count = 0;
    while (result == 0 && call.process.argv[count])
        count++;
    char **words = result == 0 ? calloc(count + 6, sizeof(*words)) : NULL;
    if (!words) {
        result = result < 0 ? result : error_set(e, ENOMEM, "out of memory");
    } else {
        const char *head[] = {"/proc/self/exe", "run", "-o", path, "--"};
        for (size_t i = 0; i < ARRAY_SIZE(head); i++)
            words[i] = (char *)(uintptr_t)head[i];
        memcpy(words + ARRAY_SIZE(head), call.process.argv, count * sizeof(*words));
        call.process.argv = words;
        result = prove_run(r, &call.process, 1, &run, e);
    }
    if (result == 0)
        result = subject_check(s, &run, e);
    prove_run_release(&run);
    subject_call_release(&call);
    free(words);
    return result;
}

void prove_recordings_release(struct prove_recordings *p)
{
    if (!p->folder[0])
        return;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < p->count; i++) {
            (void)unlink(p->names[side][i]);
            free(p->names[side][i]);
            p->names[side][i] = NULL;
        }
    (void)rmdir(p->folder);
    p->folder[0] = '\0';
}

static int name_recordings(struct prove_recordings *p, size_t count, struct error *e)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(p->folder, sizeof(p->folder), "%s/pitviper-explain-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(p->folder)) {
        int r = error_set(e, errno, "cannot make a folder for recordings, %s: %s", p->folder, strerror(errno));
        p->folder[0] = '\0';
        return r;
    }
    for (p->count = 0; p->count < count; p->count++)
        for (int side = 0; side < 2; side++)
            if (asprintf(&p->names[side][p->count], "%s/%c%zu.pit", p->folder, 'a' + side, p->count) < 0) {
                p->names[side][p->count++] = NULL;
                return error_set(e, ENOMEM, "out of memory");
            }
    return 0;
}

int prove_record(struct prove_runner *r, const struct prove_subject *const subjects[2],
    const struct prove_explain_options *o, struct prove_recordings *ret, struct error *e)
{
    struct prove_recordings p = {.folder = ""};
    struct recorded rec = {.batches = {.loops = 0}};
    uint64_t random = hash_mix(o->seed ? o->seed : clock_real_ns(), clock_monotonic_ns()) | 1;
    int result = measure(r, subjects, o->timeout_ns, &rec, e);
    if (result == 0)
        result = name_recordings(&p, choose_runs(&rec), e);
    for (size_t i = 0; i < p.count && result == 0; i++) {
        uint64_t coin = random_next(&random);
        for (int turn = 0; turn < 2 && result == 0; turn++) {
            int side = turn ^ (int)(coin & 1);
            struct prove_process how = {
                .timeout_ns = o->timeout_ns, .seeded = true, .hash_seed = (uint32_t)(coin >> 32)};
            if (o->progress)
                o->progress(o->context, 2 * i + (size_t)turn, 2 * p.count);
            result = record(r, subjects[side], &rec, &how, p.names[side][i], e);
        }
    }
    if (result < 0)
        prove_recordings_release(&p);
    else
        *ret = p;
    return result;
}
