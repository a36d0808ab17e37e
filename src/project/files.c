/* The files of a folder, in memory: what is looked at later is what is run, whatever happens to the disk meanwhile. */
#include "project/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOTAL_MAX ((size_t)32 << 20)
#define LOOKED_AT_MAX 5000u

int project_file_read(const char *folder, const char *name, struct buffer *into)
{
    char path[PATH_MOST];
    int size = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (size < 0 || size >= (int)sizeof(path))
        return -ENAMETOOLONG;
    return file_read_plain(AT_FDCWD, path, into);
}

struct walk {
    struct files *files;
    size_t most, total;
    unsigned seen;
    bool skip_large;
    struct error *e;
};

static int take_file(struct walk *w, int folder, const char *base, const char *name)
{
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, w->most);
    int r = file_read_plain(folder, base, &b);
    size_t size = strlen(name);
    bool python = size > 3 && strcmp(name + size - 3, ".py") == 0;
    if (r == -EFBIG && w->skip_large && !python)
        return 0;
    if (r < 0)
        return error_set(w->e, -r, r == -EFBIG ? "%s is too large for the project (%zu KB at most)" : "cannot read %s",
            name, w->most >> 10);
    if (w->files->count == PROJECT_FILES_MAX || (w->total += b.size) > TOTAL_MAX)
        return error_set(w->e, EFBIG, "there are too many files, or too large ones, beside %s", name);
    if (array_reserve(&w->files->items, &w->files->capacity, w->files->count + 1, sizeof(*w->files->items)) < 0)
        return error_set(w->e, ENOMEM, "out of memory");
    struct file *f = &w->files->items[w->files->count];
    *f = (struct file){.name = strdup(name), .data = malloc(b.size + 1), .size = b.size};
    if (f->name == NULL || f->data == NULL) {
        free(f->name);
        free(f->data);
        return error_set(w->e, ENOMEM, "out of memory");
    }
    if (b.size > 0)
        memcpy(f->data, b.data, b.size);
    f->data[b.size] = '\0';
    sha256(f->data, f->size, f->sha256);
    w->files->count++;
    return 0;
}

static int walk(struct walk *w, int folder, const char *before, int depth)
{
    int copy = dup(folder), r = 0;
    DIR *all = copy < 0 ? NULL : fdopendir(copy);
    if (all == NULL) {
        r = -errno;
        fd_close(&copy);
        return error_set(w->e, -r, "cannot read the folder %s", before);
    }
    for (struct dirent *d; r == 0 && w->seen < LOOKED_AT_MAX && (d = readdir(all)) != NULL; w->seen++) {
        char name[512];
        struct stat is;
        int size = snprintf(name, sizeof(name), "%s%s", before, d->d_name);
        if (d->d_name[0] == '.' || strcmp(d->d_name, "__pycache__") == 0 || size >= (int)sizeof(name) ||
            fstatat(folder, d->d_name, &is, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISREG(is.st_mode)) {
            r = take_file(w, folder, d->d_name, name);
        } else if (S_ISDIR(is.st_mode) && depth > 1 && size + 1 < (int)sizeof(name)) {
            CLEANUP(fd_close) int below = openat(folder, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            name[size] = '/';
            name[size + 1] = '\0';
            r = below < 0 ? error_set(w->e, errno, "cannot open the folder %s", name) : walk(w, below, name, depth - 1);
        }
    }
    closedir(all);
    return r;
}

static int compare_names(const void *left, const void *right)
{
    const struct file *a = left, *b = right;
    return strcmp(a->name, b->name);
}

int files_read(const char *folder, int depth, size_t most, bool skip_large, struct files *ret, struct error *e)
{
    CLEANUP(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct files files = {.count = 0};
    struct walk w = {.files = &files, .most = most, .skip_large = skip_large, .e = e};
    if (fd < 0)
        return error_set(e, errno, "cannot read the folder %s: %s", folder, strerror(errno));
    int r = walk(&w, fd, "", depth);
    if (r < 0) {
        files_release(&files);
        return r;
    }
    if (files.count > 0)
        qsort(files.items, files.count, sizeof(*files.items), compare_names);
    *ret = files;
    return 0;
}

void files_release(struct files *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->items[i].name);
        free(f->items[i].data);
    }
    free(f->items);
    *f = (struct files){.count = 0};
}

const struct file *files_find(const struct files *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->items[i].name, name) == 0)
            return &f->items[i];
    return NULL;
}

bool files_has_hash(const struct files *f, const uint8_t digest[32])
{
    for (size_t i = 0; i < f->count; i++)
        if (memcmp(f->items[i].sha256, digest, 32) == 0)
            return true;
    return false;
}

int files_write(const struct files *f, const char *folder, size_t instead, const char *text, struct error *e)
{
    for (size_t i = 0; i < f->count; i++) {
        char path[PATH_MOST];
        int size = snprintf(path, sizeof(path), "%s/%s", folder, f->items[i].name);
        if (size < 0 || size >= (int)sizeof(path))
            return error_set(e, ENAMETOOLONG, "the name %.80s is too long", f->items[i].name);
        for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
            *slash = '\0';
            if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return error_set(e, errno, "cannot make the folder %s: %s", path, strerror(errno));
        }
        CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        int r = fd < 0         ? -errno
                : i == instead ? file_write_all(fd, text, strlen(text))
                               : file_write_all(fd, f->items[i].data, f->items[i].size);
        if (r < 0)
            return error_set(e, -r, "cannot write %s: %s", path, strerror(-r));
    }
    return 0;
}

void files_join(const struct files *f, struct buffer *into)
{
    for (size_t i = 0; i < f->count; i++) {
        size_t size = strlen(f->items[i].name);
        if (size <= 3 || strcmp(f->items[i].name + size - 3, ".py") != 0)
            continue;
        buffer_append(into, f->items[i].data, f->items[i].size);
        buffer_append_byte(into, '\n');
    }
}
