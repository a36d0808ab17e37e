/* What a gate judges: named, or found by the names of files and functions. */
#include "cmd/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 2000     /* perf_*.py, of one project */
#define ENTRIES_MAX 500000 /* looked at */
#define DEPTH_MAX 16
#define SOURCE_MAX ((size_t)2 << 20)
#define NAME_MAX_LENGTH 200

void gate_subjects_init(struct gate_subjects *s)
{
    *s = (struct gate_subjects){.count = 0};
    arena_init(&s->arena, 64u << 20);
}

void gate_subjects_release(struct gate_subjects *s)
{
    free(s->items);
    arena_release(&s->arena);
}

static const char *copy(struct gate_subjects *s, const char *text, bool *failed)
{
    const char *kept = text == NULL ? NULL : arena_strndup(&s->arena, text, strlen(text));
    *failed = *failed || (text != NULL && kept == NULL);
    return kept;
}

int gate_subjects_add(struct gate_subjects *s, const struct gate_subject *one, struct error *e)
{
    const char *name = one->name != NULL ? one->name : one->run;
    bool failed = false;
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i].name, name) == 0)
            return error_set(e, EEXIST, "'%.200s' is there twice", name);
    if (s->count == GATE_SUBJECTS_MAX)
        return error_set(e, E2BIG, "more than %d subjects are too many for one gate", GATE_SUBJECTS_MAX);
    if (array_reserve(&s->items, &s->capacity, s->count + 1, sizeof(*s->items)) < 0)
        return error_set(e, ENOMEM, "out of memory");
    struct gate_subject kept = {
        .name = copy(s, name, &failed),
        .run = copy(s, one->run, &failed),
        .setup = copy(s, one->setup, &failed),
        .args = copy(s, one->args, &failed),
        .file = copy(s, one->file, &failed),
        .function = copy(s, one->function, &failed),
    };
    if (failed)
        return error_set(e, ENOMEM, "out of memory");
    s->items[s->count++] = kept;
    return 0;
}

/* ---- functions of a file ---- */

static bool is_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
}

/* Over one line: in which string that goes over lines we are at its end (its quote; 0: in none). */
static char scan_strings(const char *line, size_t size, char inside)
{
    for (size_t i = 0; i < size; i++) {
        char c = line[i];
        if (inside == 0 && c == '#')
            break;
        if (c == '\\')
            i++;
        else if (i + 2 < size && (c == '"' || c == '\'') && line[i + 1] == c && line[i + 2] == c &&
                 (inside == 0 || inside == c)) {
            inside = inside == 0 ? c : 0;
            i += 2;
        } else if (inside == 0 && (c == '"' || c == '\'')) {
            for (i++; i < size && line[i] != c; i++) /* one of this line */
                i += line[i] == '\\';
        }
    }
    return inside;
}

void gate_scan_functions(
    const char *text, size_t size, void (*found)(void *context, const char *name, size_t size), void *context)
{
    char inside = 0;
    for (size_t at = 0; at < size;) {
        const char *line = text + at, *end = memchr(line, '\n', size - at);
        size_t length = end == NULL ? size - at : (size_t)(end - line), name = 4, last;
        if (inside == 0 && length > 4 && memcmp(line, "def ", 4) == 0) {
            while (name < length && line[name] == ' ')
                name++;
            for (last = name; last < length && is_name(line[last]); last++)
                ;
            if (last > name && last < length && (line[last] == '(' || line[last] == ' ' || line[last] == '['))
                found(context, line + name, last - name);
        }
        inside = scan_strings(line, length, inside);
        at += length + 1;
    }
}

struct found {
    char **names;
    size_t count, capacity;
    bool failed;
};

static void found_release(struct found *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->names[i]);
    free(f->names);
}

