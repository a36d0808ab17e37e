/* What the files of this room share. Nothing outside the room (its tests and fuzzers apart) includes it. */
#ifndef PITVIPER_GRADE_INSIDE_H
#define PITVIPER_GRADE_INSIDE_H

#include "grade/grade.h"

/* ---- lab.c ---- */
#define LAB_MANIFEST_MAX ((size_t)64 << 10)
#define LAB_TEXT_MAX 1200u      /* bytes of one text */
#define LAB_SIZE_MAX 100000000u /* a size of an input */
/* The texts of ret are the arena's. `folder` ends with "ID-name"; it is kept as it is. -EBADMSG. */
int lab_parse(
    const char *json, size_t size, const char *folder, struct arena *arena, struct grade_lab *ret, struct error *e);
/* Takes its files, sorted by path, which are the caller's; -ENOENT where the manifest names one that is not there. */
int lab_take_files(struct grade_lab *lab, const struct grade_file *files, size_t count, struct error *e);
/* The text of a harness with the lab's figures in the places of its marks. */
void lab_fill(const struct grade_lab *lab, const char *text, struct buffer *into);
const char *lab_gate_name(enum grade_gate_kind kind); /* "speed", as in the manifest */

/* The harness, made by tools/embed. */
extern const char grade_harness_child[], grade_harness_values[], grade_harness_maker[], grade_harness_lab_module[],
    grade_harness_stand_in[], grade_harness_readability[], grade_harness_pace[];

#endif
