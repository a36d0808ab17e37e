/* `cut`: tells a pitviper that records with --last to write out what it has. */
#include "cmd/cmd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_NS = 20000000 };
#define WAITS 500 /* ten seconds */

/* SIGRTMIN would end a process that does not catch it. */
static bool catches_cut(pid_t pid)
{
    CLEANUP(buffer_release) struct buffer status;
    char path[64];
    buffer_init(&status, 1u << 16);
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (file_read_all(AT_FDCWD, path, &status) < 0)
        return false;
    const char *caught = strstr(buffer_text(&status), "\nSigCgt:");
    return caught != NULL && (strtoull(caught + 8, NULL, 16) >> (SIGRTMIN - 1) & 1) != 0;
}

static bool is_recording(int folder, const char *name, char *path, size_t size)
{
    uint8_t magic[4];
    ssize_t n = readlinkat(folder, name, path, size - 1);
    if (n <= 0 || path[0] != '/')
        return false;
    path[n] = '\0';
    CLEANUP(fd_close) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd >= 0 && read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) && memcmp(magic, "\x8bPIT", 4) == 0;
}

static int find_recording(pid_t pid, char *path, size_t size, struct error *e)
{
    char folder[64];
    snprintf(folder, sizeof(folder), "/proc/%d/fd", (int)pid);
    DIR *fds = opendir(folder);
    if (fds == NULL)
        return error_set(e, errno, "cannot look at process %d: %s", (int)pid, strerror(errno));
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(fds)) != NULL;)
        found = entry->d_name[0] != '.' && is_recording(dirfd(fds), entry->d_name, path, size);
    closedir(fds);
    if (!found || !catches_cut(pid))
        return error_set(e, ENOENT, "process %d is no pitviper that records with --last: nothing to cut", (int)pid);
    return 0;
}

/* The name that the next cut will have: the first that is free. */
static void next_name(const char *recording, char *path, size_t size)
{
    size_t stem = strlen(recording);
    if (stem > 4 && strcmp(recording + stem - 4, ".pit") == 0)
        stem -= 4;
    for (unsigned number = 1; number == 1 || access(path, F_OK) == 0; number++)
        snprintf(path, size, "%.*s-%u.pit", (int)stem, recording, number);
}

static int cut_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out;
    const struct timespec nap = {0, WAIT_NS};
    char recording[4096], path[4200];
    struct error e;
    uint64_t pid;

    buffer_init(&out, sizeof(path) * 2);
    int used = cmd_options_parse(verb, NULL, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (argc - used != 1 || parse_count(argv[used], &pid) < 0 || pid == 0 || pid > INT32_MAX)
        return cmd_fail_text(
            CMD_USAGE, "cut: name the process id of the pitviper that records; see 'pitviper help cut'");
    if (find_recording((pid_t)pid, recording, sizeof(recording), &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    next_name(recording, path, sizeof(path));
    if (kill((pid_t)pid, SIGRTMIN) < 0)
        return cmd_fail_text(CMD_FAILED, "cannot signal process %d: %s", (int)pid, strerror(errno));
    for (int i = 0; access(path, F_OK) < 0; i++) {
        if (i == WAITS || kill((pid_t)pid, 0) < 0)
            return cmd_fail_text(CMD_FAILED, "process %d did not write %s", (int)pid, path);
        nanosleep(&nap, NULL);
    }
    buffer_printf(&out, "%s\n", path);
    return cmd_print(STDOUT_FILENO, &out);
}

static const struct cmd_option cut_options[] = {
    CMD_OPTION_END,
};

const struct cmd_verb cmd_cut_verb = {
    .name = "cut",
    .synopsis = "PID",
    .summary = "write out what a pitviper that records with --last has now",
    .options = cut_options,
    .details =
        "PID is that of the pitviper, not of the program. What it has of the last so long goes to NAME-1.pit beside\n"
        "its recording NAME.pit, the next time to NAME-2.pit; the path is printed when the file is there. The signal\n"
        "SIGRTMIN does the same, without waiting.",
    .run = cut_run,
};