static void note_name(void *context, const char *name, size_t size)
{
    struct found *f = context;
    char *kept = size <= NAME_MAX_LENGTH ? strndup(name, size) : NULL;
    if (kept == NULL || f->count == GATE_SUBJECTS_MAX ||
        array_reserve(&f->names, &f->capacity, f->count + 1, sizeof(*f->names)) < 0) {
        free(kept);
        f->failed = f->failed || size <= NAME_MAX_LENGTH;
        return;
    }
    f->names[f->count++] = kept;
}

static bool has_name(const struct found *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->names[i], name) == 0)
            return true;
    return false;
}

static int read_functions(const char *folder, const char *file, struct found *ret)
{
    CLEANUP(buffer_release) struct buffer source;
    CLEANUP(free_pointer) char *path = NULL;
    buffer_init(&source, SOURCE_MAX);
    if (asprintf(&path, "%s/%s", folder == NULL ? "." : folder, file) < 0)
        return -ENOMEM;
    int r = file_read_all(AT_FDCWD, path, &source);
    if (r == 0)
        gate_scan_functions((const char *)source.data, source.size, note_name, ret);
    return r == 0 && ret->failed ? -E2BIG : r;
}

bool gate_has_function(const char *folder, const char *file, const char *function)
{
    CLEANUP(found_release) struct found f = {.count = 0};
    return read_functions(folder, file, &f) == 0 && has_name(&f, function);
}

/* ---- files ---- */

static int add_file(struct gate_subjects *s, const char *folder, const char *file, struct error *e)
{
    CLEANUP(found_release) struct found f = {.count = 0};
    int r = read_functions(folder, file, &f);
    if (r < 0)
        return error_set(e, -r, "cannot read the functions of %s: %s", file, strerror(-r));
    for (size_t i = 0; r == 0 && i < f.count; i++) {
        char setup[NAME_MAX_LENGTH + 16], call[NAME_MAX_LENGTH + 32], run[4096 + NAME_MAX_LENGTH];
        if (strncmp(f.names[i], "perf_", 5) != 0)
            continue;
        snprintf(setup, sizeof(setup), "setup_%.200s", f.names[i] + 5);
        snprintf(call, sizeof(call), "%s()", setup);
        if (snprintf(run, sizeof(run), "%s:%s", file, f.names[i]) >= (int)sizeof(run))
            continue;
        r = gate_subjects_add(s,
            &(struct gate_subject){
                .run = run, .setup = has_name(&f, setup) ? call : NULL, .file = file, .function = f.names[i]},
            e);
        if (r == -EEXIST) /* defined again, further down */
            r = 0;
    }
    return r;
}

static bool is_passed_over(const char *name)
{
    static const char *const names[] = {"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return name[0] == '.';
}

static bool is_perf_file(const FTSENT *at)
{
    return at->fts_info == FTS_F && at->fts_namelen > 8 && strncmp(at->fts_name, "perf_", 5) == 0 &&
           strcmp(at->fts_name + at->fts_namelen - 3, ".py") == 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

int gate_subjects_discover(struct gate_subjects *s, const char *folder, struct error *e)
{
    char *roots[] = {(char *)(uintptr_t)(folder == NULL ? "." : folder), NULL};
    size_t entries = 0, files = 0, skip = strlen(roots[0]) + 1;
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    FTSENT *at;
    int r = tree == NULL ? error_set(e, errno, "cannot look for perf_*.py: %s", strerror(errno)) : 0;
    while (r == 0 && (at = fts_read(tree)) != NULL && entries++ < ENTRIES_MAX && files < FILES_MAX) {
        if (at->fts_info == FTS_D && at->fts_level > 0 && (is_passed_over(at->fts_name) || at->fts_level > DEPTH_MAX))
            (void)fts_set(tree, at, FTS_SKIP);
        if (is_perf_file(at)) {
            files++;
            r = add_file(s, folder, at->fts_path + skip, e);
        }
    }
    if (tree != NULL)
        (void)fts_close(tree);
    return r;
}
