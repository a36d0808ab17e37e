#include "grade/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grade/inside.h"
#include "grade/values.h"

#define AFTER_ANSWER_NS 20000000u /* CPU time of what lives on: a pool's helpers tidy up, and no more */
#define MAKER_WALL_NS 20000000000u
#define MAKER_MEMORY ((uint64_t)2 << 30)
#define OWN_LEVEL 1  /* of the sandbox, for the lab's own programs where nothing is timed: a third of the cost */
#define CPU_FACTOR 4 /* CPU time that may be used, over wall time: no lab has more cores to count on */

/* ---- the folder ---- */
static int make_folder(const struct runner *s, const char *name, char *ret, size_t size, struct error *e)
{
    snprintf(ret, size, "%s/%s", s->place, name);
    if (mkdir(ret, 0700) < 0)
        return error_set(e, errno, "cannot make %s: %s", ret, strerror(errno));
    return 0;
}

/* The folders of a name such as "app/parcelflow/flow.py"; names are ours, or were checked. */
static int make_parents(char *path, size_t folder_size, struct error *e)
{
    for (char *slash = path + folder_size + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        int r = mkdir(path, 0700) < 0 && errno != EEXIST ? error_set(e, errno, "cannot make %s", path) : 0;
        *slash = '/';
        if (r < 0)
            return r;
    }
    return 0;
}

static int lay(const char *folder, const char *name, const char *text, size_t size, struct error *e)
{
    char path[1024];
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return error_set(e, ENAMETOOLONG, "cannot write %s: its path is too long", name);
    int made = make_parents(path, strlen(folder), e);
    if (made < 0)
        return made;
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r = fd < 0 ? -errno : file_write_all(fd, text, size);
    return r < 0 ? error_set(e, -r, "cannot write %s: %s", path, strerror(-r)) : 0;
}

static void remove_folder(const char *folder)
{
    sandbox_wipe(folder, NULL);
    rmdir(folder);
}

static bool is_in_memory(const char *path)
{
    struct statfs is;
    return statfs(path, &is) == 0 && (is.f_type == TMPFS_MAGIC || is.f_type == RAMFS_MAGIC);
}

/* What a program syncs is to reach a disk, if there is one. */
static const char *temporary_folder(const struct grade_lab *lab)
{
    const char *tmp = getenv("TMPDIR");
    if (tmp && tmp[0] == '/')
        return tmp;
    return lab->kind == GRADE_PROGRAM && is_in_memory("/tmp") && access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp";
}

static int know_machine(struct runner *s, const char *python, struct error *e)
{
    const struct memo_machine *known = memo_machine(s->memo);
    if (known) {
        s->machine = *known;
        s->machine_is_shared = true;
        return 0;
    }
    int r = sandbox_probe(&s->machine.ladder, e);
    if (r == 0)
        r = sandbox_interpreter_find(python, &s->machine.python, e);
    if (r == 0)
        s->machine_is_shared = memo_take_machine(s->memo, &s->machine);
    return r;
}

int runner_init(struct runner *s, const struct grade_lab *lab, const struct grade_options *o, struct error *e)
{
    *s = (struct runner){
        .lab = lab, .memo = o->memo, .level_most = o->level_most, .stop = o->stop, .level = SANDBOX_LEVEL_BEST};
    buffer_init(&s->lab_module, (size_t)1 << 20);
    lab_fill(lab, grade_harness_lab_module, &s->lab_module);
    int r = s->lab_module.failed ? error_set(e, ENOMEM, "out of memory") : know_machine(s, o->python, e);
    if (r < 0) {
        buffer_release(&s->lab_module);
        return r;
    }
    snprintf(s->place, sizeof(s->place), "%.400s/pitviper-lab-XXXXXX", temporary_folder(lab));
    if (mkdtemp(s->place)) {
        s->in_memory = is_in_memory(s->place);
        return 0;
    }
    r = error_set(e, errno, "cannot make a folder like %s: %s; set TMPDIR", s->place, strerror(errno));
    s->place[0] = '\0';
    runner_release(s);
    return r;
}

