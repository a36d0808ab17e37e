#include "target/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t proc_pread(int fd, char *into, size_t size)
{
    ssize_t n = file_read_at(fd, into, size - 1, 0);
    if (n >= 0)
        into[n] = '\0';
    return n;
}

ssize_t proc_read(int dirfd, const char *path, char *into, size_t size)
{
    CLEANUP(fd_close) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    return proc_pread(fd, into, size);
}

struct proc_path proc_living(const struct target *t, const char *name)
{
    struct proc_path path;
    if (t->live->memory_tid == t->pid)
        snprintf(path.text, sizeof(path.text), "%s", name);
    else
        snprintf(path.text, sizeof(path.text), "task/%d/%s", (int)t->live->memory_tid, name);
    return path;
}

static bool parse_number(const char *text, pid_t *ret)
{
    int64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (*text - '0');
        if (value > INT_MAX)
            return false;
    }
    *ret = (pid_t)value;
    return true;
}

int proc_each_number(int dirfd, const char *path, int (*each)(void *context, pid_t number), void *context)
{
    _Alignas(struct dirent64) char block[4096];
    CLEANUP(fd_close) int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (;;) {
        ssize_t n = getdents64(fd, block, sizeof(block));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *entry = (const struct dirent64 *)(const void *)(block + at);
            pid_t number;
            if (parse_number(entry->d_name, &number)) {
                int r = each(context, number);
                if (r != 0)
                    return r;
            }
            at += entry->d_reclen;
        }
    }
}

const char *proc_status_field(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line;) {
        if (strncmp(line, key, length) == 0 && line[length] == ':') {
            line += length + 1;
            return line + strspn(line, "\t ");
        }
        line = strchr(line, '\n');
        if (line)
            line++;
    }
    return NULL;
}

bool proc_status_number(const char **at, long *ret)
{
    if (!*at || **at == '\n')
        return false;
    char *end;
    long number = strtol(*at, &end, 10);
    if (end == *at)
        return false;
    *at = end + strspn(end, "\t ");
    *ret = number;
    return true;
}

/* The name may hold any byte, ')' and blanks too; all after it is numbers, so the last ')' ends it. */
static const char *behind_name(const char *text, size_t size)
{
    const char *end = memrchr(text, ')', size);
    if (!end || (size_t)(end - text) + 3 >= size || end[1] != ' ' || end[3] != ' ')
        return NULL;
    return end + 2;
}

int proc_stat_parse(const char *text, size_t size, struct proc_stat *ret)
{
    const char *end = text + size;
    const char *at = behind_name(text, size);
    const char *open = memchr(text, '(', size);
    if (!at || !open || open >= at - 2)
        return -EINVAL;
    struct proc_stat s = {.state = *at};
    size_t length = (size_t)(at - 2 - (open + 1));
    if (length >= sizeof(s.name))
        length = sizeof(s.name) - 1;
    memcpy(s.name, open + 1, length);
    at += 2;
    for (int field = 4; field <= PROC_STAT_FIELDS && at < end; field++) {
        bool negative = *at == '-';
        if (negative)
            at++;
        uint64_t value = 0;
        for (; at < end && *at >= '0' && *at <= '9'; at++)
            value = value * 10 + (uint64_t)(*at - '0');
        s.field[field] = (int64_t)(negative ? 0 - value : value);
        if (at >= end || *at != ' ')
            break;
        at++;
    }
    *ret = s;
    return 0;
}

int proc_stat_parse_state(const char *text, size_t size, char *ret_state, int *ret_processor)
{
    const char *end = text + size;
    const char *at = behind_name(text, size);
    if (!at)
        return -EINVAL;
    char state = *at;
    for (int field = 3; field < PROC_STAT_PROCESSOR; field++) {
        at = memchr(at, ' ', (size_t)(end - at));
        if (!at)
            return -EINVAL;
        at++;
    }
    int processor = 0;
    for (; at < end && *at >= '0' && *at <= '9' && processor < 1000000; at++)
        processor = processor * 10 + (*at - '0');
    if (ret_state)
        *ret_state = state;
    if (ret_processor)
        *ret_processor = processor;
    return 0;
}

int64_t proc_thread_count(const struct target *t)
{
    char text[1024];
    struct proc_stat stat = {0};
    ssize_t n = proc_read(t->proc_fd, "stat", text, sizeof(text));
    return n > 0 && proc_stat_parse(text, (size_t)n, &stat) == 0 ? stat.field[PROC_STAT_THREADS] : -1;
}
