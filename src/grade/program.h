/* The capstone's parts: a learner's variant, and the package that they made of it. Private to grade. */
#ifndef PITVIPER_GRADE_PROGRAM_H
#define PITVIPER_GRADE_PROGRAM_H

#include "grade/trial.h"

/* ---- variant.c: the variant of a seed, made by the lab's own variant.py in the sandbox ---- */
#define VARIANT_FILES_MAX 40u
struct variant {
    struct buffer payload;                       /* what the others point into */
    struct source_file files[VARIANT_FILES_MAX]; /* "parcelflow/flow.py" */
    size_t count;
    const char *key, *names; /* JSON: what is planted where; all functions and classes, as "module.Class.method" */
    size_t key_size, names_size;
    char texts[VARIANT_FILES_MAX][64]; /* the files' names, with their ends */
};
int variant_draw(struct runner *s, uint64_t seed, struct variant *ret, struct error *e);
void variant_release(struct variant *v);

/* ---- package.c: what a learner's folder holds. Hostile: only plain files of Python, so many, so large. ---- */
#define PACKAGE_FILES_MAX 40u
#define PACKAGE_FILE_MAX ((size_t)256 << 10)
struct package {
    struct buffer texts[PACKAGE_FILES_MAX];
    char names[PACKAGE_FILES_MAX][80]; /* "parcelflow/flow.py" */
    struct source_file files[PACKAGE_FILES_MAX];
    size_t count; /* by name */
};
/* -EBADMSG and one line for the learner: it is no package that can be graded. -ENOENT: no such folder. */
int package_read(const char *folder, struct package *ret, struct error *e);
void package_release(struct package *p);
/* A plain file of a folder, through no link. -EFBIG beyond `max`, -EMEDIUMTYPE: it is no plain file. */
int package_read_file(const char *folder, const char *name, size_t max, struct buffer *into);
/* Of names, sizes and texts, in their order. A source of one file: of its text. */
void source_digest(const struct source *s, uint8_t ret[32]);

#endif
