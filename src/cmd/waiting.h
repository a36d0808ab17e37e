/* What a verb that takes longer than a second does meanwhile. Private to src/cmd. */
#ifndef PITVIPER_CMD_WAITING_H
#define PITVIPER_CMD_WAITING_H

#include "base/base.h"

#include <signal.h>

/* From now on an interrupt (SIGINT, SIGTERM) sets *ret to 1 and ends nothing; a second one ends the program. */
const volatile sig_atomic_t *waiting_watch_interrupts(void);
/* One line on stderr where that is a terminal, in the place of the one before. */
void waiting_show(const char *format, ...) PRINTF_LIKE(1, 2);
void waiting_hide(void);

#endif
