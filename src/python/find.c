/*
 * Where is _PyRuntime, and which version is it? By the .PyRuntime section (3.11+), by symbol, or, in a stripped
 * program, by a scan of writable data for something that holds together as an interpreter with a thread.
 */
#include "python/inside.h"
#include "python/objects.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PUBLISHED_SIZE = 1024, /* _Py_DebugOffsets has 800 bytes in 3.15 */
    SCAN_CAP = 64 << 20,
    INTERPRETERS_BYTES = 24,
    IDS_MOST = 1 << 20, /* interpreters that a runtime made, at most */
    OLDEST = 8,
    NEWEST_TABLE = 12, /* later ones publish their layout */
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* "libpython3.12.so.1.0", "python3.11", "cpython-39-x86_64..." -> minor version; 0 where the name does not tell. */
static unsigned minor_in_name(const char *name, unsigned *ret_major)
{
    static const char *const prefixes[] = {"libpython", "python"};

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        size_t size = strlen(prefixes[i]);
        if (strncmp(name, prefixes[i], size) == 0 && isdigit((unsigned char)name[size]) && name[size + 1] == '.' &&
            isdigit((unsigned char)name[size + 2])) {
            *ret_major = (unsigned)(name[size] - '0');
            return (unsigned)strtoul(name + size + 2, NULL, 10);
        }
    }
    return 0;
}

/* The version as other files in the process tell it: lib-dynload modules and the standard library's folder. */
static unsigned minor_in_maps(const struct target_maps *maps, unsigned *ret_major)
{
    for (size_t i = 0; i < maps->count; i++) {
        unsigned minor = minor_in_name(base_name(maps->items[i].path), ret_major);
        if (minor)
            return minor;
    }
    for (size_t i = 0; i < maps->count; i++) {
        const char *tag = strstr(maps->items[i].path, ".cpython-3");
        if (tag) {
            *ret_major = 3;
            return (unsigned)strtoul(tag + 10, NULL, 10);
        }
    }
    return 0;
}

static int read_word(const struct target *t, uint64_t address, uint64_t *ret)
{
    return target_read(t, address, ret, sizeof(*ret));
}

static bool may_point(uint64_t word)
{
    return word >= 4096 && (word & 7) == 0 && word < 1ULL << 47;
}

/* Do an interpreter and its first thread hang together at this place, by this version's table? */
static bool runtime_plausible(const struct target *t, uint64_t runtime, const struct python_layout *l)
{
    uint64_t interpreter, thread, back, before, id;

    return read_word(t, runtime + l->runtime_interpreters_head, &interpreter) == 0 && may_point(interpreter) &&
           read_word(t, interpreter + l->interpreter_threads_head, &thread) == 0 && may_point(thread) &&
           read_word(t, thread + l->thread_interpreter, &back) == 0 && back == interpreter &&
           read_word(t, thread + l->thread_prev, &before) == 0 && before == 0 &&
           read_word(t, interpreter + l->interpreter_id, &id) == 0 && id < IDS_MOST;
}

/* May that be struct pyinterpreters from its second word on: head, main, next_id (Include/internal/pycore_pystate.h in
 * 3.8, pycore_runtime.h in 3.9 to 3.12)? Told without another read: a process has millions of pointers in its data. */
static bool may_be_interpreters(const uint8_t *words)
{
    uint64_t head = load64(words), main = load64(words + 8), next_id = load64(words + 16);

    return may_point(head) && may_point(main) && next_id > 0 && next_id <= IDS_MOST && (head == main || next_id > 1);
}

/* What the interpreter calls itself: sys.version begins with "3.9.18". 0 while that cannot be read. */
static unsigned minor_in_sys_version(const struct target *t, uint64_t runtime, const struct python_layout *l)
{
    CLEANUP(buffer_release) struct buffer text;
    uint64_t at;

    buffer_init(&text, 64 << 10);
    if (read_word(t, runtime + l->runtime_interpreters_head, &at) < 0 ||
        read_word(t, at + l->interpreter_sysdict, &at) < 0 || python_dict_get(t, l, at, "version", &at) < 0 ||
        python_read_str(t, l, at, &text) < 0 || strncmp(buffer_text(&text), "3.", 2) != 0)
        return 0;
    return (unsigned)strtoul(buffer_text(&text) + 2, NULL, 10);
}

