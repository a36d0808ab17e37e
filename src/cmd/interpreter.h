/* The python that `run` starts a script with. Private to src/cmd. */
#ifndef PITVIPER_CMD_INTERPRETER_H
#define PITVIPER_CMD_INTERPRETER_H

#include "base/base.h"

/* asked: --python or NULL; script: its path, or NULL for -m. */
int interpreter_choose(const char *asked, const char *script, char *into, size_t size);
/* Is the word a script (and not a command)? By its suffix, or a path that exists but cannot be executed. */
bool interpreter_is_script(const char *word);

#endif
