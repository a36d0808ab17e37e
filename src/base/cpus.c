#include "base/base.h"

#include <sched.h>

size_t cpus_allowed(int *cpus, size_t max)
{
    cpu_set_t set;
    size_t count = 0;

    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 0;
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, &set)) {
            if (count < max)
                cpus[count] = i;
            count++;
        }
    return count;
}

int cpu_for_measuring(void)
{
    int cpus[CPU_SETSIZE];
    size_t count = cpus_allowed(cpus, CPU_SETSIZE);

    return count > 0 ? cpus[count - 1] : 0; /* the first CPUs serve more interrupts */
}
