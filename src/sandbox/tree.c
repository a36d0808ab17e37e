/* The processes below one, and what the kernel says of each. One that ends meanwhile is not there, or counts as 0. */
#include "sandbox/inside.h"
#include "target/target.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void tree_list(pid_t root, struct tree *ret)
{
    ret->count = 0;
    pid_t at = root;
    for (size_t next = 0;; at = ret->pids[next++]) {
        size_t room = SANDBOX_TREE_MAX - ret->count, found = 0;
        if (target_children_of(at, ret->pids + ret->count, room, &found) == 0)
            ret->count += found;
        if (ret->count >= SANDBOX_TREE_MAX || next == ret->count)
            return;
    }
}

uint64_t tree_cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
        return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Reads a small file of its /proc folder; "" if it cannot. */
static const char *read_small(pid_t pid, const char *name, char *into, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : file_read_at(fd, into, size - 1, 0);
    into[n > 0 ? n : 0] = '\0';
    return into;
}

/* The number behind "\nkey". */
static uint64_t field(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

uint64_t tree_memory(pid_t pid, bool pss)
{
    char text[4096];
    uint64_t value = pss ? field(read_small(pid, "smaps_rollup", text, sizeof(text)), "\nPss:") * 1024 : 0;
    if (value > 0)
        return value;
    const char *resident = strchr(read_small(pid, "statm", text, sizeof(text)), ' ');
    return resident ? strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

uint64_t tree_high_water(pid_t pid)
{
    char text[4096];
    return field(read_small(pid, "status", text, sizeof(text)), "\nVmHWM:") * 1024;
}

uint64_t tree_written(pid_t pid)
{
    char text[1024];
    return field(read_small(pid, "io", text, sizeof(text)), "\nwrite_bytes:");
}

bool tree_is_zombie(pid_t pid)
{
    char text[1024];
    const char *name_end = strrchr(read_small(pid, "stat", text, sizeof(text)), ')');
    return !name_end || name_end[1] == '\0' || name_end[2] == 'Z' || name_end[2] == 'X';
}
