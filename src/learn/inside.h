/* What the files of this room share. Private to src/learn. */
#ifndef PITVIPER_LEARN_INSIDE_H
#define PITVIPER_LEARN_INSIDE_H

#include "learn/learn.h"

#define MARKER_NAME ".pitviper-course"  /* in the course's root */
#define LAB_MARKER_NAME ".pitviper-lab" /* in a lab's folder: its id */
#define LOG_NAME "log.jsonl"

/* Regular files only, and through no link: what lies in the folder may be anything. -ENOENT, -EMEDIUMTYPE, ... */
int file_open(const char *path, int flags, int *ret_fd);
int file_read(const char *path, struct buffer *into);
/* Makes one folder, which may be there already. */
int folder_make(const char *path, struct error *e);
/* l->text into l->events; the arena is set up. -E2BIG, -ENOMEM. */
int log_parse(struct learn_log *l);
/* Does it stand instead of the other one? The earlier of two alike does. */
bool attempt_is_better(const struct learn_event *x, const struct learn_event *than);
/* An event with a `work` and no lab. */
void work_take(struct learn_work_state *w, const struct learn_event *x);
/* What comes when no lab and no reflection is owed. */
enum learn_step work_step(const struct learn_state *s);

#endif