void runner_release(struct runner *s)
{
    pace_stop(&s->pace);
    if (s->place[0])
        remove_folder(s->place);
    buffer_release(&s->lab_module);
    if (!s->machine_is_shared)
        sandbox_interpreter_release(&s->machine.python);
}

/* ---- one process: the harness's files and those of a source, in a fresh folder ---- */
#define PROCESS_FILES_MAX (SOURCE_FILES_MAX + 4)
struct process {
    const char *script, *argument1, *argument2;
    struct source_file files[PROCESS_FILES_MAX];
    size_t file_count;
    uint32_t hash_seed;
    bool keep, again; /* the scratch folder: left behind; and there already */
};

static void add_file(struct process *p, const char *name, const char *text, size_t size)
{
    if (p->file_count < PROCESS_FILES_MAX)
        p->files[p->file_count++] = (struct source_file){name, text, size};
}

static int run(struct runner *s, const struct process *p, const struct sandbox_spec *how, struct sandbox_result *ret,
    struct error *e)
{
    char folder[600], scratch[600], seed[40], home[640], tmp[640];
    char *argv[] = {s->machine.python.path, (char *)"-S", (char *)"-s", (char *)"-B", (char *)(uintptr_t)p->script,
        (char *)(uintptr_t)p->argument1, (char *)(uintptr_t)p->argument2, NULL};
    struct sandbox_spec spec = *how;
    int r = make_folder(s, "lab", folder, sizeof(folder), e);
    if (r < 0)
        return r;
    snprintf(scratch, sizeof(scratch), "%s/scratch", s->place);
    if (!p->again) {
        remove_folder(scratch); /* one that was kept */
        r = make_folder(s, "scratch", scratch, sizeof(scratch), e);
    }
    for (size_t i = 0; r == 0 && i < p->file_count; i++)
        r = lay(folder, p->files[i].name, p->files[i].text, p->files[i].size, e);
    snprintf(seed, sizeof(seed), "PYTHONHASHSEED=%u", p->hash_seed);
    snprintf(home, sizeof(home), "HOME=%s", scratch);
    snprintf(tmp, sizeof(tmp), "TMPDIR=%s", scratch);
    char *env[] = {seed, home, tmp, (char *)"LC_ALL=C.UTF-8", NULL};
    spec.argv = argv;
    spec.env = env;
    spec.folder = folder;
    spec.scratch = scratch;
    spec.readable = (const char *const *)s->machine.python.readable;
    spec.level_most = s->own && s->level_most > OWN_LEVEL ? OWN_LEVEL : s->level_most;
    spec.stop = s->stop;
    spec.keep_scratch = p->keep;
    if (r == 0)
        r = sandbox_run(&spec, &s->machine.ladder, ret, e);
    remove_folder(folder);
    if (!p->keep)
        remove_folder(scratch);
    if (r < 0)
        return r;
    if (!s->own)
        s->level = ret->level < s->level ? ret->level : s->level;
    if (ret->end == SANDBOX_STOPPED || ret->unkillable) {
        bool stopped = ret->end == SANDBOX_STOPPED;
        sandbox_result_release(ret);
        return stopped ? error_set(e, EINTR, "interrupted")
                       : error_set(e, EBUSY, "a process of the lab does not die; restart the machine");
    }
    return 0;
}

/* ---- samples ---- */
static void fail(struct trial *s, enum grade_outcome outcome, const char *why)
{
    s->outcome = outcome;
    snprintf(s->why, sizeof(s->why), "%s", why);
}

/* The frame of an error: a word, and lines. What it says of itself is believed: it can only hurt itself. */
static void take_error(struct trial *s, struct buffer *payload)
{
    const char *text = buffer_text(payload), *line = strchr(text, '\n');
    bool raised = strncmp(text, "raised\n", 7) == 0;
    fail(s, raised ? GRADE_WRONG : GRADE_BROKEN, line ? line + 1 : "it failed and did not say how");
}

