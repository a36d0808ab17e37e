/* A lab in the learner's folder: found again under any name, and laid down without taking anything away. */
#include "learn/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARKER_MAX 64u
#define LOOKED_AT_MAX 4000u /* folders, for the one that was renamed */
#define ANSWERS_NAME "answers.json"
#define STAND_IN_NAME "pitviper_lab.py"

const char *learn_lab_file(const struct grade_lab *lab)
{
    return lab->kind == GRADE_ANSWERS ? ANSWERS_NAME : lab->kind == GRADE_PROGRAM ? GRADE_PROGRAM_FOLDER : lab->file;
}

/* ---- where ---- */

static int join(char ret[LEARN_PATH_MAX], const char *folder, const char *name)
{
    int size = snprintf(ret, LEARN_PATH_MAX, "%s/%s", folder, name);
    return size < 0 || size >= (int)LEARN_PATH_MAX ? -ENAMETOOLONG : 0;
}

/* The id in this folder's marker; "" without one. */
static void read_marker(const char *folder, char *ret_id, size_t size)
{
    CLEANUP(buffer_release) struct buffer text;
    char path[LEARN_PATH_MAX];
    buffer_init(&text, MARKER_MAX);
    ret_id[0] = '\0';
    if (join(path, folder, LAB_MARKER_NAME) < 0 || file_read(path, &text) < 0)
        return;
    const char *id = buffer_text(&text);
    snprintf(ret_id, size, "%.*s", (int)strcspn(id, "\n"), id);
}

static bool search(const char *folder, const char *id, int depth, unsigned *seen, char ret[LEARN_PATH_MAX])
{
    char below[LEARN_PATH_MAX], found[MARKER_MAX + 1];
    DIR *all = opendir(folder);
    bool there = false;
    for (struct dirent *d; all != NULL && !there && *seen < LOOKED_AT_MAX && (d = readdir(all)) != NULL;) {
        struct stat is;
        if (d->d_name[0] == '.' || join(below, folder, d->d_name) < 0 || lstat(below, &is) < 0 || !S_ISDIR(is.st_mode))
            continue;
        (*seen)++;
        read_marker(below, found, sizeof(found));
        there = strcmp(found, id) == 0;
        if (there)
            memcpy(ret, below, sizeof(below));
        else if (depth > 1)
            there = search(below, id, depth - 1, seen, ret);
    }
    if (all != NULL)
        closedir(all);
    return there;
}

/* Below the course's folder, without the "labs" between the module and the lab. What is of no module lies beside these.
 */
static int usual_place(const struct learn_course *c, const struct grade_lab *lab, char ret[LEARN_PATH_MAX])
{
    const char *name = strrchr(lab->folder, '/');
    size_t module = strcspn(lab->folder, "/");
    if (name == NULL)
        return learn_path(c, ret, "%s", lab->folder);
    return learn_path(c, ret, "%.*s/%s", (int)module, lab->folder, name + 1);
}

int learn_lab_folder(const struct learn_course *c, const struct grade_lab *lab, char ret[LEARN_PATH_MAX])
{
    char id[MARKER_MAX + 1];
    unsigned seen = 0;
    int r = usual_place(c, lab, ret);
    if (r < 0)
        return r;
    read_marker(ret, id, sizeof(id));
    if (strcmp(id, lab->id) != 0)
        (void)search(c->root, lab->id, 3, &seen, ret);
    return 0;
}

void learn_lab_here(const struct learn_course *c, const char *folder, char *ret_id, size_t size)
{
    CLEANUP(free_pointer) char *at = realpath(folder, NULL);
    size_t root = strlen(c->root);
    ret_id[0] = '\0';
    while (at != NULL && ret_id[0] == '\0' && strlen(at) > root && strncmp(at, c->root, root) == 0) {
        read_marker(at, ret_id, size);
        *strrchr(at, '/') = '\0';
    }
}

/* ---- laying down ---- */

