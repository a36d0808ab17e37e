/* What the program starts: found while it runs, by its parent, or with us, where that one has ended at once. */
#include "sample/inside.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CHILDREN_CAP = 4096, /* looked at in one go; the rest next time */
};

static bool watched_still(const struct sampler *s, pid_t pid)
{
    for (size_t i = 0; i < s->count; i++)
        if (target_pid(s->watched[i].target) == pid && !s->watched[i].ended)
            return true;
    return false;
}

/* Was it there at the last look already? Over hours numbers are given again: one that was not is another process. */
static bool known(struct sampler *s, pid_t pid)
{
    uint64_t seen;
    bool ret = map_get(&s->pids, (uint64_t)pid, &seen) && (seen + 1 >= s->looks || watched_still(s, pid));

    (void)map_put(&s->pids, (uint64_t)pid, s->looks);
    return ret;
}

static void child_add(struct sampler *s, pid_t pid, uint32_t parent, uint64_t now_ns)
{
    struct target *t;
    struct error why;

    int r = target_open(pid, &t, &why);
    if (r == -EPERM) {
        refused_tell(s, &why);
        return;
    }
    if (r < 0 || !target_alive(t)) { /* gone already: it lived for less than we look */
        s->result.counters.children_late++;
        if (r == 0)
            target_close(t);
        return;
    }
    s->result.counters.children_found++;
    if (watch_add(s, t, parent) < 0)
        target_close(t);
    else
        (void)watch_try(s, &s->watched[s->count - 1], now_ns, NULL);
}

/* Those whose parents have ended come to us, who started the program (PR_SET_CHILD_SUBREAPER): a daemon's parent may
 * be gone within a millisecond. Once they have ended, too, nobody else would take their status. */
static void orphans_find(struct sampler *s, uint64_t now_ns)
{
    pid_t pids[CHILDREN_CAP], program = target_pid(s->watched[0].target), ours = record_writer_helper(s->writer);
    size_t count;

    if (target_children_of(getpid(), pids, CHILDREN_CAP, &count) < 0)
        return;
    for (size_t i = 0; i < count && i < CHILDREN_CAP; i++) {
        if (pids[i] == program || pids[i] == ours)
            continue;
        if (!known(s, pids[i]))
            child_add(s, pids[i], s->watched[0].id, now_ns);
        else if (!watched_still(s, pids[i]))
            (void)waitpid(pids[i], NULL, WNOHANG);
    }
}

void children_init(struct sampler *s)
{
    pid_t pids[CHILDREN_CAP], parent;
    size_t count;

    s->starter = target_parent(s->watched[0].target, &parent) == 0 && parent == getpid();
    if (!s->starter || target_children_of(getpid(), pids, CHILDREN_CAP, &count) < 0)
        return;
    /* Whoever became us by exec may have had children; the program is younger than to have left any. */
    for (size_t i = 0; i < count && i < CHILDREN_CAP; i++)
        (void)map_put(&s->pids, (uint64_t)pids[i], s->looks);
}

void children_find(struct sampler *s, uint64_t now_ns)
{
    pid_t pids[CHILDREN_CAP];
    uint64_t last;
    size_t count;

    /* Nothing was created anywhere since the last look: nothing to find. */
    if (target_last_pid(&last) == 0) {
        if (last == s->last_pid && now_ns - s->children_checked_ns < SECOND_NS)
            return;
        s->last_pid = last;
    }
    s->children_checked_ns = now_ns;
    s->looks++;
    for (size_t i = 0; i < s->count; i++) { /* those that are found, too */
        if (s->watched[i].ended || target_children(s->watched[i].target, pids, CHILDREN_CAP, &count) < 0)
            continue;
        uint32_t parent = s->watched[i].id;
        for (size_t k = 0; k < count && k < CHILDREN_CAP; k++)
            if (!known(s, pids[k]))
                child_add(s, pids[k], parent, now_ns);
    }
    if (s->starter)
        orphans_find(s, now_ns);
}