static void take_exit(struct trial *s, const struct sandbox_result *r)
{
    s->outcome = GRADE_BROKEN;
    if (r->ended && WIFSIGNALED(r->status))
        snprintf(s->why, sizeof(s->why), "it was ended by signal %d (%s) before it answered", WTERMSIG(r->status),
            strsignal(WTERMSIG(r->status)));
    else if (r->ended)
        snprintf(s->why, sizeof(s->why), "it left by exit status %d before it answered", WEXITSTATUS(r->status));
    else
        snprintf(s->why, sizeof(s->why), "%s", sandbox_end_text(r->end));
    size_t n = strlen(s->why), rest = r->err.size < 300 ? r->err.size : 300;
    if (rest > 0)
        snprintf(s->why + n, sizeof(s->why) - n, "\n%.*s", (int)rest, (const char *)r->err.data + r->err.size - rest);
}

static void take_outcome(struct trial *s, struct sandbox_result *r)
{
    if (r->end == SANDBOX_LATE || r->end == SANDBOX_BUSY)
        fail(s, GRADE_SLOW, sandbox_end_text(r->end));
    else if (r->end != SANDBOX_ANSWERED)
        take_exit(s, r);
    else if (r->answer.kind == ANSWER_ERROR)
        take_error(s, &r->answer.payload);
    else if (values_check(r->answer.payload.data, r->answer.payload.size) < 0)
        fail(s, GRADE_BROKEN, "what it sent is no answer");
    else if (r->alive_at_answer > 0 && !(r->allowed & SANDBOX_FORK))
        fail(s, GRADE_BROKEN, "it left processes behind");
    else if (r->cpu_after_answer > AFTER_ANSWER_NS)
        fail(s, GRADE_BROKEN, "processes of it worked on after the answer");
    else if (r->shared_left > 0)
        fail(s, GRADE_BROKEN, "it left files in /dev/shm");
    else
        s->outcome = GRADE_PASSED;
}

/* Beside a pacemaker: without the wait for the CPU that they share, and as if that had been as fast as usual. What a
 * program sleeps does not depend on that. */
static void set_pace(struct trial *s, struct pace *p, const struct sandbox_result *r)
{
    double ran = s->wall - (double)r->queued_ns / 1e9, pace = pace_between(p, r->exec_ns, r->answer.whole_ns);
    double worked = fmin(ran, s->cpu);
    s->wall = ran - worked + worked * pace;
    s->cpu *= pace;
}

static void take_times(struct trial *s, const struct sandbox_result *r)
{
    const struct answer *a = &r->answer;
    uint64_t last = a->ready_ns, gap = 0;
    for (size_t i = 0; i < a->progress_count; i++) {
        gap = a->progress[i].at_ns - last > gap ? a->progress[i].at_ns - last : gap;
        last = a->progress[i].at_ns;
    }
    gap = a->whole_ns > last && a->whole_ns - last > gap ? a->whole_ns - last : gap;
    s->wall = (double)(a->whole_ns - r->exec_ns) / 1e9;
    s->cpu = (double)(r->user_ns + r->sys_ns) / 1e9;
    s->peak = r->peak > 0 ? (double)r->peak : NAN;
    s->gap = (double)gap / 1e9;
    s->beats = a->progress_count;
}

