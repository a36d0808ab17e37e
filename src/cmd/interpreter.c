/* What a verb was given to run, and every Python that there is. */
#include "cmd/interpreter.h"
#include "cmd/cmd.h"
#include "python/python.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- every Python there is ---- */

bool interpreter_ask(const char *path, const char *question, char *ret, size_t size)
{
    static char option[] = "-c";
    char *argv[] = {(char *)(uintptr_t)path, option, (char *)(uintptr_t)question, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2], status = -1;
    pid_t pid;
    ssize_t got = 0;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int r = posix_spawnp(&pid, path, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (r == 0) {
        for (ssize_t n; (n = read(ends[0], ret + got, size - 1 - (size_t)got)) != 0;)
            if (n > 0)
                got += n;
            else if (errno != EINTR)
                break;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    close(ends[0]);
    ret[got] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
    return r == 0 && status == 0;
}

static int interpreters_add(struct interpreters *to, const char *path)
{
    char itself[4096], *real;

    /* What stands there may be a shim that starts another one, or nothing: so it is asked who it is. */
    if (access(path, X_OK) < 0 || !interpreter_ask(path, "import sys; print(sys.executable)", itself, sizeof(itself)) ||
        itself[0] != '/')
        return 0;
    real = realpath(itself, NULL);
    if (!real)
        return 0;
    for (size_t i = 0; i < to->count; i++)
        if (strcmp(to->paths[i], real) == 0) {
            free(real);
            return 0;
        }
    if (array_reserve(&to->paths, &to->capacity, to->count + 1, sizeof(*to->paths)) < 0) {
        free(real);
        return -ENOMEM;
    }
    to->paths[to->count++] = real;
    return 0;
}

static int interpreters_add_glob(struct interpreters *to, const char *folder, int folder_size, const char *below)
{
    char pattern[4096];
    glob_t found = {0};
    int r = 0, n = snprintf(pattern, sizeof(pattern), "%.*s/%s", folder_size, folder, below);

    if (n <= 0 || (size_t)n >= sizeof(pattern) || glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
        r = interpreters_add(to, found.gl_pathv[i]);
    globfree(&found);
    return r;
}

int interpreters_find(struct interpreters *ret)
{
    const char *path = getenv("PATH"), *pyenv = getenv("PYENV_ROOT"), *home = getenv("HOME");
    char below[64];
    int r = 0;

    for (int minor = INTERPRETER_FIRST_MINOR; minor <= INTERPRETER_LAST_MINOR && r == 0; minor++) {
        snprintf(below, sizeof(below), "python3.%d", minor);
        for (const char *at = path ? path : "/usr/bin:/bin"; *at && r == 0;) {
            size_t size = strcspn(at, ":");
            r = interpreters_add_glob(ret, at, (int)size, below);
            at += size + (at[size] == ':');
        }
        snprintf(below, sizeof(below), "%sversions/*/bin/python3.%d", pyenv ? "" : ".pyenv/", minor);
        const char *root = pyenv ? pyenv : home;
        if (r == 0 && root)
            r = interpreters_add_glob(ret, root, (int)strlen(root), below);
    }
    if (r < 0)
        interpreters_release(ret);
    return r;
}

void interpreters_release(struct interpreters *i)
{
    for (size_t k = 0; k < i->count; k++)
        free(i->paths[k]);
    free(i->paths);
    *i = (struct interpreters){0};
}

int interpreter_check_command(const char *verb, int argc, char **argv)
{
    if (argc < 1)
        return cmd_fail_text(
            CMD_USAGE, "nothing to run: name a script, -m module or a command; see 'pitviper help %s'", verb);
    if (strcmp(argv[0], "-m") == 0 && argc < 2)
        return cmd_fail_text(CMD_USAGE, "-m needs the name of a module");
    if (strcmp(argv[0], "-m") != 0 && python_is_script(argv[0]) && access(argv[0], R_OK) < 0)
        return cmd_fail_text(CMD_RUN_FAILED, "cannot read the script '%s': %s", argv[0], strerror(errno));
    return 0;
}
