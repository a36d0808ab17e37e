/* What the child writes on its answer descriptor: anything at all. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <stdlib.h>

#define HEAD_SIZE sizeof(((struct answer *)0)->head)
#define ASK_NUMBER_SIZE 4

void answer_init(struct answer *a, size_t max)
{
    *a = (struct answer){0};
    buffer_init(&a->payload, max);
    buffer_init(&a->digests, (size_t)ANSWER_PROGRESS_MAX * ANSWER_PROGRESS_FRAMES_MAX);
    buffer_init(&a->request, ANSWER_ASK_MAX + ASK_NUMBER_SIZE);
}

void answer_release(struct answer *a)
{
    buffer_release(&a->payload);
    buffer_release(&a->digests);
    buffer_release(&a->request);
    free(a->progress);
    a->progress = NULL;
    a->progress_count = a->progress_capacity = 0;
}

static int broken(struct answer *a, const char *why)
{
    a->broken = why;
    return -EBADMSG;
}

static int check_head(struct answer *a)
{
    struct reader r = {.at = a->head + 1, .end = a->head + HEAD_SIZE};
    a->left = reader_le32(&r);
    switch (a->head[0]) {
    case ANSWER_READY:
        if (a->left > 0)
            return broken(a, "a ready frame with a payload");
        return a->ready_ns || a->progress_count > 0 ? broken(a, "a ready frame that is not the first") : 0;
    case ANSWER_PROGRESS:
        if (a->left > ANSWER_PROGRESS_MAX)
            return broken(a, "a progress frame that is too long");
        return a->progress_count < ANSWER_PROGRESS_FRAMES_MAX ? 0 : broken(a, "too many progress frames");
    case ANSWER_ASK:
        if (!a->ask)
            return broken(a, "a request where there is no service");
        if (a->left < ASK_NUMBER_SIZE || a->left > ANSWER_ASK_MAX + ASK_NUMBER_SIZE)
            return broken(a, "a request that is too short or too long");
        buffer_clear(&a->request);
        return 0;
    case ANSWER_DATA:
    case ANSWER_ERROR:
        return a->left <= a->payload.max ? 0 : broken(a, "an answer that is too long");
    default:
        return broken(a, "bytes that are no frame");
    }
}

static int pass_request(struct answer *a)
{
    struct reader r = {.at = a->request.data, .end = (const uint8_t *)a->request.data + a->request.size};
    uint32_t id = reader_le32(&r);
    int result = a->ask(a->context, id, r.at, (size_t)(r.end - r.at));
    return result == -E2BIG ? broken(a, "too many requests at once") : result;
}

static struct buffer *frame_buffer(struct answer *a)
{
    return a->head[0] == ANSWER_PROGRESS ? &a->digests : a->head[0] == ANSWER_ASK ? &a->request : &a->payload;
}

static int end_frame(struct answer *a, uint64_t now_ns)
{
    a->head_size = 0;
    if (a->head[0] == ANSWER_READY) {
        a->ready_ns = now_ns;
    } else if (a->head[0] == ANSWER_ASK) {
        return pass_request(a);
    } else if (a->head[0] == ANSWER_PROGRESS) {
        struct answer_progress *last = &a->progress[a->progress_count++];
        last->at_ns = now_ns;
        last->size = a->digests.size - last->offset;
    } else {
        a->whole_ns = now_ns;
        a->kind = (char)a->head[0];
    }
    return 0;
}

static int begin_progress(struct answer *a)
{
    int r = array_reserve(&a->progress, &a->progress_capacity, a->progress_count + 1, sizeof(*a->progress));
    if (r == 0)
        a->progress[a->progress_count] = (struct answer_progress){.offset = a->digests.size};
    return r;
}

int answer_feed(struct answer *a, const void *data, size_t size, uint64_t now_ns)
{
    const uint8_t *at = data, *end = at + size;
    int r = a->broken ? -EBADMSG : 0;

    while (r == 0 && at < end) {
        if (a->kind)
            return broken(a, "bytes after the answer");
        if (a->head_size < HEAD_SIZE) {
            a->head[a->head_size++] = *at++;
            if (a->head_size < HEAD_SIZE)
                continue;
            r = check_head(a);
            if (r == 0 && a->head[0] == ANSWER_PROGRESS)
                r = begin_progress(a);
        } else {
            size_t n = (size_t)(end - at) < a->left ? (size_t)(end - at) : a->left;
            r = buffer_append(frame_buffer(a), at, n);
            at += n;
            a->left -= n;
        }
        if (r == 0 && a->head_size == HEAD_SIZE && a->left == 0)
            r = end_frame(a, now_ns);
    }
    return r;
}
