/* The labs that are built in, and one that is read from its folder while it is being written. */
#include "grade/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABS_MAX 90u
#define ARENA_MAX ((size_t)16 << 20)
#define FILES_MAX 100u /* of a folder on disk */
#define FILE_MAX ((size_t)1 << 20)
#define DEPTH_MAX 3 /* folders below the lab's */

/* ---- what is built in ---- */
const struct grade_file *grade_file_find(const char *path)
{
    for (const struct grade_file *f = grade_files; f->path; f++)
        if (strcmp(f->path, path) == 0)
            return f;
    return NULL;
}

const struct grade_module *grade_module(unsigned number)
{
    for (const struct grade_module *m = grade_modules; m->number; m++)
        if (m->number == number)
            return m;
    return NULL;
}

/* The manifests' table; it lives as long as the process. */
static struct {
    struct grade_lab labs[LABS_MAX];
    size_t count;
    bool read;
    struct arena arena;
} course;

static int read_lab(const struct grade_file *manifest, size_t folder_size, struct error *e)
{
    char folder[256];
    if (course.count == LABS_MAX || folder_size >= sizeof(folder))
        return error_set(e, EBADMSG, "the course has more than %u labs, or too long a path", LABS_MAX);
    snprintf(folder, sizeof(folder), "%.*s", (int)folder_size, manifest->path);
    struct grade_lab *lab = &course.labs[course.count];
    int r = lab_parse(manifest->data, manifest->size, folder, &course.arena, lab, e);
    if (r < 0) {
        error_prefix(e, "%s", folder);
        return r;
    }
    const struct grade_file *first = manifest, *end = manifest;
    while (first > grade_files && strncmp(first[-1].path, manifest->path, folder_size + 1) == 0)
        first--;
    while (end->path && strncmp(end->path, manifest->path, folder_size + 1) == 0)
        end++;
    if ((r = lab_take_files(lab, first, (size_t)(end - first), e)) == 0)
        course.count++;
    return r;
}

static int read_course(struct error *e)
{
    static const char name[] = "/lab.json";
    int r = 0;
    arena_init(&course.arena, ARENA_MAX);
    for (const struct grade_file *f = grade_files; r == 0 && f->path; f++) {
        size_t size = strlen(f->path);
        if (size > sizeof(name) && strcmp(f->path + size - (sizeof(name) - 1), name) == 0)
            r = read_lab(f, size - (sizeof(name) - 1), e);
    }
    if (r < 0) {
        arena_release(&course.arena);
        course.count = 0;
    }
    return r;
}

int grade_labs(const struct grade_lab **ret, size_t *ret_count, struct error *e)
{
    if (!course.read) {
        int r = read_course(e);
        if (r < 0)
            return r;
        course.read = true;
    }
    *ret = course.labs;
    *ret_count = course.count;
    return 0;
}

const struct grade_lab *grade_lab_find(const char *text)
{
    const struct grade_lab *labs;
    size_t count;
    if (grade_labs(&labs, &count, NULL) < 0)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(labs[i].id, text) == 0 || strcmp(labs[i].name, text) == 0 || strcmp(labs[i].folder, text) == 0)
            return &labs[i];
    return NULL;
}

/* ---- from disk ---- */
struct loaded {
    struct grade_lab lab; /* first: what the caller holds */
    struct arena arena;
    struct grade_file files[FILES_MAX];
    size_t count;
};

static int load_file(struct loaded *l, int folder, const char *name, const char *path, struct error *e)
{
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, FILE_MAX);
    if (l->count == FILES_MAX)
        return error_set(e, EFBIG, "%s: the lab has more than %u files", path, FILES_MAX);
    int r = file_read_all(folder, name, &b);
    if (r < 0)
        return error_set(e, -r, "cannot read %s: %s", path, strerror(-r));
    struct grade_file *f = &l->files[l->count];
    f->path = arena_strndup(&l->arena, path, strlen(path));
    f->data = arena_strndup(&l->arena, (const char *)b.data, b.size);
    f->size = b.size;
    if (!f->path || !f->data)
        return error_set(e, ENOMEM, "out of memory");
    l->count++;
    return 0;
}

/* Files of the folder and those below it, `path` being what stands before their names. Links are not followed. */
static int load_folder(struct loaded *l, int fd, const char *path, int depth, struct error *e)
{
    char below[512];
    struct stat is;
    int r = 0;
    DIR *d = fdopendir(fd);
    if (!d) {
        fd_close(&fd);
        return error_set(e, ENOMEM, "cannot list %s", path);
    }
    for (struct dirent *entry; r == 0 && (entry = readdir(d));) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "__pycache__") == 0)
            continue;
        if (fstatat(dirfd(d), entry->d_name, &is, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >= (int)sizeof(below))
            r = error_set(e, ENAMETOOLONG, "%s: a path in it is too long", path);
        else if (S_ISREG(is.st_mode))
            r = load_file(l, dirfd(d), entry->d_name, below, e);
        else if (S_ISDIR(is.st_mode) && depth > 0) {
            int inner = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
            r = inner < 0 ? error_set(e, errno, "cannot open %s: %s", below, strerror(errno))
                          : load_folder(l, inner, below, depth - 1, e);
        }
    }
    closedir(d);
    return r;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct grade_file *)a)->path, ((const struct grade_file *)b)->path);
}

void grade_lab_free(struct grade_lab *lab)
{
    struct loaded *l = (struct loaded *)lab;
    if (l)
        arena_release(&l->arena);
    free(l);
}

int grade_lab_load(const char *folder, struct grade_lab **ret, struct error *e)
{
    char *whole = realpath(folder, NULL);
    if (!whole)
        return error_set(e, errno, "cannot find %s: %s", folder, strerror(errno));
    const char *base = strrchr(whole, '/') + 1;
    struct loaded *l = calloc(1, sizeof(*l));
    if (!l) {
        free(whole);
        return error_set(e, ENOMEM, "out of memory");
    }
    arena_init(&l->arena, ARENA_MAX);
    int fd = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? error_set(e, errno, "cannot open %s: %s", folder, strerror(errno))
                   : load_folder(l, fd, base, DEPTH_MAX, e);
    if (r == 0) {
        struct grade_lab asked = {.folder = base, .files = l->files, .file_count = l->count};
        qsort(l->files, l->count, sizeof(l->files[0]), by_path);
        const struct grade_file *manifest = grade_lab_file(&asked, "lab.json");
        r = manifest ? lab_parse(manifest->data, manifest->size, base, &l->arena, &l->lab, e)
                     : error_set(e, ENOENT, "%s has no lab.json", folder);
    }
    if (r == 0)
        r = lab_take_files(&l->lab, l->files, l->count, e);
    free(whole);
    if (r < 0)
        grade_lab_free(&l->lab);
    else
        *ret = &l->lab;
    return r;
}
