/* What a lab waits for: each request is answered after the same delay, so many at once, in the order they came. */
#include "sandbox/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int service_init(struct service *s, uint64_t delay_ns, uint32_t at_once)
{
    *s = (struct service){.delay_ns = delay_ns, .at_once = at_once};
    s->free_ns = calloc(at_once ? at_once : 1, sizeof(*s->free_ns));
    buffer_init(&s->replies, ((size_t)SERVICE_WAITING_MAX + 1) * sizeof(s->waiting->reply));
    return s->free_ns ? 0 : -ENOMEM;
}

void service_release(struct service *s)
{
    free(s->free_ns);
    free(s->waiting);
    buffer_release(&s->replies);
    *s = (struct service){.free_ns = NULL};
}

int service_ask(struct service *s, uint32_t id, const void *data, size_t size, uint64_t now_ns)
{
    size_t unread = (s->replies.size - s->replies_sent) / sizeof(s->waiting->reply);
    if (s->count - s->first + unread >= SERVICE_WAITING_MAX)
        return -E2BIG;
    if (s->first > s->capacity / 2 && s->count == s->capacity) { /* the front is free again */
        memmove(s->waiting, s->waiting + s->first, (s->count - s->first) * sizeof(*s->waiting));
        s->count -= s->first;
        s->first = 0;
    }
    int r = array_reserve(&s->waiting, &s->capacity, s->count + 1, sizeof(*s->waiting));
    if (r < 0)
        return r;
    /* All take as long, so the place that was taken first is the first that is free. */
    uint64_t *place = &s->free_ns[s->asked++ % s->at_once];
    struct service_request *q = &s->waiting[s->count++];
    q->due_ns = (*place > now_ns ? *place : now_ns) + s->delay_ns;
    *place = q->due_ns;

    uint8_t digest[32];
    sha256(data, size, digest);
    uint8_t *at = q->reply;
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(id >> 8 * i);
    memcpy(at + 4, (const uint8_t[]){2 * sizeof(digest), 0, 0, 0}, 4);
    for (size_t i = 0; i < sizeof(digest); i++) {
        at[8 + 2 * i] = (uint8_t) "0123456789abcdef"[digest[i] >> 4];
        at[9 + 2 * i] = (uint8_t) "0123456789abcdef"[digest[i] & 15];
    }
    return 0;
}

uint64_t service_next_ns(const struct service *s)
{
    return s->first < s->count ? s->waiting[s->first].due_ns : UINT64_MAX;
}

int service_answer(struct service *s, uint64_t now_ns)
{
    int r = 0;
    if (s->replies_sent > 0 && (s->replies_sent == s->replies.size || service_next_ns(s) <= now_ns)) {
        s->replies.size -= s->replies_sent;
        memmove(s->replies.data, s->replies.data + s->replies_sent, s->replies.size);
        s->replies_sent = 0;
    }
    for (; r == 0 && service_next_ns(s) <= now_ns; s->first++)
        r = buffer_append(&s->replies, s->waiting[s->first].reply, sizeof(s->waiting->reply));
    return r;
}
