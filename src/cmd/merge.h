/* A merged recording on its way to its place. Private to src/cmd. */
#ifndef PITVIPER_CMD_MERGE_H
#define PITVIPER_CMD_MERGE_H

#include "record/record.h"

/* Written aside and renamed when it is whole, so that what was there before stays until then; a pipe, device or "-" in
 * place. Initialise with {0}. */
struct merge_output {
    struct record_merge *merge;
    char path[4096], aside[4128]; /* aside "": written in place */
};
int merge_output_open(struct merge_output *o, const char *path, struct error *e);
/* Adds the file and says what was wrong with it. 0; or a negative errno with a line in e. */
int merge_output_add(struct merge_output *o, const char *path, struct error *e);
int merge_output_close(struct merge_output *o, struct error *e); /* to its place */
void merge_output_drop(struct merge_output *o);                  /* nothing of it stays */

#endif
