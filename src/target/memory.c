#include "target/inside.h"

#include <errno.h>
#include <unistd.h>

struct another_thread {
    pid_t leader, found;
};

static int take_living(void *context, pid_t tid)
{
    struct another_thread *a = context;
    if (tid == a->leader || memory_probe(tid) != 0)
        return 0;
    a->found = tid;
    return 1;
}

/*
 * The kernel answers ESRCH when the task named has no memory of its own any more (mm_access, kernel/fork.c).
 * That is the end of the process, or only of its first thread: then any other thread's id names the same
 * memory.
 */
static __attribute__((cold, noinline)) bool move_to_another_thread(const struct target *t)
{
    struct another_thread a = {.leader = t->live->memory_tid};
    if (!target_alive(t))
        return false;
    if (proc_each_number(t->proc_fd, "task", take_living, &a) != 1)
        return false;
    t->live->memory_tid = a.found;
    return true;
}

ssize_t target_readv(
    const struct target *t, const struct iovec *local, size_t locals, const struct iovec *remote, size_t remotes)
{
    for (int attempt = 0;; attempt++) {
        ssize_t done = process_vm_readv(t->live->memory_tid, local, locals, remote, remotes, 0);
        if (done >= 0)
            return done;
        if (errno != ESRCH)
            return -errno;
        if (attempt == 2 || !move_to_another_thread(t))
            return -ESRCH;
    }
}

int target_read(const struct target *t, uint64_t address, void *into, size_t size)
{
    uint8_t *to = into;
    while (size > 0) {
        struct iovec local = {.iov_base = to, .iov_len = size};
        struct iovec remote = {
            .iov_base = (void *)(uintptr_t)address, .iov_len = size}; /* NOLINT(performance-no-int-to-ptr) */
        ssize_t n = target_readv(t, &local, 1, &remote, 1);
        if (n < 0)
            return (int)n;
        if (n == 0)
            return -EFAULT;
        /* Short at the first bad page, or at the kernel's cap of 2 GB: going on tells which. */
        to += n;
        address += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

int memory_probe(pid_t pid)
{
    /* The right to look is checked before the address (process_vm_rw_core, mm/process_vm_access.c), and no
     * process has anything at address 1 that is not refused: EFAULT means that reading is allowed. */
    char byte;
    struct iovec local = {.iov_base = &byte, .iov_len = 1};
    struct iovec remote = {.iov_base = (void *)1, .iov_len = 1};
    if (process_vm_readv(pid, &local, 1, &remote, 1, 0) >= 0)
        return 0;
    return errno == EFAULT ? 0 : errno;
}
