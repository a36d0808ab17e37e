/* What a verb that starts a command was given, and every Python that there is. Private to src/cmd. */
#ifndef PITVIPER_CMD_INTERPRETER_H
#define PITVIPER_CMD_INTERPRETER_H

#include "base/base.h"

/* What a verb that starts a command was given: 0, or an exit status after having said what is wrong. */
int interpreter_check_command(const char *verb, int argc, char **argv);

/* The first line that it prints when it runs this code. False: it cannot. */
bool interpreter_ask(const char *path, const char *question, char *ret, size_t size);

#define INTERPRETER_FIRST_MINOR 8
#define INTERPRETER_LAST_MINOR 15

struct interpreters { /* each once, by the path of its executable */
    char **paths;
    size_t count, capacity;
};
/* Those on the path and those of pyenv that start at all, older ones first. 0 or -ENOMEM. */
int interpreters_find(struct interpreters *ret);
void interpreters_release(struct interpreters *i);

#endif
