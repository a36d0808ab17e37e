/* When to take the next sample, and how to be there in time without burning a core. */
#include "sample/inside.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum {
    SLEEP_ONLY_NS = 500000, /* mean gaps from here: a wake-up's lateness (20 microseconds) is nothing beside them */
    SPIN_SHORT_NS = 30000,  /* below, the loop spins out what a wake-up may come late by */
    SPIN_ONLY_NS = 40000,   /* mean gaps below this leave no time to sleep */
    BACKLOG_TICKS = 8, /* deferred ticks may lag behind by so many times what one takes; what lags more is missed */
};

void schedule_init(struct schedule *c, double rate_hz, uint64_t now_ns)
{
    memset(c, 0, sizeof(*c));
    c->mean_gap_ns = 1e9 / rate_hz;
    c->random = hash_mix(clock_real_ns(), now_ns) | 1;
    c->spin = c->mean_gap_ns < SPIN_ONLY_NS;
    c->spin_ns = c->mean_gap_ns < SLEEP_ONLY_NS ? SPIN_SHORT_NS : 0;
    c->service_ns = 5000;
    c->due = now_ns + (uint64_t)(random_exponential(&c->random) * c->mean_gap_ns);
    c->next = c->due + (uint64_t)(random_exponential(&c->random) * c->mean_gap_ns);
    (void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

static void sleep_until(uint64_t when_ns)
{
    struct timespec t = {(time_t)(when_ns / 1000000000), (long)(when_ns % 1000000000)};

    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void advance(struct schedule *c)
{
    c->due = c->next;
    c->next = c->due + (uint64_t)(random_exponential(&c->random) * c->mean_gap_ns);
}

/* What a tick takes from its time to its end, wake-up and all: the mean and twice the mean deviation from it, as TCP
 * estimates a round trip (RFC 6298). Ticks that are closer than that cannot both be taken in time. */
static uint64_t service(const struct schedule *c)
{
    return c->service_ns + 2 * c->deviation_ns;
}

bool schedule_wait(struct schedule *c, struct record_counters *counters, uint64_t until_ns,
    const volatile sig_atomic_t *stop, uint64_t *now_ns)
{
    uint64_t now = *now_ns;

    if (c->due > until_ns) {
        if (now < until_ns)
            sleep_until(until_ns);
        *now_ns = clock_monotonic_ns();
        return false;
    }
    if (!c->spin && c->due > now + c->spin_ns)
        sleep_until(c->due - c->spin_ns);
    while (now < c->due && !(stop && *stop))
        now = clock_monotonic_ns();
    *now_ns = now;
    if (stop && *stop)
        return false;
    counters->ticks_due++;
    while (c->next <= now) { /* the one after it is due as well */
        bool deferrable = c->next - c->due < service(c) && now - c->due < BACKLOG_TICKS * service(c);
        if (deferrable)
            break;
        counters->ticks_missed++;
        counters->ticks_due++;
        advance(c);
    }
    if ((double)(now - c->due) > c->mean_gap_ns / 10)
        counters->ticks_late++;
    return true;
}

void schedule_taken(struct schedule *c, uint64_t began_ns, uint64_t ended_ns, struct record_counters *counters)
{
    /* A deferred tick's time begins when the one before it was done. */
    uint64_t took = ended_ns - (c->due > c->last_ended ? c->due : c->last_ended);
    uint64_t off = took > c->service_ns ? took - c->service_ns : c->service_ns - took;

    counters->ticks_taken++;
    if (c->last_taken && began_ns - c->last_taken > counters->longest_gap_ns)
        counters->longest_gap_ns = began_ns - c->last_taken;
    c->last_taken = began_ns;
    c->last_ended = ended_ns;
    counters->read_ns += ended_ns - began_ns;
    c->service_ns = (c->service_ns * 15 + took) / 16;
    c->deviation_ns = (c->deviation_ns * 15 + off) / 16;
    advance(c);
}

bool schedule_has_time(const struct schedule *c, uint64_t now_ns, uint64_t for_ns)
{
    return c->due > now_ns + for_ns;
}

bool schedule_real_time(void)
{
    cpu_set_t allowed;
    struct sched_param low = {.sched_priority = 1};

    /* On a single core a real-time sampler would take its time from the target. */
    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0 || CPU_COUNT(&allowed) < 2)
        return false;
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &low) == 0;
}

bool schedule_avoid_core(int core)
{
    static cpu_set_t all; /* what we were allowed at the start; one sampler a process */
    static bool known;
    cpu_set_t rest;

    if (!known && sched_getaffinity(0, sizeof(all), &all) < 0)
        return false;
    known = true;
    rest = all;
    if (core >= 0 && core < CPU_SETSIZE)
        CPU_CLR((size_t)core, &rest);
    if (CPU_COUNT(&rest) == 0)
        return false;
    return sched_setaffinity(0, sizeof(rest), &rest) == 0;
}
