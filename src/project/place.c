/*
 * The temporary folder in which everything runs: before/ and after/ with copies of the two programs, other copies
 * beside them, tools/ with what lies in the project's folder, and run/, the current folder of each run, which holds its
 * inputs and nothing that an earlier run left.
 */
#include "project/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY ((uint64_t)2 << 30)
#define PROCESSES 32u
#define PRINTED_MAX ((uint64_t)16 << 20)
#define ALTER_WALL_NS UINT64_C(20000000000)
#define READABLE_MAX 64u
#define WORDS_MOST (PROJECT_WORDS_MAX + 8)

int place_path(const struct project *p, char ret[PATH_MOST], const char *name)
{
    int size = snprintf(ret, PATH_MOST, "%s/%s", p->place, name);
    return size < 0 || size >= (int)PATH_MOST ? error_set(p->e, ENAMETOOLONG, "the name %.80s is too long", name) : 0;
}

static int make_folder(struct project *p, const char *name)
{
    char path[PATH_MOST];
    int r = place_path(p, path, name);
    if (r == 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
        r = error_set(p->e, errno, "cannot make the folder %s: %s", path, strerror(errno));
    return r;
}

int place_folder(struct project *p, const char *name, const struct files *f, size_t instead, const char *text)
{
    char path[PATH_MOST];
    int r = place_path(p, path, name);
    if (r == 0)
        r = make_folder(p, name);
    if (r == 0)
        r = sandbox_wipe(path, p->e);
    return r < 0 ? r : files_write(f, path, instead, text, p->e);
}

int place_open(struct project *p)
{
    const char *tmp = getenv("TMPDIR");
    /* The runner's small process first: what it starts is charged with the peak of what started it. */
    int r = prove_runner_open(&p->runner, p->e);
    if (r < 0)
        return r;
    prove_runner_watch(p->runner, p->o->stop);
    r = sandbox_probe(&p->ladder, p->e);
    if (r == 0)
        r = sandbox_interpreter_find(p->o->python, &p->python, p->e);
    if (r < 0)
        return r;
    snprintf(p->place, sizeof(p->place), "%.400s/pitviper-project-XXXXXX", tmp && tmp[0] == '/' ? tmp : "/tmp");
    if (mkdtemp(p->place) == NULL) {
        r = error_set(p->e, errno, "cannot make a folder like %s: %s; set TMPDIR", p->place, strerror(errno));
        p->place[0] = '\0';
        return r;
    }
    r = place_folder(p, "before", &p->sides[BEFORE], FILES_ALL, NULL);
    if (r == 0)
        r = place_folder(p, "after", &p->sides[AFTER], FILES_ALL, NULL);
    if (r == 0)
        r = place_folder(p, "tools", &p->tools, FILES_ALL, NULL);
    return r < 0 ? r : make_folder(p, "run");
}

void place_close(struct project *p)
{
    prove_runner_close(p->runner);
    p->runner = NULL;
    if (p->place[0] != '\0') {
        sandbox_wipe(p->place, NULL);
        rmdir(p->place);
    }
    sandbox_interpreter_release(&p->python);
}

/* ---- inputs ---- */

void input_set_release(struct input_set *s)
{
    for (size_t i = 0; i < s->count; i++)
        buffer_release(&s->items[i].data);
    s->count = 0;
}

int place_inputs(struct project *p, const struct input_set *inputs)
{
    char path[PATH_MOST];
    int r = place_path(p, path, "run");
    if (r == 0)
        r = sandbox_wipe(path, p->e);
    for (size_t i = 0; r == 0 && inputs != NULL && i < inputs->count; i++) {
        char *slash = path;
        snprintf(path, sizeof(path), "%s/run/%s", p->place, inputs->items[i].name);
        for (slash += strlen(p->place) + 5; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
            *slash = '\0';
            (void)mkdir(path, 0700);
        }
        CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        r = fd < 0 ? -errno : file_write_all(fd, inputs->items[i].data.data, inputs->items[i].data.size);
        if (r < 0)
            return error_set(p->e, -r, "cannot write %s: %s", path, strerror(-r));
    }
    return r;
}

static int take_input(struct project *p, const char *name, struct input_set *s)
{
    char path[PATH_MOST];
    snprintf(path, sizeof(path), "%s/run/%s", p->place, name);
    if (s->count == INPUTS_MAX)
        return error_set(p->e, E2BIG, "'make' writes more than %u files", INPUTS_MAX);
    struct input *in = &s->items[s->count];
    snprintf(in->name, sizeof(in->name), "%s", name);
    buffer_init(&in->data, INPUT_MAX);
    int r = file_read_plain(AT_FDCWD, path, &in->data);
    if (r < 0) {
        buffer_release(&in->data);
        if (r == -EMEDIUMTYPE)
            return 0;
        return error_set(p->e, -r, "cannot read what 'make' has written, %.80s: %s", name, strerror(-r));
    }
    s->count++;
    return 0;
}

int place_read_inputs(struct project *p, struct input_set *ret)
{
    char path[PATH_MOST];
    int r = place_path(p, path, "run");
    if (r < 0)
        return r;
    DIR *all = opendir(path);
    if (all == NULL)
        return error_set(p->e, errno, "cannot read %s: %s", path, strerror(errno));
    for (struct dirent *d; r == 0 && (d = readdir(all)) != NULL;)
        if (d->d_name[0] != '.')
            r = take_input(p, d->d_name, ret);
    closedir(all);
    return r;
}

/* ---- one run ---- */

void ran_release(struct ran *r)
{
    buffer_release(&r->out);
}

/* What it printed, and the files that it was to write. */
static void hash_behaviour(struct project *p, const struct job *job, const void *printed, size_t size, struct ran *ret)
{
    struct sha256 h;
    uint8_t digest[32];
    sha256_init(&h);
    if (job->files == NULL || job->files->count == 0)
        sha256_update(&h, printed, size);
    for (size_t i = 0; job->files != NULL && i < job->files->count; i++) {
        struct input_set one = {.count = 0};
        uint64_t length = UINT64_MAX;
        if (take_input(p, job->files->items[i], &one) == 0 && one.count == 1)
            length = one.items[0].data.size;
        sha256_update(&h, &length, sizeof(length));
        if (one.count == 1)
            sha256_update(&h, one.items[0].data.data, one.items[0].data.size);
        input_set_release(&one);
    }
    sha256_final(&h, digest);
    text_hex(digest, 8, ret->digest);
}

/* The last line that says something, safe to print. */
static void take_last_line(const char *text, size_t size, char *ret, size_t ret_size)
{
    CLEANUP(buffer_release) struct buffer safe;
    buffer_init(&safe, 4096);
    while (size > 0 && strchr(" \r\n\t", text[size - 1]) != NULL)
        size--;
    ret[0] = '\0';
    if (size == 0)
        return;
    const char *from = memrchr(text, '\n', size);
    from = from == NULL ? text : from + 1;
    text_append_safe(&safe, from, (size_t)(text + size - from) < 300 ? (size_t)(text + size - from) : 300);
    snprintf(ret, ret_size, "%s", buffer_text(&safe));
}

static int run_as_user(struct project *p, const struct job *job, char *const *argv, struct ran *ret)
{
    char folder[PATH_MOST], path[PATH_MOST], self[PATH_MOST], own[PATH_MOST + 16], last[300];
    const char *old = getenv("PATH");
    struct prove_run run;
    int r = place_path(p, folder, "run");
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[size < 0 ? 0 : size] = '\0';
    snprintf(own, sizeof(own), "PITVIPER=%s", self);
    char *slash = strrchr(self, '/');
    if (slash != NULL)
        *slash = '\0';
    int length = snprintf(path, sizeof(path), "PATH=%.500s:%s", self, old == NULL ? "/usr/bin:/bin" : old);
    if (length >= (int)sizeof(path))
        snprintf(path, sizeof(path), "PATH=%s", old == NULL ? "/usr/bin:/bin" : "/usr/local/bin:/usr/bin:/bin");
    const char *environment[] = {path, own, "PYTHONDONTWRITEBYTECODE=1", NULL};
    const struct prove_process process = {
        .argv = argv,
        .folder = folder,
        .environment = environment,
        .timeout_ns = job->wall_ns,
        .seeded = true,
        .hash_seed = job->hash_seed,
    };
    if (r == 0)
        r = prove_run(p->runner, &process, 1, &run, p->e);
    if (r < 0)
        return r;
    ret->status = WIFEXITED(run.status) && !run.timed_out ? WEXITSTATUS(run.status) : -1;
    take_last_line(run.err.kept > 0 ? run.err.head : "", run.err.kept, last, sizeof(last));
    if (run.timed_out)
        snprintf(ret->why, sizeof(ret->why), "it took more than %.0f s", (double)job->wall_ns / 1e9);
    else if (ret->status != 0)
        snprintf(ret->why, sizeof(ret->why), "exit status %d%s%.200s", ret->status, last[0] ? ": " : "", last);
    buffer_append(&ret->out, run.out.head, run.out.kept);
    if (run.out.size == run.out.kept || (job->files != NULL && job->files->count > 0)) {
        hash_behaviour(p, job, run.out.head, run.out.kept, ret);
    } else {
        snprintf(ret->digest, sizeof(ret->digest), "%016llx", (unsigned long long)run.out.hash);
    }
    r = run.interrupted ? error_set(p->e, ECANCELED, "interrupted") : 0;
    prove_run_release(&run);
    return r;
}

/* The library, and the copies that are to be read: all of them but run/, which is written to. */
static size_t list_readable(const struct project *p, char paths[8][PATH_MOST], const char **ret)
{
    static const char *const names[] = {"before", "after", "tools", "broken"};
    size_t count = 0;
    struct stat is;
    for (size_t i = 0; p->python.readable[i] != NULL && count < READABLE_MAX - ARRAY_SIZE(names) - 1; i++)
        ret[count++] = p->python.readable[i];
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (place_path(p, paths[i], names[i]) == 0 && stat(paths[i], &is) == 0)
            ret[count++] = paths[i];
    ret[count] = NULL;
    return count;
}

static int run_in_sandbox(struct project *p, const struct job *job, char *const *argv, struct ran *ret)
{
    char folder[PATH_MOST], paths[8][PATH_MOST], seed[40], home[PATH_MOST + 8], tmp[PATH_MOST + 8], last[300];
    const char *readable[READABLE_MAX];
    struct sandbox_result result;
    int r = place_path(p, folder, "run");
    if (r < 0)
        return r;
    (void)list_readable(p, paths, readable);
    snprintf(seed, sizeof(seed), "PYTHONHASHSEED=%u", job->hash_seed);
    snprintf(home, sizeof(home), "HOME=%s", folder);
    snprintf(tmp, sizeof(tmp), "TMPDIR=%s", folder);
    char *env[] = {seed, home, tmp, (char *)"LC_ALL=C.UTF-8", (char *)"PYTHONDONTWRITEBYTECODE=1", NULL};
    const struct sandbox_spec spec = {
        .argv = argv,
        .env = env,
        .folder = folder,
        .scratch = folder,
        .readable = readable,
        .keep_scratch = true,
        .allow = job->allow,
        .level_most = p->o->level_most,
        .limits = {.wall_ns = job->wall_ns,
            .cpu_ns = 4 * job->wall_ns,
            .memory = MEMORY,
            .file = INPUT_MAX,
            .disk = 4 * (uint64_t)INPUT_MAX,
            .text = PRINTED_MAX,
            .processes = PROCESSES},
        .stop = p->o->stop,
    };
    r = sandbox_run(&spec, &p->ladder, &result, p->e);
    if (r < 0)
        return r;
    p->r->level = p->r->level < 0 || result.level < p->r->level ? result.level : p->r->level;
    bool ended = result.end == SANDBOX_EXITED && result.ended && WIFEXITED(result.status);
    ret->status = ended ? WEXITSTATUS(result.status) : -1;
    take_last_line((const char *)result.err.data, result.err.size, last, sizeof(last));
    if (result.end == SANDBOX_STOPPED)
        r = error_set(p->e, ECANCELED, "interrupted");
    else if (result.end == SANDBOX_LOST || result.unkillable)
        r = error_set(p->e, EBUSY, "a process of the project was lost, or does not die");
    else if (ended && ret->status != 0)
        snprintf(ret->why, sizeof(ret->why), "exit status %d%s%.200s", ret->status, last[0] ? ": " : "", last);
    else if (!ended && result.ended)
        snprintf(ret->why, sizeof(ret->why), "signal %d", WIFSIGNALED(result.status) ? WTERMSIG(result.status) : 0);
    else if (!ended)
        snprintf(ret->why, sizeof(ret->why), "%s", sandbox_end_text(result.end));
    buffer_append(&ret->out, result.out.data, result.out.size);
    hash_behaviour(p, job, result.out.data, result.out.size, ret);
    sandbox_result_release(&result);
    return r;
}

int place_run(struct project *p, const struct job *job, struct ran *ret)
{
    char script[PATH_MOST], python[PATH_MOST];
    char *argv[WORDS_MOST];
    size_t count = 0;
    size_t length = strlen(job->script);
    int r = place_path(p, script, job->script);
    *ret = (struct ran){.status = -1};
    buffer_init(&ret->out, PRINTED_MAX);
    if (r == 0)
        r = place_inputs(p, job->inputs);
    if (r < 0)
        return r;
    snprintf(python, sizeof(python), "%s", job->as_user ? p->o->python : p->python.path);
    bool ours = strchr(job->script, '/') != NULL;
    if (ours && length > 3 && strcmp(job->script + length - 3, ".py") == 0) {
        argv[count++] = python;
        argv[count++] = (char *)"-s";
        argv[count++] = (char *)"-B";
        argv[count++] = script;
    } else {
        argv[count++] = ours ? script : (char *)(uintptr_t)job->script; /* a command: the gate's alone may be one */
    }
    for (size_t i = 0; job->words[i] != NULL && count + 1 < WORDS_MOST; i++)
        argv[count++] = (char *)(uintptr_t)job->words[i];
    argv[count] = NULL;
    return job->as_user ? run_as_user(p, job, argv, ret) : run_in_sandbox(p, job, argv, ret);
}

int place_try(struct project *p, const struct job *job, struct tried *ret)
{
    struct ran ran;
    int r = place_run(p, job, &ran);
    if (r == 0) {
        ret->run = true;
        ret->status = ran.status;
        snprintf(ret->last, sizeof(ret->last), "%.190s", ran.why);
    }
    ran_release(&ran);
    return r;
}

/* ---- altered sources ---- */

int place_alter(struct project *p, const char *mode, const char *source, size_t size, struct buffer *ret)
{
    char folder[PATH_MOST], number[40];
    struct sandbox_result result;
    int r = place_path(p, folder, "run");
    if (r == 0)
        r = place_inputs(p, NULL);
    if (r < 0)
        return r;
    if (strcmp(mode, "plant") == 0)
        snprintf(number, sizeof(number), "%.2f", PROJECT_PLANTED);
    else
        snprintf(number, sizeof(number), "%llu", (unsigned long long)(p->r->seed >> 1));
    char *argv[] = {p->python.path, (char *)"-I", (char *)"-S", (char *)"-B", (char *)"-W", (char *)"ignore",
        (char *)"-c", (char *)(uintptr_t)project_harness_alter, (char *)(uintptr_t)mode, number, NULL};
    char *env[] = {(char *)"LC_ALL=C.UTF-8", NULL};
    const struct sandbox_spec spec = {
        .argv = argv,
        .env = env,
        .folder = folder,
        .scratch = folder,
        .readable = (const char *const *)p->python.readable,
        .input = source,
        .input_size = size,
        .keep_scratch = true,
        .level_most = p->o->level_most,
        .limits = {.wall_ns = ALTER_WALL_NS, .cpu_ns = ALTER_WALL_NS},
        .stop = p->o->stop,
    };
    r = sandbox_run(&spec, &p->ladder, &result, p->e);
    if (r < 0)
        return r;
    if (result.end == SANDBOX_STOPPED)
        r = error_set(p->e, ECANCELED, "interrupted");
    else if (result.end == SANDBOX_ANSWERED && result.answer.kind == ANSWER_DATA)
        r = buffer_append(ret, result.answer.payload.data, result.answer.payload.size);
    else
        r = -EBADMSG;
    sandbox_result_release(&result);
    return r;
}