/* with: which function, and what of the scratch folder. */
static int run_child(struct runner *s, const struct process *with, const struct source *source,
    const struct input *input, uint64_t wall_ns, struct trial *ret, struct error *e)
{
    const struct grade_lab *lab = s->lab;
    char module[64];
    struct process p = *with;
    struct buffer wire;
    struct sandbox_result result;
    uint64_t began = clock_monotonic_ns();
    bool forks = lab->allow & SANDBOX_FORK;
    snprintf(module, sizeof(module), "%.*s", (int)strlen(lab->file) - 3, lab->file);
    p.script = "child.py";
    p.argument1 = module;
    add_file(&p, "child.py", grade_harness_child, strlen(grade_harness_child));
    add_file(&p, "values.py", grade_harness_values, strlen(grade_harness_values));
    add_file(&p, "pitviper_lab.py", (const char *)s->lab_module.data, s->lab_module.size);
    for (size_t i = 0; i < source->count; i++)
        add_file(&p, source->files[i].name, source->files[i].text, source->files[i].size);
    buffer_init(&wire, TRIAL_INPUT_MAX + 4);
    buffer_append_le32(&wire, (uint32_t)input->size);
    if (buffer_append(&wire, input->data, input->size) < 0) {
        buffer_release(&wire);
        return error_set(e, ENOMEM, "out of memory for an input");
    }
    struct sandbox_spec spec = {.input = wire.data,
        .input_size = wire.size,
        .input_when_ready = true,
        .service_delay_ns = lab->service_delay_ns,
        .service_at_once = lab->service_at_once,
        .allow = lab->allow,
        .sum_pss = forks,
        .started = s->started,
        .context = s->context,
        .cpus = s->pace.pid > 0 ? &s->pace.cpus : NULL,
        .limits = {.wall_ns = wall_ns, .cpu_ns = CPU_FACTOR * wall_ns, .linger_ns = forks ? 0 : 1}};
    int r = run(s, &p, &spec, &result, e);
    buffer_release(&wire);
    if (r < 0)
        return r;
    *ret = (struct trial){.spent_ns = 0};
    buffer_init(&ret->answer, 0);
    buffer_init(&ret->digests, 0);
    s->refused |= lab->allow & ~result.allowed;
    take_outcome(ret, &result);
    take_times(ret, &result);
    if (s->pace.pid > 0 && ret->outcome == GRADE_PASSED)
        set_pace(ret, &s->pace, &result);
    if (ret->outcome == GRADE_PASSED) { /* ours now */
        ret->answer = result.answer.payload;
        ret->digests = result.answer.digests;
        buffer_init(&result.answer.payload, 0);
        buffer_init(&result.answer.digests, 0);
    }
    sandbox_result_release(&result);
    ret->spent_ns = clock_monotonic_ns() - began;
    return 0;
}

int trial_run(struct runner *s, const struct source *source, const struct input *input, uint32_t hash_seed,
    uint64_t wall_ns, struct trial *ret, struct error *e)
{
    struct process p = {.argument2 = s->lab->function, .hash_seed = hash_seed};
    return run_child(s, &p, source, input, wall_ns, ret, e);
}

int trial_call(struct runner *s, const struct source *source, const char *function, bool first, uint64_t wall_ns,
    struct trial *ret, struct error *e)
{
    static const uint8_t no_arguments[] = {')', 0}; /* marshal's empty tuple */
    const struct input nothing = {.data = no_arguments, .size = sizeof(no_arguments)};
    struct process p = {.argument2 = function, .hash_seed = 1, .keep = true, .again = !first};
    return run_child(s, &p, source, &nothing, wall_ns, ret, e);
}

void trial_release(struct trial *s)
{
    buffer_release(&s->answer);
    buffer_release(&s->digests);
}

/* ---- the maker ---- */
static int maker_fault(const struct sandbox_result *r, const char *mode, struct error *e)
{
    const char *text = (const char *)r->err.data;
    size_t size = r->err.size;
    while (size > 0 && text[size - 1] == '\n')
        size--;
    size_t from = size;
    while (from > 0 && text[from - 1] != '\n')
        from--;
    return error_set(e, EBADMSG, "the lab's maker (%s): %s%s%.*s", mode, sandbox_end_text(r->end),
        size > from ? ": " : "", (int)(size - from), text ? text + from : "");
}

