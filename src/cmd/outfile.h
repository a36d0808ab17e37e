/* A file that a verb writes: whole, or not there. Private to src/cmd. */
#ifndef PITVIPER_CMD_OUTFILE_H
#define PITVIPER_CMD_OUTFILE_H

#include "base/base.h"

struct outfile {
    int fd;
    char *target, *aside; /* aside is written, and becomes target at the end; NULL: written in place */
    bool nameless;        /* aside has no name yet */
    bool regular;         /* written in place, but a file: what is not whole is cut away */
};

/* NULL or "-" is standard output. A regular file, or one that is not there yet, is written aside and takes its name
 * when it is whole; a device, FIFO, socket, or what is below /dev or /proc, is written in place. */
int outfile_open(const char *path, struct outfile *ret, struct error *e);
/* With `whole` the file takes its name; without it, what was written is removed. 0, or a negative errno. */
int outfile_close(struct outfile *o, bool whole);

#endif
