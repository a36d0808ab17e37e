#include "base/base.h"

#include <math.h>
#include <time.h>

static uint64_t now(clockid_t clock)
{
    struct timespec t = {0};
    clock_gettime(clock, &t); /* fails only for a clock that does not exist; these four do since Linux 2.6.12 */
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
    return now(CLOCK_MONOTONIC);
}

uint64_t clock_thread_cpu_ns(void)
{
    return now(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_process_cpu_ns(void)
{
    return now(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t clock_real_ns(void)
{
    return now(CLOCK_REALTIME);
}

uint64_t random_next(uint64_t *state)
{
    /* xorshift64* of Vigna: 0 is its one fixed point, so a zero seed is replaced. */
    uint64_t x = *state == 0 ? UINT64_C(0x9e3779b97f4a7c15) : *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

double random_exponential(uint64_t *state)
{
    /* 53 bits make a double in (0, 1]: never 0, whose logarithm would be an endless gap. */
    double uniform = ((double)(random_next(state) >> 11) + 1.0) * 0x1p-53;
    return -log(uniform);
}
