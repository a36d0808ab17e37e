/* What a Python needs to see of the disk: its standard library, the libraries that it has loaded, its loader. */
#include "sandbox/inside.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADERS_MAX 64 /* program headers; a Python has about a dozen */
#define LOADER_PATH_MAX 4096
#define PATHS_MAX 4096 /* of one interpreter */
#define ARENA_MAX ((size_t)4 << 20)

int interpreter_loader(const char *path, char **ret)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    Elf64_Ehdr head;
    Elf64_Phdr all[HEADERS_MAX];
    char name[LOADER_PATH_MAX];
    if (fd < 0)
        return -errno;
    if (file_read_at(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
        head.e_phentsize != sizeof(all[0]) || head.e_phnum > HEADERS_MAX)
        return -ENOEXEC;
    ssize_t size = (ssize_t)(head.e_phnum * sizeof(all[0]));
    if (file_read_at(fd, all, (size_t)size, head.e_phoff) != size)
        return -ENOEXEC;
    for (size_t i = 0; i < head.e_phnum; i++) {
        if (all[i].p_type != PT_INTERP)
            continue;
        size_t length = all[i].p_filesz;
        if (length < 2 || length > sizeof(name) || file_read_at(fd, name, length, all[i].p_offset) != (ssize_t)length ||
            name[length - 1] != '\0')
            return -ENOEXEC;
        *ret = strdup(name);
        return *ret ? 0 : -ENOMEM;
    }
    return 0;
}

/* Prints paths, a NUL behind each, its executable first. Maps names what it is linked with; the rest it opens later. */
static const char question[] =
    "import sys, os\n"
    "found = [getattr(sys, '_base_executable', None) or sys.executable]\n"
    "found += [p for p in sys.path if p] + [os.path.join(p, d) for p in (sys.base_prefix, sys.base_exec_prefix)\n"
    "                                       for d in ('lib', 'lib64') if p != '/']\n"
    "with open('/proc/self/maps') as maps:\n"
    "    found += [line.split(None, 5)[5].rstrip('\\n') for line in maps if '.so' in line]\n"
    "seen = []\n"
    "for p in found:\n"
    "    if os.path.isabs(p) and p not in seen and os.path.exists(p):\n"
    "        seen.append(p)\n"
    "sys.stdout.write(''.join(p + '\\0' for p in seen))\n";

static int take_paths(const struct sandbox_result *r, struct sandbox_interpreter *i)
{
    const char *at = (const char *)r->out.data, *end = at + r->out.size;
    size_t count = 0;
    i->readable = arena_alloc(&i->arena, (PATHS_MAX + 1) * sizeof(*i->readable));
    if (!i->readable)
        return -ENOMEM;
    while (at < end && count < PATHS_MAX) {
        size_t length = strnlen(at, (size_t)(end - at));
        char *one = arena_strndup(&i->arena, at, length);
        if (!one)
            return -ENOMEM;
        if (!i->path)
            i->path = one;
        else
            i->readable[count++] = one;
        at += length + 1;
    }
    return i->path ? 0 : -ENODATA;
}

static int ask(const char *path, const char *folder, struct sandbox_interpreter *i, struct error *e)
{
    char *argv[] = {(char *)path, (char *)"-S", (char *)"-E", (char *)"-s", (char *)"-c", (char *)question, NULL};
    char *env[] = {(char *)"LC_ALL=C.UTF-8", NULL};
    struct sandbox_spec spec = {.argv = argv, .env = env, .folder = folder, .scratch = folder};
    struct sandbox_ladder none = {0};
    struct sandbox_result r;
    int failed = sandbox_run_layers(&spec, &none, 1u << SANDBOX_LIMITS, false, &r, e);
    if (failed < 0)
        return failed;
    bool fine = r.ended && WIFEXITED(r.status) && WEXITSTATUS(r.status) == 0;
    failed = fine ? take_paths(&r, i) : -EIO;
    if (failed < 0)
        error_set(e, -failed, "cannot use %s: asked where its library is, it %s", path,
            fine ? "named none" : "failed; is it a Python?");
    sandbox_result_release(&r);
    return failed;
}

int sandbox_interpreter_find(const char *path, struct sandbox_interpreter *ret, struct error *e)
{
    struct sandbox_interpreter found = {0};
    char folder[512];
    int r = plan_temporary_folder(folder, sizeof(folder), e);
    if (r < 0)
        return r;
    arena_init(&found.arena, ARENA_MAX);
    r = ask(path, folder, &found, e);
    rmdir(folder);
    if (r < 0)
        arena_release(&found.arena);
    else
        *ret = found;
    return r;
}

void sandbox_interpreter_release(struct sandbox_interpreter *i)
{
    arena_release(&i->arena);
}
