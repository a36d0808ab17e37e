/* What a restart repeats: processes and threads that live, metadata, the last counters. */
#include "record/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void known_init(struct known *k)
{
    memset(k, 0, sizeof(*k));
    map_init(&k->thread_index);
}

static void process_release(struct known_process *p)
{
    free((char *)p->put.python);
    free((char *)p->put.command);
}

void known_release(struct known *k)
{
    for (size_t i = 0; i < k->meta_count; i++) {
        free(k->metas[i].key);
        free(k->metas[i].value);
    }
    for (size_t i = 0; i < k->process_count; i++)
        process_release(&k->processes[i]);
    for (size_t i = 0; i < k->thread_count; i++)
        free((char *)k->threads[i].put.name);
    free(k->metas);
    free(k->processes);
    free(k->threads);
    map_release(&k->thread_index);
}

static char *copy(const char *text)
{
    return strdup(text == NULL ? "" : text);
}

/* Notes may have one key and stand beside each other; of the rest the last counts. */
static struct known_meta *meta_find(struct known *k, const char *key, const char *value)
{
    bool note = strncmp(key, "note.", 5) == 0;
    for (size_t i = 0; i < k->meta_count; i++)
        if (strcmp(k->metas[i].key, key) == 0 && (!note || strcmp(k->metas[i].value, value) == 0))
            return &k->metas[i];
    return NULL;
}

int known_meta(struct known *k, const char *key, const char *value)
{
    struct known_meta *m = meta_find(k, key, value);
    if (m == NULL && k->meta_count == FORMAT_METAS_MAX)
        return 0;
    char *value_copy = copy(value);
    if (value_copy == NULL)
        return -ENOMEM;
    if (m != NULL) {
        free(m->value);
        m->value = value_copy;
        return 0;
    }
    char *key_copy = copy(key);
    if (key_copy == NULL || array_reserve(&k->metas, &k->meta_capacity, k->meta_count + 1, sizeof(*k->metas)) < 0) {
        free(key_copy);
        free(value_copy);
        return -ENOMEM;
    }
    k->metas[k->meta_count++] = (struct known_meta){key_copy, value_copy};
    return 0;
}

static struct known_process *process_find(struct known *k, uint32_t id)
{
    size_t low = 0, high = k->process_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (k->processes[middle].put.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < k->process_count && k->processes[low].put.id == id ? &k->processes[low] : NULL;
}

int known_process(struct known *k, const struct record_process *p)
{
    struct known_process *to = process_find(k, p->id), new = {.put = *p};
    if (to == NULL && k->process_count > 0 && k->processes[k->process_count - 1].put.id > p->id)
        return 0; /* it has ended, and is repeated no more */
    new.put.python = copy(p->python);
    new.put.command = copy(p->command);
    if (new.put.python == NULL || new.put.command == NULL ||
        (to == NULL &&
            array_reserve(&k->processes, &k->process_capacity, k->process_count + 1, sizeof(*k->processes)) < 0)) {
        process_release(&new);
        return -ENOMEM;
    }
    if (to != NULL)
        process_release(to);
    else
        to = &k->processes[k->process_count++];
    *to = new;
    return 0;
}

void known_process_end(struct known *k, uint32_t process)
{
    struct known_process *p = process_find(k, process);
    if (p != NULL)
        p->ended = true;
}

static struct known_thread *thread_find(struct known *k, uint32_t id)
{
    uint64_t index;
    return map_get(&k->thread_index, id, &index) ? &k->threads[index] : NULL;
}

int known_thread(struct known *k, const struct record_thread *t)
{
    struct known_thread *to = thread_find(k, t->id);
    char *name = copy(t->name);
    if (name == NULL)
        return -ENOMEM;
    if (to != NULL) {
        free((char *)to->put.name);
    } else {
        if (array_reserve(&k->threads, &k->thread_capacity, k->thread_count + 1, sizeof(*k->threads)) < 0 ||
            map_put(&k->thread_index, t->id, k->thread_count) < 0) {
            free(name);
            return -ENOMEM;
        }
        to = &k->threads[k->thread_count++];
        *to = (struct known_thread){0};
    }
    to->put = *t;
    to->put.name = name;
    return 0;
}

void known_thread_cpu(struct known *k, const struct record_thread_cpu *c)
{
    struct known_thread *t = thread_find(k, c->thread);
    if (t != NULL) {
        t->cpu = *c;
        t->measured = true;
    }
}

void known_thread_end(struct known *k, uint32_t thread)
{
    struct known_thread *t = thread_find(k, thread), *last = &k->threads[k->thread_count - 1];
    if (t == NULL)
        return;
    free((char *)t->put.name);
    map_remove(&k->thread_index, thread);
    if (t != last) {
        *t = *last;
        /* The key is there already: nothing is allocated. */
        (void)map_put(&k->thread_index, t->put.id, (uint64_t)(t - k->threads));
    }
    k->thread_count--;
}

void known_forget_ended(struct known *k)
{
    for (size_t i = k->thread_count; i-- > 0;) {
        struct known_process *p = process_find(k, k->threads[i].put.process);
        if (p == NULL || p->ended)
            known_thread_end(k, k->threads[i].put.id);
    }
    size_t kept = 0;
    for (size_t i = 0; i < k->process_count; i++) {
        if (k->processes[i].ended)
            process_release(&k->processes[i]);
        else
            k->processes[kept++] = k->processes[i];
    }
    k->process_count = kept;
}
