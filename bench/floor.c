/*
 * What no sampler that reads another process can be below: wakes up as often, reads so many segments of a Python
 * process in one process_vm_readv, and the state of its first thread. It looks at nothing that it read.
 *
 *     floor PID RATE_HZ SECONDS SEGMENTS
 *
 * SEGMENTS 1 to 5: a word of the stack, then what a thread state, a data stack and two pages of generators take.
 * Prints "wakeups N cpu SECONDS".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    SEGMENTS_MOST = 5,
    APART = 64 << 10, /* bytes between two segments of one mapping */
};

static const size_t sizes[SEGMENTS_MOST] = {8, 240, 3072, 4096, 4096};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The end of the stack, then places in anonymous mappings, up to SEGMENTS_MOST; how many. */
static int places_find(int pid, uint64_t *places)
{
    char path[64], line[512];
    int count = 1;

    snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "r");
    while (maps && fgets(line, sizeof(line), maps)) {
        uint64_t start, end;
        char rights[8], name[256] = "";
        sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %255s", &start, &end, rights, name);
        if (!strcmp(name, "[stack]"))
            places[0] = end - 4096;
        else if (name[0] == '\0' && rights[0] == 'r' && rights[1] == 'w')
            for (; end - start >= APART && count < SEGMENTS_MOST; start += APART)
                places[count++] = start + APART / 2;
    }
    if (maps)
        fclose(maps);
    return places[0] ? count : 0;
}

int main(int argc, char **argv)
{
    uint64_t places[SEGMENTS_MOST] = {0};
    static char to[1 << 16];
    char path[64];

    if (argc != 5) {
        fprintf(stderr, "usage: floor PID RATE_HZ SECONDS SEGMENTS\n");
        return 2;
    }
    int pid = atoi(argv[1]), segments = atoi(argv[4]);
    double rate = strtod(argv[2], NULL), seconds = strtod(argv[3], NULL);
    if (!(rate > 0) || !(seconds > 0) || segments < 1 || places_find(pid, places) < segments) {
        fprintf(stderr, "floor: %s has no %s segments to read\n", argv[1], argv[4]);
        return 2;
    }
    struct iovec local = {.iov_base = to}, remote[SEGMENTS_MOST];
    for (int i = 0; i < segments; i++) {
        remote[i] = (struct iovec){.iov_base = (void *)(uintptr_t)places[i], .iov_len = sizes[i]};
        local.iov_len += sizes[i];
    }
    snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, pid);
    int state = open(path, O_RDONLY | O_CLOEXEC);
    prctl(PR_SET_TIMERSLACK, 1);

    uint64_t gap = (uint64_t)(1e9 / rate), begin = now_ns(CLOCK_MONOTONIC), wakeups = 0;
    uint64_t end = begin + (uint64_t)(seconds * 1e9);
    for (uint64_t due = begin; due < end; due += gap, wakeups++) {
        struct timespec t = {.tv_sec = (time_t)(due / 1000000000u), .tv_nsec = (long)(due % 1000000000u)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
            ;
        if (process_vm_readv(pid, &local, 1, remote, (unsigned long)segments, 0) != (ssize_t)local.iov_len ||
            pread(state, to, sizeof(to), 0) <= 0) {
            perror("floor: cannot read the target");
            return 3;
        }
    }
    printf("wakeups %" PRIu64 " cpu %.6f\n", wakeups, (double)now_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9);
    return 0;
}
