/*
 * A neighbour that does nothing but wake up and spin, as often and for as long as a sampler would: the control for
 * slowdown, so that what a second busy core costs by itself (shared caches, clock, hypervisor) is not charged to the
 * reading of memory.
 *
 *     spin_neighbour RATE_HZ BUSY_US SECONDS [CPU]
 *
 * BUSY_US 0, or at least the gap between two wake-ups, spins all the time. It ends after SECONDS or at SIGTERM, and
 * prints "wakeups N cpu SECONDS".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t at)
{
    struct timespec t = {.tv_sec = (time_t)(at / 1000000000u), .tv_nsec = (long)(at % 1000000000u)};
    while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: spin_neighbour RATE_HZ BUSY_US SECONDS [CPU]\n");
        return 2;
    }
    double rate = strtod(argv[1], NULL), busy_us = strtod(argv[2], NULL), seconds = strtod(argv[3], NULL);
    if (!(rate > 0) || !(busy_us >= 0) || !(seconds > 0))
        return 2;
    if (argc == 5) {
        unsigned long cpu = strtoul(argv[4], NULL, 10);
        cpu_set_t set;
        if (cpu >= CPU_SETSIZE)
            return 2;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        if (sched_setaffinity(0, sizeof(set), &set) < 0) {
            perror("spin_neighbour: cannot keep to the core");
            return 3;
        }
    }
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    prctl(PR_SET_TIMERSLACK, 1); /* as a sampler does: the default would add 50 us to each sleep */

    uint64_t gap = (uint64_t)(1e9 / rate), busy = (uint64_t)(busy_us * 1000);
    uint64_t begin = now_ns(CLOCK_MONOTONIC), end = begin + (uint64_t)(seconds * 1e9);
    uint64_t wakeups = 0, due = begin;
    int always = busy == 0 || busy >= gap;
    while (!stopped) {
        uint64_t now = now_ns(CLOCK_MONOTONIC);
        if (now >= end)
            break;
        wakeups++;
        if (always)
            continue;
        while (now_ns(CLOCK_MONOTONIC) - now < busy)
            ;
        due += gap;
        sleep_until(due);
    }
    printf("wakeups %" PRIu64 " cpu %.6f\n", wakeups, (double)now_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9);
    return 0;
}
