/*
 * For the tests of the target room: a forked child that does something and says when it is ready.
 */
#ifndef PITVIPER_TESTS_TARGET_CHILD_H
#define PITVIPER_TESTS_TARGET_CHILD_H

#include "target/inside.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static inline void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Runs `body` in a child, which writes a byte to the given descriptor when it is ready; returns when it has.
 * A body that returns ends the child with status 0. */
static inline pid_t child_start(void (*body)(int ready_fd))
{
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        body(ends[1]);
        _exit(0);
    }
    assert_true(pid > 0);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static inline void child_ready(int ready_fd)
{
    if (write(ready_fd, "r", 1) != 1)
        _exit(99);
    close(ready_fd);
}

/* A body: ready, then waits to be killed. Not for ever, should the test die. */
static inline void child_waits(int ready_fd)
{
    child_ready(ready_fd);
    for (int i = 0; i < 300; i++)
        sleep_ms(100);
}

static inline void child_end(pid_t pid)
{
    int status;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static inline struct target *open_target(pid_t pid)
{
    struct target *t = NULL;
    struct error e = {0};
    if (target_open(pid, &t, &e) < 0)
        fail_msg("cannot open %d: %s", (int)pid, e.text);
    return t;
}

#endif