static int layout_of_table(const struct target *t, uint64_t runtime, unsigned minor, struct python_layout *ret)
{
    const struct python_layout *table = python_layout_table((uint16_t)(0x0300 | minor));

    if (!table)
        return -ENOTSUP;
    if (!runtime_plausible(t, runtime, table))
        return -EAGAIN;
    *ret = *table;
    return 0;
}

static int layout_published(const struct target *t, uint64_t runtime, struct python_layout *ret, struct error *e)
{
    uint8_t data[PUBLISHED_SIZE];

    if (target_read(t, runtime, data, sizeof(data)) < 0)
        return -EAGAIN;
    if (memcmp(data, "xdebugpy", 8) != 0)
        return -ENOENT;
    return python_layout_from_debug_offsets(data, sizeof(data), ret, e);
}

/* The runtime is at this address: which layout does it have? */
static int layout_choose(
    const struct target *t, uint64_t runtime, unsigned minor, struct python_layout *ret, struct error *e)
{
    int r = layout_published(t, runtime, ret, e);

    if (r != -ENOENT)
        return r;
    if (minor >= 13)
        return -EAGAIN; /* not initialised yet: the cookie is a static initialiser, so this is a torn or wrong place */
    if (minor >= OLDEST)
        return layout_of_table(t, runtime, minor, ret);
    for (minor = NEWEST_TABLE; minor >= OLDEST; minor--) /* no name tells: the one by which it says so itself */
        if (layout_of_table(t, runtime, minor, ret) == 0 && minor_in_sys_version(t, runtime, ret) == minor)
            return 0;
    return -EAGAIN;
}

/* Stripped of all names: looks at each aligned word of the writable data of one file. */
static int scan_map(const struct target *t, const struct target_map *map, unsigned minor, struct python_found *ret,
    struct python_layout *ret_layout)
{
    uint64_t size = map->end - map->start;

    if (size > SCAN_CAP)
        return -ENOENT;
    CLEANUP(free_pointer) uint8_t *data = calloc(1, size + INTERPRETERS_BYTES);
    if (!data)
        return -ENOMEM;
    if (target_read(t, map->start, data, size) < 0)
        return -ENOENT;
    (void)target_read(t, map->end, data + size, INTERPRETERS_BYTES); /* .bss goes on in another map */
    unsigned first = minor ? minor : NEWEST_TABLE, last = minor ? minor : OLDEST;
    struct error ignored;
    for (uint64_t at = 0; at + 8 <= size; at += 8) {
        if (memcmp(data + at, "xdebugpy", 8) == 0 && layout_published(t, map->start + at, ret_layout, &ignored) == 0) {
            ret->runtime = map->start + at;
            return 0;
        }
        if (!may_be_interpreters(data + at))
            continue;
        for (unsigned m = first; m >= last; m--) {
            const struct python_layout *table = python_layout_table((uint16_t)(0x0300 | m));
            if (!table)
                continue;
            uint64_t runtime = map->start + at - table->runtime_interpreters_head; /* it may begin in the map before */
            if (runtime_plausible(t, runtime, table) && minor_in_sys_version(t, runtime, table) == m) {
                ret->runtime = runtime;
                *ret_layout = *table;
                return 0;
            }
        }
    }
    return -ENOENT;
}

static bool same_file(const struct target_map *a, const struct target_map *b)
{
    return a->inode == b->inode && a->device_major == b->device_major && a->device_minor == b->device_minor;
}

/* Is this the first map of a file that may hold an interpreter? */
static bool is_candidate(const struct target_maps *maps, size_t i, bool named_only)
{
    const struct target_map *m = &maps->items[i];
    const char *name = base_name(m->path);
    bool named = strncmp(name, "libpython", 9) == 0 || strncmp(name, "python", 6) == 0;

    if (!m->inode || m->path[0] != '/' || (i > 0 && same_file(m, &maps->items[i - 1])))
        return false;
    if (named_only)
        return named;
    return !named && !strstr(name, ".cpython-") && strncmp(name, "ld-", 3) != 0 && strncmp(name, "libc.", 5) != 0;
}

static int try_file(struct target *t, const struct target_maps *maps, size_t i, unsigned minor,
    struct python_found *ret, struct python_layout *ret_layout, struct error *e)
{
    const struct target_map *m = &maps->items[i];
    struct target_symbol symbol;
    struct error ignored;

