/* What the machine says of the time of a block: CPU time taken by other guests, and by other programs. */
#include "prove/experiment.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    STAT_BYTES_MAX = 1 << 22,
    CPUS_MAX = 1024,
};

static bool is_wanted(int cpu, const int *cpus, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cpus[i] == cpu)
            return true;
    return false;
}

uint64_t machine_steal_parse(const char *text, const int *cpus, size_t count)
{
    uint64_t sum = 0, steal;
    int cpu;

    for (const char *line = text; strncmp(line, "cpu", 3) == 0;) {
        if (sscanf(line, "cpu%d %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &cpu, &steal) == 2 &&
            is_wanted(cpu, cpus, count))
            sum += steal;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return sum;
}

static const char *read_text(struct buffer *b, const char *path)
{
    buffer_clear(b);
    return file_read_all(AT_FDCWD, path, b) < 0 ? "" : buffer_text(b);
}

void machine_read(const int *cpus, size_t count, struct machine_clock *ret)
{
    CLEANUP(buffer_release) struct buffer text;
    int ours[CPUS_MAX];

    buffer_init(&text, STAT_BYTES_MAX);
    if (count == 0) {
        count = cpus_allowed(ours, CPUS_MAX);
        count = count < CPUS_MAX ? count : CPUS_MAX;
        cpus = ours;
    }
    *ret = (struct machine_clock){.at_ns = clock_monotonic_ns(), .cpus = count};
    ret->steal_ticks = machine_steal_parse(read_text(&text, "/proc/stat"), cpus, count);
    ret->has_pressure = sscanf(read_text(&text, "/proc/pressure/cpu"),
                            "some avg10=%*f avg60=%*f avg300=%*f total=%" SCNu64, &ret->pressure_us) == 1;
}

double machine_steal(const struct machine_clock *from, const struct machine_clock *to)
{
    double seconds = (double)(to->at_ns - from->at_ns) / 1e9 * (double)from->cpus;
    double ticks = (double)(to->steal_ticks - from->steal_ticks);
    return seconds > 0 && to->steal_ticks > from->steal_ticks ? ticks / (double)sysconf(_SC_CLK_TCK) / seconds : 0;
}

double machine_pressure(const struct machine_clock *from, const struct machine_clock *to)
{
    double seconds = (double)(to->at_ns - from->at_ns) / 1e9;
    if (!from->has_pressure || !to->has_pressure || seconds <= 0)
        return NAN;
    return (double)(to->pressure_us - from->pressure_us) / 1e6 / seconds;
}

uint64_t machine_memory_available(void)
{
    CLEANUP(buffer_release) struct buffer text;
    uint64_t kilobytes = 0;

    buffer_init(&text, STAT_BYTES_MAX);
    const char *line = strstr(read_text(&text, "/proc/meminfo"), "MemAvailable:");
    return line && sscanf(line, "MemAvailable: %" SCNu64, &kilobytes) == 1 ? kilobytes * 1024 : 0;
}
