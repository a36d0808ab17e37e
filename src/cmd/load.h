/* A recording named on the command line, loaded. Private to src/cmd. */
#ifndef PITVIPER_CMD_LOAD_H
#define PITVIPER_CMD_LOAD_H

#include "profile/profile.h"

/* "-" is standard input. */
int cmd_profile_load(const char *path, const struct profile_options *options, struct profile **ret, struct error *e);

#endif