    ret->by = "section";
    int r = target_find_section(t, maps, m, ".PyRuntime", &symbol, &ignored);
    if (r < 0) {
        ret->by = "symbol";
        r = target_find_symbol(t, maps, m, "_PyRuntime", &symbol, &ignored);
    }
    if (r < 0)
        return r;
    ret->runtime = symbol.address;
    return layout_choose(t, symbol.address, minor, ret_layout, e);
}

static int scan_file(struct target *t, const struct target_maps *maps, size_t i, unsigned minor,
    struct python_found *ret, struct python_layout *ret_layout)
{
    for (size_t k = i; k < maps->count; k++) {
        const struct target_map *m = &maps->items[k];
        bool bss = !m->inode && k > 0 && m->start == maps->items[k - 1].end && m->path[0] == '\0';
        if (k > i && !same_file(m, &maps->items[i]) && !bss)
            break;
        if (m->writable && m->readable && scan_map(t, m, minor, ret, ret_layout) == 0) {
            ret->by = "scan";
            return 0;
        }
    }
    return -ENOENT;
}

/* Another implementation of Python, by the name of its program or library; NULL: none. */
static const char *other_implementation(const struct target_maps *maps)
{
    static const char *const prefixes[][2] = {{"libpypy", "PyPy"}, {"pypy", "PyPy"}, {"libgraalpy", "GraalPy"}};

    for (size_t i = 0; i < maps->count; i++)
        for (size_t k = 0; k < ARRAY_SIZE(prefixes) && maps->items[i].executable; k++)
            if (strncmp(base_name(maps->items[i].path), prefixes[k][0], strlen(prefixes[k][0])) == 0)
                return prefixes[k][1];
    return NULL;
}

/* By name in files called python, then in all others; a scan only where no file knows the symbol. -ENOENT: nowhere.
 * -EAGAIN: it is not running yet. */
static int runtime_find(struct target *t, const struct target_maps *maps, unsigned minor, bool scan,
    struct python_found *ret, struct python_layout *ret_layout, struct error *e)
{
    int seen = -ENOENT;

    for (int pass = 0; pass < (scan ? 3 : 2) && seen == -ENOENT; pass++)
        for (size_t i = 0; i < maps->count && seen != 0; i++) {
            if (!is_candidate(maps, i, pass != 1))
                continue;
            int r = pass < 2 ? try_file(t, maps, i, minor, ret, ret_layout, e)
                             : scan_file(t, maps, i, minor, ret, ret_layout);
            if (r == -ENOTSUP)
                return r;
            if (r == 0 || r == -EAGAIN) /* any other error is of a file that is no interpreter's */
                seen = r;
        }
    for (size_t i = 0; i < maps->count && seen == -ENOENT && scan; i++) /* embedded and stripped */
        if (is_candidate(maps, i, false) && scan_file(t, maps, i, minor, ret, ret_layout) == 0)
            seen = 0;
    return seen;
}

int python_find_runtime(
    struct target *t, bool scan, struct python_found *ret, struct python_layout *ret_layout, struct error *e)
{
    struct target_maps maps;
    unsigned major = 3;

    int r = target_maps_read(t, &maps, e);
    if (r < 0)
        return r;
    unsigned minor = minor_in_maps(&maps, &major);
    const char *other = other_implementation(&maps);
    if (other)
        r = error_set(e, ENOTSUP, "process %d runs %s, and only CPython 3.8 to 3.15 can be read", target_pid(t), other);
    else if (minor && (major < 3 || minor < OLDEST))
        r = error_set(e, ENOTSUP, "process %d runs Python %u.%u, and only CPython 3.8 to 3.15 can be read",
            target_pid(t), major, minor);
    else
        r = runtime_find(t, &maps, minor, scan, ret, ret_layout, e);
    target_maps_release(&maps);
    if (r == 0)
        ret->version = ret_layout->version;
    else if (r == -EAGAIN || (r == -ENOENT && minor))
        return error_set(e, EAGAIN, "process %d has a Python in it that is not running yet", target_pid(t));
    else if (r == -ENOENT)
        return error_set(
            e, ENOENT, "process %d is not a Python process: no CPython interpreter is mapped in it", target_pid(t));
    return r;
}
