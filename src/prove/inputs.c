/*
 * Files that the runs may read: those that a command names, and those in its folder. A run that changes one of them
 * leaves the next run another task.
 */
#include "prove/experiment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t mtime_of(const struct stat *st)
{
    return (uint64_t)st->st_mtim.tv_sec * 1000000000 + (uint64_t)st->st_mtim.tv_nsec;
}

static int input_look(const char *path, uint64_t most, struct input *ret)
{
    struct stat st;
    CLEANUP(buffer_release) struct buffer content;

    buffer_init(&content, most);
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return -ENOENT;
    ret->size = (uint64_t)st.st_size;
    ret->mtime_ns = mtime_of(&st);
    ret->hashed = ret->size <= most && file_read_all(AT_FDCWD, path, &content) == 0;
    ret->hash = ret->hashed ? hash_bytes(content.data, content.size) : 0;
    return 0;
}

static int input_add(struct inputs *in, const char *path, bool named)
{
    struct input one = {.named = named};
    for (size_t i = 0; i < in->count; i++)
        if (strcmp(in->items[i].path, path) == 0) {
            in->items[i].named = in->items[i].named || named;
            return 0;
        }
    if (in->count == INPUTS_MAX || input_look(path, in->bytes_left, &one) < 0)
        return 0;
    one.path = strdup(path);
    if (!one.path || array_reserve(&in->items, &in->capacity, in->count + 1, sizeof(*in->items)) < 0) {
        free(one.path);
        return -ENOMEM;
    }
    in->bytes_left -= one.hashed ? one.size : 0;
    in->items[in->count++] = one;
    return 0;
}

/* As the command will see it: from its own folder. */
static int input_add_from(struct inputs *in, const char *folder, const char *name, bool named)
{
    char path[4096];
    int n = *name == '/' || !folder ? snprintf(path, sizeof(path), "%s", name)
                                    : snprintf(path, sizeof(path), "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof(path) ? input_add(in, path, named) : 0;
}

/* Calls back for each regular file of a folder; NULL: ours. How many there are. */
static size_t each_file(
    const char *folder, int (*each)(void *context, const char *folder, const char *name), void *context)
{
    DIR *list = opendir(folder ? folder : ".");
    size_t count = 0;
    for (struct dirent *d; list && (d = readdir(list)) != NULL;) {
        if (d->d_type != DT_REG)
            continue;
        count++;
        if (each && each(context, folder, d->d_name) < 0)
            break;
    }
    if (list)
        closedir(list);
    return count;
}

static int add_one(void *context, const char *folder, const char *name)
{
    return input_add_from(context, folder, name, false);
}

static void add_folder(struct inputs *in, const char *folder)
{
    in->folders[in->folder_count++] = folder;
    in->folder_files += each_file(folder, add_one, in);
}

/* `file`, and the `file` of --option=file. */
static int add_word(struct inputs *in, const char *folder, const char *word)
{
    const char *equals = strchr(word, '=');
    int r = input_add_from(in, folder, word, true);
    return r == 0 && equals ? input_add_from(in, folder, equals + 1, true) : r;
}

void inputs_init(struct inputs *in)
{
    *in = (struct inputs){.bytes_left = INPUTS_HASHED_MAX};
}

int inputs_note(struct inputs *in, const struct prove_subject *s)
{
    int r = 0;
    if (s->kind == PROVE_FUNCTION)
        return s->options.args ? input_add(in, s->options.args, true) : 0;
    for (size_t i = 1; r == 0 && !s->shell && s->argv[i]; i++)
        r = add_word(in, s->options.folder, s->argv[i]);
    if (r == 0 && s->options.input)
        r = input_add(in, s->options.input, true);
    if (r == 0 && in->folder_count < SIDES)
        add_folder(in, s->options.folder);
    return r;
}

bool inputs_written(const struct inputs *in)
{
    size_t files = 0;
    for (size_t i = 0; i < in->folder_count; i++)
        files += each_file(in->folders[i], NULL, NULL);
    for (size_t i = 0; i < in->count; i++) {
        struct stat st;
        if (stat(in->items[i].path, &st) < 0 || mtime_of(&st) != in->items[i].mtime_ns)
            return true;
    }
    return files != in->folder_files;
}

const struct input *inputs_changed(const struct inputs *in)
{
    for (size_t i = 0; i < in->count; i++) {
        const struct input *was = &in->items[i];
        struct stat st;
        struct input is;
        if (stat(was->path, &st) < 0)
            return was;
        if ((uint64_t)st.st_size == was->size && mtime_of(&st) == was->mtime_ns)
            continue;
        if (!was->hashed || input_look(was->path, was->size, &is) < 0 || is.size != was->size || is.hash != was->hash)
            return was;
    }
    return NULL;
}

void inputs_release(struct inputs *in)
{
    for (size_t i = 0; i < in->count; i++)
        free(in->items[i].path);
    free(in->items);
    *in = (struct inputs){0};
}