static int take_version(struct runner *s, const uint8_t *data, size_t size, struct error *e)
{
    unsigned major, minor;
    snprintf(s->version, sizeof(s->version), "%.*s", (int)size, (const char *)data);
    if (sscanf(s->version, "%u.%u", &major, &minor) != 2 || major != 3)
        return error_set(e, EBADMSG, "the interpreter does not say its version");
    s->minor = minor;
    if (minor < s->lab->python_minor)
        return error_set(e, ENOTSUP, "%s needs Python 3.%u or later, and this is %s%s%s", s->lab->title,
            s->lab->python_minor, s->version, s->lab->python_why[0] ? ": " : "", s->lab->python_why);
    return 0;
}

/* All that a program's maker may want of its folder. */
static void add_course_files(struct process *p, const struct grade_lab *lab)
{
    for (size_t i = 0; i < lab->file_count; i++)
        add_file(p, lab->files[i].path + strlen(lab->folder) + 1, lab->files[i].data, lab->files[i].size);
}

static int run_maker_process(
    struct runner *s, const char *mode, const struct buffer *in, struct buffer *ret, struct error *e)
{
    bool asks = s->lab->kind == GRADE_ANSWERS;
    struct process p = {.script = "maker.py", .argument1 = mode};
    struct sandbox_result result;
    add_file(&p, "maker.py", grade_harness_maker, strlen(grade_harness_maker));
    add_file(&p, "values.py", grade_harness_values, strlen(grade_harness_values));
    if (s->lab->kind == GRADE_PROGRAM) {
        add_course_files(&p, s->lab);
    } else {
        const struct grade_file *cases = grade_lab_file(s->lab, asks ? s->lab->questions : "cases.py");
        add_file(&p, asks ? "questions.py" : "cases.py", cases->data, cases->size);
    }
    struct sandbox_spec spec = {.input = in->data,
        .input_size = in->size,
        .limits = {.wall_ns = MAKER_WALL_NS, .linger_ns = 1, .memory = MAKER_MEMORY, .answer = 2 * TRIAL_INPUT_MAX}};
    bool was_own = s->own;
    s->own = true;
    int r = run(s, &p, &spec, &result, e);
    s->own = was_own;
    if (r < 0)
        return r;
    if (result.end != SANDBOX_ANSWERED || result.answer.kind != ANSWER_DATA) {
        r = maker_fault(&result, mode, e);
        sandbox_result_release(&result);
        return r;
    }
    *ret = result.answer.payload;
    buffer_init(&result.answer.payload, 0);
    sandbox_result_release(&result);
    return 0;
}

/* Its answer's records behind the version, as places in *ret. */
static int run_maker(struct runner *s, const char *mode, const struct buffer *in, struct buffer *ret,
    struct reader *ret_at, struct error *e)
{
    struct memo_key key;
    int r = 0;
    memo_key(mode, 0, in->data, in->size, &key);
    buffer_init(ret, 2 * TRIAL_INPUT_MAX);
    if (!memo_recall(s->memo, &key, ret)) {
        buffer_release(ret);
        if ((r = run_maker_process(s, mode, in, ret, e)) < 0)
            return r;
        memo_keep(s->memo, &key, ret);
    }
    *ret_at = (struct reader){.at = ret->data, .end = ret->data + ret->size};
    uint32_t size = reader_le32(ret_at);
    const uint8_t *version = reader_bytes(ret_at, size);
    r = version ? take_version(s, version, size, e) : error_set(e, EBADMSG, "the maker of inputs sent nothing");
    if (r < 0)
        buffer_release(ret);
    return r;
}

static int take_inputs(struct reader *r, struct inputs *into, struct error *e)
{
    size_t capacity = 0;
    while (r->at < r->end && !r->failed) {
        if (array_reserve(&into->items, &capacity, into->count + 1, sizeof(*into->items)) < 0)
            return error_set(e, ENOMEM, "out of memory for inputs");
        struct input *i = &into->items[into->count++];
        i->size = reader_le32(r);
        i->data = reader_bytes(r, i->size);
        i->shown_size = reader_le32(r);
        i->shown = reader_bytes(r, i->shown_size);
    }
    return r->failed ? error_set(e, EBADMSG, "the maker of inputs sent half an input") : 0;
}

