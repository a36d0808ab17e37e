/* What several checks of one lab share: the machine as it was found, and what the lab's own programs answered. */
#include "grade/memo.h"

#include <stdlib.h>
#include <string.h>

#define ANSWERS_MAX ((size_t)256 << 20) /* bytes of all that is remembered */

struct answer_kept {
    uint8_t key[32];
    struct buffer value;
};
struct grade_memo {
    struct memo_machine machine;
    bool machine_known;
    struct answer_kept *answers;
    size_t count, capacity, size;
};

struct grade_memo *grade_memo_new(void)
{
    return calloc(1, sizeof(struct grade_memo));
}

void grade_memo_free(struct grade_memo *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->count; i++)
        buffer_release(&m->answers[i].value);
    free(m->answers);
    sandbox_interpreter_release(&m->machine.python);
    free(m);
}

const struct memo_machine *memo_machine(const struct grade_memo *m)
{
    return m && m->machine_known ? &m->machine : NULL;
}

bool memo_take_machine(struct grade_memo *m, const struct memo_machine *machine)
{
    if (!m || m->machine_known)
        return false;
    m->machine = *machine;
    m->machine_known = true;
    return true;
}

void memo_key(const char *what, uint64_t number, const void *data, size_t size, struct memo_key *ret)
{
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, &number, sizeof(number));
    sha256_update(&h, what, strlen(what) + 1);
    sha256_update(&h, data, size);
    sha256_final(&h, ret->digest);
}

bool memo_recall(const struct grade_memo *m, const struct memo_key *key, struct buffer *ret)
{
    for (size_t i = 0; m && i < m->count; i++)
        if (memcmp(m->answers[i].key, key->digest, sizeof(key->digest)) == 0)
            return buffer_append(ret, m->answers[i].value.data, m->answers[i].value.size) == 0;
    return false;
}

void memo_keep(struct grade_memo *m, const struct memo_key *key, const struct buffer *value)
{
    if (!m || value->size > ANSWERS_MAX - m->size ||
        array_reserve(&m->answers, &m->capacity, m->count + 1, sizeof(*m->answers)) < 0)
        return;
    struct answer_kept *kept = &m->answers[m->count];
    memcpy(kept->key, key->digest, sizeof(kept->key));
    buffer_init(&kept->value, value->size);
    if (buffer_append(&kept->value, value->data, value->size) < 0) {
        buffer_release(&kept->value);
        return;
    }
    m->count++;
    m->size += value->size;
}
