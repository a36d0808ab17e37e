/* A recording named on the command line, loaded. Private to src/cmd. */
#ifndef PITVIPER_CMD_LOAD_H
#define PITVIPER_CMD_LOAD_H

#include "profile/profile.h"

/* "-" is standard input. An open file, or a negative errno. */
int cmd_recording_open(const char *path, struct error *e);
int cmd_profile_load(const char *path, const struct profile_options *options, struct profile **ret, struct error *e);

/* page.c: the page of a recording, opening in the options' mode; says so where the recording is not whole. */
int cmd_page_make(const char *path, const struct profile_options *options, struct buffer *out, struct error *e);
/* Writes it beside the recording (else into a temporary folder), prints its path and opens it. An exit status. */
int cmd_page_report(const char *path, const struct profile_options *options);

#endif