static int make(struct runner *s, const char *mode, const struct buffer *in, struct inputs *ret, struct error *e)
{
    struct inputs made = {0};
    struct reader at;
    int r = run_maker(s, mode, in, &made.payload, &at, e);
    if (r < 0)
        return r;
    r = take_inputs(&at, &made, e);
    if (r < 0)
        trial_inputs_release(&made);
    else
        *ret = made;
    return r;
}

/* What the maker is asked by: a record of one line. */
static void put_wish(struct buffer *in, uint64_t seed, unsigned size)
{
    char line[64];
    int n = snprintf(line, sizeof(line), "%llu %u", (unsigned long long)seed, size);
    buffer_append_le32(in, (uint32_t)n);
    buffer_append(in, line, (size_t)n);
}

/* Of a seed alone; as run_maker. */
static int make_of_seed(
    struct runner *s, const char *mode, uint64_t seed, struct buffer *ret, struct reader *ret_at, struct error *e)
{
    CLEANUP(buffer_release) struct buffer in;
    buffer_init(&in, 256);
    put_wish(&in, seed, 0);
    return run_maker(s, mode, &in, ret, ret_at, e);
}

int inputs_make(struct runner *s, const struct input_wish *wishes, size_t count, struct inputs *ret, struct error *e)
{
    CLEANUP(buffer_release) struct buffer in;
    buffer_init(&in, (size_t)1 << 20);
    for (size_t i = 0; i < count; i++)
        put_wish(&in, wishes[i].seed, wishes[i].size);
    if (in.failed)
        return error_set(e, ENOMEM, "out of memory");
    int r = make(s, "make", &in, ret, e);
    if (r == 0 && ret->count != count) {
        trial_inputs_release(ret);
        r = error_set(e, EBADMSG, "the maker of inputs made %zu of %zu", ret->count, count);
    }
    return r;
}

int inputs_make_edges(struct runner *s, struct inputs *ret, struct error *e)
{
    struct buffer none = {0};
    return make(s, "edges", &none, ret, e);
}

void trial_inputs_release(struct inputs *i)
{
    buffer_release(&i->payload);
    free(i->items);
    *i = (struct inputs){0};
}

int input_judge(
    struct runner *s, const struct input *input, const struct buffer *answer, struct buffer *ret_said, struct error *e)
{
    struct buffer in, payload;
    struct reader at;
    buffer_init(&in, 2 * TRIAL_INPUT_MAX);
    buffer_append_le32(&in, (uint32_t)input->size);
    buffer_append(&in, input->data, input->size);
    buffer_append_le32(&in, (uint32_t)answer->size);
    buffer_append(&in, answer->data, answer->size);
    int r = in.failed ? error_set(e, ENOMEM, "out of memory") : run_maker(s, "judge", &in, &payload, &at, e);
    buffer_release(&in);
    if (r < 0)
        return r;
    uint32_t size = reader_le32(&at);
    const uint8_t *said = reader_bytes(&at, size);
    if (at.failed)
        r = error_set(e, EBADMSG, "the lab's judge said nothing");
    else
        buffer_append(ret_said, said, size);
    buffer_release(&payload);
    return r;
}

int questions_make(struct runner *s, uint64_t seed, bool answered, struct buffer *ret, struct error *e)
{
    struct buffer payload;
    struct reader at;
    int r = make_of_seed(s, answered ? "answers" : "questions", seed, &payload, &at, e);
    if (r < 0)
        return r;
    uint32_t size = reader_le32(&at);
    const uint8_t *json = reader_bytes(&at, size);
    if (at.failed || buffer_append(ret, json, size) < 0)
        r = error_set(e, EBADMSG, "the lab's maker sent no questions");
    buffer_release(&payload);
    return r;
}

int variant_make(struct runner *s, uint64_t seed, struct buffer *ret, struct reader *ret_at, struct error *e)
{
    return make_of_seed(s, "variant", seed, ret, ret_at, e);
}
