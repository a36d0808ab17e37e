/* What tells this machine from another, and nothing that tells whose it is. */
#include "history/inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The value of the first line of /proc/cpuinfo that has this key. */
static bool find_line(struct buffer *b, const char *key, char *into, size_t size)
{
    const char *text = buffer_text(b), *at = strstr(text, key);
    if (at == NULL || (at != text && at[-1] != '\n'))
        return false;
    at += strcspn(at, ":\n");
    if (*at != ':')
        return false;
    at += 1 + strspn(at + 1, " \t");
    snprintf(into, size, "%.*s", (int)strcspn(at, "\n"), at);
    return true;
}

static void read_cpu(char *into, size_t size)
{
    CLEANUP(buffer_release) struct buffer b;
    char implementer[32] = "", part[32] = "";
    buffer_init(&b, 1u << 20);
    *into = '\0';
    (void)file_read_all(AT_FDCWD, "/proc/cpuinfo", &b);
    if (find_line(&b, "model name", into, size))
        return;
    /* arm64 has numbers only. */
    if (find_line(&b, "CPU implementer", implementer, sizeof(implementer)) &&
        find_line(&b, "CPU part", part, sizeof(part)))
        snprintf(into, size, "implementer %s part %s", implementer, part);
}

void machine_name(struct history_machine *m, const char *secret, const char *architecture)
{
    char facts[512];
    uint8_t digest[32];
    /* Kernel and memory are left out: an update, or what firmware keeps for itself, makes no other machine. */
    int size = snprintf(facts, sizeof(facts), "pitviper history|%s|%s|%s|%llu", secret, architecture, m->cpu,
        (unsigned long long)m->cores);
    sha256(facts, (size_t)size < sizeof(facts) ? (size_t)size : sizeof(facts) - 1, digest);
    text_hex(digest, 8, m->id);
}

void history_machine_read(struct history_machine *ret)
{
    struct history_machine m = {.id = ""};
    struct utsname system;
    CLEANUP(buffer_release) struct buffer secret;
    long cores = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    buffer_init(&secret, 256);
    if (uname(&system) < 0)
        memset(&system, 0, sizeof(system));
    read_cpu(m.cpu, sizeof(m.cpu));
    snprintf(m.kernel, sizeof(m.kernel), "%.40s %.80s", system.sysname, system.release);
    m.cores = cores > 0 ? (uint64_t)cores : 0;
    m.memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
    /* A random number that is not to be shown (machine-id(5)), so it only goes into the hash. Containers have none, or
     * that of their image: then two alike are one machine. */
    (void)file_read_all(AT_FDCWD, "/etc/machine-id", &secret);
    machine_name(&m, buffer_text(&secret), system.machine);
    *ret = m;
}
