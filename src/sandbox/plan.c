/* What a run needs, resolved before anything is started; and the probe, which runs nothing under each layer. */
#include "sandbox/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int resolve(const char *path, char **ret, struct error *e)
{
    char *real = path && path[0] ? realpath(path, NULL) : NULL;
    if (!real)
        return error_set(e, path && path[0] ? errno : EINVAL, "cannot find %s: %s", path ? path : "(no path)",
            strerror(path && path[0] ? errno : EINVAL));
    *ret = real;
    return 0;
}

static void fill_limits(struct sandbox_limits *l)
{
#define FALL_BACK(field, value)                                                                                        \
    if (l->field == 0)                                                                                                 \
    l->field = value
    FALL_BACK(wall_ns, SANDBOX_WALL_NS);
    FALL_BACK(cpu_ns, SANDBOX_CPU_NS);
    FALL_BACK(linger_ns, SANDBOX_LINGER_NS);
    FALL_BACK(memory, SANDBOX_MEMORY);
    FALL_BACK(file, SANDBOX_FILE);
    FALL_BACK(disk, SANDBOX_DISK);
    FALL_BACK(text, SANDBOX_TEXT);
    FALL_BACK(answer, SANDBOX_ANSWER);
    FALL_BACK(processes, SANDBOX_PROCESSES);
#undef FALL_BACK
}

/* Unix sockets are refused where the files of others could be connected to: see SANDBOX_SOCKETS. */
static uint32_t grant(uint32_t asked, uint32_t layers)
{
    bool filtered = layers & 1u << SANDBOX_FILTER, alone = layers & 1u << SANDBOX_NAMESPACES;
    return filtered && !alone ? asked & ~(uint32_t)SANDBOX_SOCKETS : asked;
}

int plan_make(struct plan *p, const struct sandbox_spec *spec, const struct sandbox_ladder *ladder, uint32_t layers,
    struct error *e)
{
    size_t count = 0;
    *p = (struct plan){.spec = spec, .limits = spec->limits, .layers = layers, .caller = getpid(), .control = -1};
    p->in = p->out = p->err = p->answer = p->group = -1;
    p->landlock_abi = ladder->landlock_abi;
    p->allowed = grant(spec->allow, layers);
    fill_limits(&p->limits);
    if (!spec->argv || !spec->argv[0] || !spec->env || !strchr(spec->argv[0], '/'))
        return error_set(e, EINVAL, "there is no interpreter to run: give it by its whole path");
    while (spec->readable && spec->readable[count])
        count++;
    p->readable = calloc(count + 1, sizeof(*p->readable));
    if (!p->readable)
        return error_set(e, ENOMEM, "out of memory");
    int r = resolve(spec->argv[0], &p->interpreter, e);
    if (r == 0)
        r = resolve(spec->folder, &p->folder, e);
    if (r == 0)
        r = resolve(spec->scratch, &p->scratch, e);
    if (r == 0 && interpreter_loader(p->interpreter, &p->loader_name) < 0)
        r = error_set(e, ENOEXEC, "cannot run %s: it is no program of this machine's kind", p->interpreter);
    if (r == 0 && p->loader_name)
        r = resolve(p->loader_name, &p->loader, e);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = resolve(spec->readable[i], &p->readable[i], e);
    return r;
}

void plan_release(struct plan *p)
{
    for (size_t i = 0; p->readable && p->readable[i]; i++)
        free(p->readable[i]);
    free(p->readable);
    free(p->interpreter);
    free(p->loader);
    free(p->loader_name);
    free(p->folder);
    free(p->scratch);
}

int plan_temporary_folder(char *into, size_t size, struct error *e)
{
    const char *tmp = getenv("TMPDIR");
    tmp = tmp && tmp[0] == '/' ? tmp : "/tmp";
    if (snprintf(into, size, "%s/pitviper-XXXXXX", tmp) >= (int)size)
        return error_set(e, ENAMETOOLONG, "cannot make a folder in TMPDIR: its path is too long");
    if (!mkdtemp(into))
        return error_set(e, errno, "cannot make a folder in %s: %s; set TMPDIR", tmp, strerror(errno));
    return 0;
}

/* Reaching the exec is what is tried: what a kernel says of itself, or what a container hides, is not enough. */
static bool try_layers(const char *folder, const struct sandbox_ladder *ladder, uint32_t layers, char *why, size_t size)
{
    char *argv[] = {(char *)"/proc/self/exe", NULL}, *env[] = {NULL};
    struct sandbox_spec spec = {.argv = argv, .env = env, .folder = folder, .scratch = folder, .keep_scratch = true};
    struct sandbox_result r;
    struct error e = {""};
    if (sandbox_run_layers(&spec, ladder, layers, true, &r, &e) < 0) {
        snprintf(why, size, "%.*s", (int)size - 1, e.text);
        return false;
    }
    bool ran = r.ended && r.status == 0;
    if (!ran)
        snprintf(why, size, "a trial of it did not come to its end");
    sandbox_result_release(&r);
    return ran;
}

static void probe_group(struct sandbox_ladder *l)
{
    struct sandbox_limits limits = {0};
    struct group g;
    fill_limits(&limits);
    if (group_make(&g, &limits, l->why_not[SANDBOX_GROUP], sizeof(l->why_not[0])) < 0)
        return;
    l->have[SANDBOX_GROUP] = true;
    l->group_memory = g.memory;
    l->group_pids = g.pids;
    group_remove(&g);
}

int sandbox_probe(struct sandbox_ladder *ret, struct error *e)
{
    struct sandbox_ladder l = {.landlock_abi = files_landlock_abi()};
    char folder[512];
    int r = plan_temporary_folder(folder, sizeof(folder), e);
    if (r < 0)
        return r;
    for (int i = SANDBOX_LIMITS; i <= SANDBOX_NAMESPACES; i++) {
        if (i == SANDBOX_FILES && l.landlock_abi == 0)
            snprintf(l.why_not[i], sizeof(l.why_not[i]), "this kernel has no Landlock (5.13), or it is switched off");
        else
            l.have[i] = try_layers(folder, &l, 1u << SANDBOX_LIMITS | 1u << i, l.why_not[i], sizeof(l.why_not[i]));
    }
    probe_group(&l);
    rmdir(folder);
    if (!l.have[SANDBOX_LIMITS])
        return error_set(e, ENOTSUP, "cannot run anything in a sandbox: %s", l.why_not[SANDBOX_LIMITS]);
    while (l.level < SANDBOX_LEVEL_BEST && l.have[l.level + 1])
        l.level++;
    *ret = l;
    return 0;
}
