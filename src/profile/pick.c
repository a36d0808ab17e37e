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

bool pick_matches(const struct profile_options *o, const struct record_thread *t)
{
    char tid[16];
    snprintf(tid, sizeof(tid), "%d", t->tid);
    return strcmp(o->thread, t->name) == 0 || strcmp(o->thread, tid) == 0;
}

static int on_thread(void *context, const struct record_thread *t)
{
    struct load *l = context;
    return pick_matches(&l->p->options, t) ? map_put(&l->named, t->id, 1) : 0;
}

/* A pipe can be read once: keep what it holds. */
int input_spool(struct input *in, struct error *e)
{
    buffer_init(&in->spool, in->foreign ? IMPORT_BYTES_MAX : SPOOL_MAX);
    if (in->data != NULL)
        return 0;
    buffer_append(&in->spool, in->head, in->head_size);
    for (;;) {
        if (buffer_reserve(&in->spool, 1u << 16) < 0)
            return error_set(e, in->foreign ? EFBIG : ENOMEM,
                in->foreign ? "%s is too large to be imported"
                            : "%s is too large to look for a thread's name in: save it to a file first",
                in->name);
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
    int r = start < 0 ? input_spool(in, e) : 0;
    if (r == 0)
        r = load_pass(in, &names, l, NULL, e);
    if (r == 0 && in->data == NULL && lseek(in->fd, start, SEEK_SET) < 0)
        r = -errno;
    return r;
}
