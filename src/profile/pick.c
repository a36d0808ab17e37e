/*
 * Which threads a name means. A thread often gets its name after its first samples, so a reading of its own looks for
 * names before the one that counts.
 */
#include "profile/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPOOL_MAX (UINT64_C(4) << 30)

static int on_thread(void *context, const struct record_thread *t)
{
    struct load *l = context;
    const char *asked = l->p->options.thread;
    char tid[16];
    snprintf(tid, sizeof(tid), "%d", t->tid);
    if (strcmp(asked, t->name) != 0 && strcmp(asked, tid) != 0)
        return 0;
    return map_put(&l->named, t->id, 1);
}

/* A pipe can be read once: keep what it holds. */
static int spool(struct input *in, struct error *e)
{
    buffer_init(&in->spool, SPOOL_MAX);
    for (;;) {
        if (buffer_reserve(&in->spool, 1u << 16) < 0)
            return error_set(
                e, ENOMEM, "%s is too large to look for a thread's name in: save it to a file first", in->name);
        ssize_t n = read(in->fd, in->spool.data + in->spool.size, 1u << 16);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int number = errno;
            return error_set(e, number, "cannot read %s: %s", in->name, strerror(number));
        }
        if (n == 0)
            break;
        in->spool.size += (size_t)n;
    }
    in->data = in->spool.data;
    in->size = in->spool.size;
    return 0;
}

int pick_threads(struct load *l, struct input *in, struct error *e)
{
    static const struct record_events names = {.thread = on_thread};
    off_t start = in->data == NULL ? lseek(in->fd, 0, SEEK_CUR) : 0;
    int r = start < 0 ? spool(in, e) : 0;
    if (r == 0)
        r = load_pass(in, &names, l, NULL, e);
    if (r == 0 && in->data == NULL && lseek(in->fd, start, SEEK_SET) < 0)
        r = -errno;
    return r;
}
