/* What `doctor` finds out about this machine. Private to src/cmd. */
#ifndef PITVIPER_CMD_DOCTOR_H
#define PITVIPER_CMD_DOCTOR_H

#include "cmd/cmd.h"
#include "python/python.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <sys/utsname.h>

#define DOCTOR_PYTHONS_MAX 64

struct doctor_python {
    char path[PATH_MAX];
    dev_t device;
    ino_t inode;
    int result;                /* 0: it was started and its stack was read; else a negative errno, and why */
    char executable[PATH_MAX]; /* what runs in the end: path may be a link or a shim */
    bool ended;                /* at once and by itself */
    char version[32], weaker[160], why[640];
};
struct doctor_machine {
    struct target_facts facts; /* about ourselves: what is not about a target holds for all */
    struct utsname kernel;
    int cores, usable_cores;
    int read_errno;                        /* of reading our own memory; 0: the next two are its medians */
    uint64_t read_small_ns, read_large_ns; /* 8 bytes and 16 KB */
    int real_time_errno;                   /* 0: SCHED_FIFO may be used */
    uint64_t open_files;                   /* what the limit may be raised to; UINT64_MAX: no limit */
    struct doctor_python pythons[DOCTOR_PYTHONS_MAX];
    size_t python_count;
};

void doctor_machine_collect(struct doctor_machine *ret);
void doctor_machine_try_pythons(struct doctor_machine *m); /* starts each python of the path for a moment */

#endif