static int put_file(struct learn_laid *laid, const char *name, const void *data, size_t size, struct error *e)
{
    char path[LEARN_PATH_MAX];
    struct stat is;
    if (join(path, laid->folder, name) < 0)
        return error_set(e, ENAMETOOLONG, "the name of the course's folder is too long");
    int r = lstat(path, &is) == 0 ? -EEXIST : learn_file_write(path, data, size, false, e);
    laid->written += r == 0;
    laid->kept += r == -EEXIST;
    return r == -EEXIST ? 0 : r;
}

static int put_folders(const struct learn_laid *laid, struct error *e)
{
    char parent[LEARN_PATH_MAX];
    snprintf(parent, sizeof(parent), "%s", laid->folder);
    *strrchr(parent, '/') = '\0';
    int r = folder_make(parent, e);
    return r < 0 ? r : folder_make(laid->folder, e);
}

static int put_stand_in(const struct grade_lab *lab, struct learn_laid *laid, struct error *e)
{
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, 64u << 10);
    if (!grade_lab_stand_in(lab, &text))
        return 0;
    return text.failed ? error_set(e, ENOMEM, "out of memory") : put_file(laid, STAND_IN_NAME, text.data, text.size, e);
}

/* What lies below "starter/", and the story. */
static int put_lab_files(const struct grade_lab *lab, struct learn_laid *laid, struct error *e)
{
    size_t folder = strlen(lab->folder);
    int r = 0;
    for (size_t i = 0; r == 0 && i < lab->file_count; i++) {
        const struct grade_file *f = &lab->files[i];
        const char *name = f->path + folder + 1;
        bool starter = strncmp(name, "starter/", 8) == 0;
        name += starter ? 8 : 0;
        if ((starter || strcmp(name, "README.md") == 0) && strchr(name, '/') == NULL)
            r = put_file(laid, name, f->data, f->size, e);
    }
    return r;
}

/* Answers that somebody wrote are kept under another name: the questions will be others. */
static int move_answers_aside(const struct learn_laid *laid, struct error *e)
{
    char path[LEARN_PATH_MAX], aside[LEARN_PATH_MAX], name[64];
    struct stat is;
    if (join(path, laid->folder, ANSWERS_NAME) < 0 || lstat(path, &is) < 0)
        return 0;
    for (unsigned number = 1; number < 1000; number++) {
        snprintf(name, sizeof(name), "answers-%u.json", number);
        if (join(aside, laid->folder, name) < 0)
            break;
        if (lstat(aside, &is) == 0)
            continue;
        return rename(path, aside) == 0 ? 0 : error_set(e, errno, "cannot rename %s: %s", path, strerror(errno));
    }
    return error_set(e, EEXIST, "there are too many files answers-N.json in %s: remove some", laid->folder);
}

int learn_lab_lay(const struct learn_course *c, const struct grade_lab *lab, uint64_t seed, const char *python,
    struct learn_laid *ret, struct error *e)
{
    struct learn_laid laid = {.written = 0};
    char marker[MARKER_MAX];
    if (learn_lab_folder(c, lab, laid.folder) < 0)
        return error_set(e, ENAMETOOLONG, "the name of the course's folder is too long");
    int size = snprintf(marker, sizeof(marker), "%s\n", lab->id);
    int r = put_folders(&laid, e);
    if (r == 0)
        r = put_lab_files(lab, &laid, e);
    if (r == 0)
        r = put_stand_in(lab, &laid, e);
    if (r == 0 && lab->kind == GRADE_PROGRAM) {
        unsigned written = 0, kept = 0;
        r = grade_program_write(lab, seed, python, laid.folder, &written, &kept, e);
        laid.written += written;
        laid.kept += kept;
    }
    if (r == 0 && lab->kind == GRADE_ANSWERS && seed != 0) {
        r = move_answers_aside(&laid, e);
        if (r == 0)
            r = grade_questions_write(lab, seed, python, laid.folder, e);
    }
    /* Last, so that a lab that could not be laid down whole is none; and not counted: nobody asked for it. */
    struct learn_laid uncounted = laid;
    if (r == 0)
        r = put_file(&uncounted, LAB_MARKER_NAME, marker, (size_t)size, e);
    if (r == 0)
        *ret = laid;
    return r;
}
