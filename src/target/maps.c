#include "target/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool take_hex(const char **at, const char *end, uint64_t *ret)
{
    uint64_t value = 0;
    const char *start = *at;
    for (; *at < end; (*at)++) {
        char c = **at;
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else
            break;
        if (value >> 60)
            return false;
        value = value << 4 | digit;
    }
    *ret = value;
    return *at > start;
}

static bool take_decimal(const char **at, const char *end, uint64_t *ret)
{
    uint64_t value = 0;
    const char *start = *at;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        if (value > UINT64_MAX / 10 - 1)
            return false;
        value = value * 10 + (uint64_t)(**at - '0');
    }
    *ret = value;
    return *at > start;
}

static bool take_char(const char **at, const char *end, char c)
{
    if (*at >= end || **at != c)
        return false;
    (*at)++;
    return true;
}

/* The kernel writes a newline inside a path as \012 and nothing else differently (show_vma_header_prefix and
 * seq_file_path(m, file, "\n"), fs/proc/task_mmu.c): a backslash stays as it is, so only that one is undone.
 */
static size_t undo_escapes(char *path, size_t size)
{
    size_t to = 0;
    for (size_t from = 0; from < size; from++) {
        if (size - from >= 4 && memcmp(path + from, "\\012", 4) == 0) {
            path[to++] = '\n';
            from += 3;
        } else {
            path[to++] = path[from];
        }
    }
    return to;
}

/* What a path is to the process itself: without the mark of an unlinked file, and below its own root. */
static const char *take_path(struct arena *arena, const char *text, size_t size, const char *root)
{
    static const char deleted[] = " (deleted)";
    char path[TARGET_PATH_MAX * 4];
    if (size == 0)
        return "";
    if (size > sizeof(path))
        size = sizeof(path);
    memcpy(path, text, size);
    size = undo_escapes(path, size);
    if (path[0] == '/' && size > sizeof(deleted) &&
        memcmp(path + size - (sizeof(deleted) - 1), deleted, sizeof(deleted) - 1) == 0)
        size -= sizeof(deleted) - 1;
    size_t prefix = strlen(root);
    if (prefix > 0 && size > prefix && memcmp(path, root, prefix) == 0 && path[prefix] == '/')
        return arena_strndup(arena, path + prefix, size - prefix);
    return arena_strndup(arena, path, size);
}

/* "start-end rwxp offset major:minor inode   path" */
static bool parse_line(const char *at, const char *end, struct target_map *ret, const char **ret_path)
{
    struct target_map m = {.path = ""};
    uint64_t major, minor;
    if (!take_hex(&at, end, &m.start) || !take_char(&at, end, '-') || !take_hex(&at, end, &m.end) ||
        !take_char(&at, end, ' ') || end - at < 5)
        return false;
    m.readable = at[0] == 'r';
    m.writable = at[1] == 'w';
    m.executable = at[2] == 'x';
    at += 4;
    if (!take_char(&at, end, ' ') || !take_hex(&at, end, &m.offset) || !take_char(&at, end, ' ') ||
        !take_hex(&at, end, &major) || !take_char(&at, end, ':') || !take_hex(&at, end, &minor) ||
        !take_char(&at, end, ' ') || !take_decimal(&at, end, &m.inode) || m.start >= m.end || major > UINT32_MAX ||
        minor > UINT32_MAX)
        return false;
    m.device_major = (uint32_t)major;
    m.device_minor = (uint32_t)minor;
    while (at < end && *at == ' ')
        at++;
    *ret = m;
    *ret_path = at;
    return true;
}

int maps_parse(struct target_maps *ret, const char *text, size_t size, const char *root)
{
    const char *end = text + size;
    const char *last = NULL;
    size_t last_size = 0, capacity = ret->count;
    while (text < end) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        if (!line_end)
            line_end = end;
        struct target_map map;
        const char *path;
        /* Reads of the file go by pages of text; between two of them the process may have changed its maps,
         * but the kernel goes on at the address where it was, so that order is kept. What breaks it is no
         * map. */
        if (parse_line(text, line_end, &map, &path) &&
            (ret->count == 0 || map.start >= ret->items[ret->count - 1].end)) {
            if (ret->count >= TARGET_MAPS_MAX)
                return -E2BIG;
            int r = array_reserve(&ret->items, &capacity, ret->count + 1, sizeof(*ret->items));
            if (r < 0)
                return r;
            size_t path_size = (size_t)(line_end - path);
            if (last && path_size == last_size && memcmp(path, last, last_size) == 0)
                map.path = ret->items[ret->count - 1].path;
            else
                map.path = take_path(&ret->arena, path, path_size, root);
            if (!map.path)
                return -ENOMEM;
            last = path;
            last_size = path_size;
            ret->items[ret->count++] = map;
        }
        text = line_end + 1;
    }
    return 0;
}

bool maps_same_file(const struct target_map *a, const struct target_map *b)
{
    if (a->inode != 0)
        return a->inode == b->inode && a->device_major == b->device_major && a->device_minor == b->device_minor;
    return b->inode == 0 && a->path[0] == '/' && strcmp(a->path, b->path) == 0;
}

static int read_text(const struct target *t, struct buffer *text)
{
    for (int attempt = 0;; attempt++) {
        int r = file_read_all(t->proc_fd, proc_living(t, "maps").text, text);
        if (r < 0)
            return r == -ENOENT ? -ESRCH : r;
        if (text->size > 0)
            return 0;
        /* Empty: its memory is gone. That is the end of the process, or only of the thread that was asked. */
        char byte;
        if (attempt == 1 || target_read(t, 1, &byte, 1) != -EFAULT)
            return -ESRCH;
        buffer_clear(text);
    }
}

int target_maps_read(const struct target *t, struct target_maps *ret, struct error *e)
{
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, TARGET_MAPS_BYTES_MAX);
    *ret = (struct target_maps){0};
    arena_init(&ret->arena, TARGET_MAPS_BYTES_MAX);
    int r = read_text(t, &text);
    if (r == -EPERM || r == -EACCES)
        return target_refuse(t->pid, EPERM, e);
    if (r == -ESRCH)
        return error_set(e, ESRCH, "process %d has ended", (int)t->pid);
    if (r == 0)
        r = maps_parse(ret, (const char *)text.data, text.size, t->root_path);
    if (r < 0) {
        target_maps_release(ret);
        return error_set(e, -r, "cannot read the memory maps of process %d: %s", (int)t->pid, strerror(-r));
    }
    return 0;
}

void target_maps_release(struct target_maps *m)
{
    free(m->items);
    arena_release(&m->arena);
    *m = (struct target_maps){0};
}
