#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grade/program.h"

#define FOLDER_NAME "parcelflow"
#define ENTRIES_MAX 1000u /* of the folder, whatever they are */

static bool is_source(const char *name)
{
    size_t size = strlen(name);
    return size > 3 && strcmp(name + size - 3, ".py") == 0;
}

static bool is_module(const char *name)
{
    size_t size = strlen(name) - 3;
    if (size >= 64 || isdigit((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_')
            return false;
    return true;
}

static int refuse(const char *name, const char *why, struct error *e)
{
    CLEANUP(buffer_release) struct buffer shown;
    buffer_init(&shown, 4096);
    text_append_fitted(&shown, name, 60);
    return error_set(e, EBADMSG, "%s in your " FOLDER_NAME " %s", buffer_text(&shown), why);
}

int package_read_file(const char *folder, const char *name, size_t max, struct buffer *into)
{
    CLEANUP(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    buffer_init(into, max);
    return fd < 0 ? -errno : file_read_plain(fd, name, into);
}

static int take_file(struct package *p, int folder, const char *name, struct error *e)
{
    if (!is_module(name))
        return refuse(name, "has a name that cannot be imported", e);
    if (p->count == PACKAGE_FILES_MAX)
        return error_set(e, EBADMSG, "your " FOLDER_NAME " has more than %u files of Python", PACKAGE_FILES_MAX);
    snprintf(p->names[p->count], sizeof(p->names[0]), FOLDER_NAME "/%s", name);
    buffer_init(&p->texts[p->count], PACKAGE_FILE_MAX);
    int r = file_read_plain(folder, name, &p->texts[p->count++]);
    if (r == -EFBIG)
        return refuse(name, "is larger than 256 KiB", e);
    if (r == -EMEDIUMTYPE)
        return refuse(name, "is a link, or no plain file", e);
    return r < 0 ? refuse(name, "cannot be read", e) : 0;
}

/* What is neither Python nor a folder is of no interest; a folder would be missed by what imports it. */
static int take_entry(struct package *p, int folder, const char *name, struct error *e)
{
    struct stat is;
    if (name[0] == '.' || strcmp(name, "__pycache__") == 0 || fstatat(folder, name, &is, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (S_ISDIR(is.st_mode))
        return refuse(name, "is a folder; modules have to lie beside each other", e);
    return is_source(name) ? take_file(p, folder, name, e) : 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct source_file *)a)->name, ((const struct source_file *)b)->name);
}

int package_read(const char *folder, struct package *ret, struct error *e)
{
    unsigned seen = 0;
    int r = 0, fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *all = fd < 0 ? NULL : fdopendir(fd);
    if (!all) {
        r = error_set(e, errno, "cannot open %s: %s", folder, strerror(errno));
        fd_close(&fd);
        return r;
    }
    *ret = (struct package){.count = 0};
    for (struct dirent *d; r == 0 && (d = readdir(all));)
        r = ++seen > ENTRIES_MAX ? error_set(e, EBADMSG, "%s holds more than %u things", folder, ENTRIES_MAX)
                                 : take_entry(ret, dirfd(all), d->d_name, e);
    closedir(all);
    if (r == 0 && ret->count == 0)
        r = error_set(e, EBADMSG, "%s holds no Python", folder);
    for (size_t i = 0; r == 0 && i < ret->count; i++)
        ret->files[i] = (struct source_file){ret->names[i], buffer_text(&ret->texts[i]), ret->texts[i].size};
    if (r < 0)
        package_release(ret);
    else
        qsort(ret->files, ret->count, sizeof(ret->files[0]), by_name);
    return r;
}

void package_release(struct package *p)
{
    for (size_t i = 0; i < p->count; i++)
        buffer_release(&p->texts[i]);
    p->count = 0;
}

void source_digest(const struct source *s, uint8_t ret[32])
{
    struct sha256 h;
    sha256_init(&h);
    for (size_t i = 0; i < s->count; i++) {
        uint64_t size = s->files[i].size;
        if (s->count > 1) {
            sha256_update(&h, s->files[i].name, strlen(s->files[i].name) + 1);
            sha256_update(&h, &size, sizeof(size));
        }
        sha256_update(&h, s->files[i].text, s->files[i].size);
    }
    sha256_final(&h, ret);
}
