#include "target_child.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/*
 * The rules as this machine's kernel enforces them. Each case runs in a forked child that becomes what the
 * rule is about, tries to open a target, and reports what it was told; the verdict is then compared with the
 * one rule that the case set up. Most need root to begin with.
 */
#define NOBODY 65534

struct report {
    int result, rule;
    char text[640];
};

/* In the child: opens pid and fills the report. */
static void look_at(pid_t pid, struct report *r)
{
    struct target *t = NULL;
    struct error e = {0};
    struct target_facts f;
    struct buffer why;
    buffer_init(&why, 4096);
    r->result = target_open(pid, &t, &e);
    target_facts_collect(pid, &f);
    r->rule = (int)target_facts_explain(&f, &why);
    snprintf(r->text, sizeof(r->text), "%s", e.text);
    if (r->result < 0 && strcmp(buffer_text(&why), e.text) != 0)
        snprintf(r->text, sizeof(r->text), "the error and the facts differ: '%.250s' and '%.250s'", e.text,
            buffer_text(&why));
    buffer_release(&why);
    target_close(t);
}

static struct report look_as(void (*become)(void), pid_t pid)
{
    struct report *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    shared->result = 12345;
    pid_t child = fork();
    if (child == 0) {
        become();
        look_at(pid, shared);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    struct report r = *shared;
    munmap(shared, sizeof(*shared));
    if (r.result == 12345)
        fail_msg("the child ended with wait status %x before it could look", status);
    return r;
}

static void assert_refused(struct report r, int result, enum target_rule rule, const char *says)
{
    if (r.result != result || r.rule != (int)rule || !strstr(r.text, says))
        fail_msg("result %d, expected %d; rule %d, expected %d ('%s'): %s", r.result, result, r.rule, (int)rule, says,
            r.text);
}

static void be_myself(void)
{
}

static void be_nobody(void)
{
    if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
        _exit(80);
    prctl(PR_SET_DUMPABLE, 1); /* so that this child can look at itself in /proc */
}

static void be_without_the_capability(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        _exit(81);
    data[0].effective &= ~(1u << CAP_SYS_PTRACE);
    data[0].permitted &= ~(1u << CAP_SYS_PTRACE);
    if (syscall(SYS_capset, &header, data) < 0)
        _exit(82);
    prctl(PR_SET_DUMPABLE, 1);
}

static void filter(unsigned number, unsigned answer)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(83);
}

static void be_filtered(void)
{
    filter(SYS_process_vm_readv, SECCOMP_RET_ERRNO | EPERM);
}

static void be_filtered_as_unknown(void)
{
    filter(SYS_process_vm_readv, SECCOMP_RET_ERRNO | ENOSYS);
}

static void child_of_nobody(int ready_fd)
{
    be_nobody();
    child_waits(ready_fd);
}

static void child_not_dumpable(int ready_fd)
{
    be_nobody();
    prctl(PR_SET_DUMPABLE, 0);
    child_waits(ready_fd);
}

/* What setuid leaves behind: the kernel clears the flag by itself (commit_creds, kernel/cred.c). */
static void child_that_dropped_root(int ready_fd)
{
    if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
        _exit(84);
    child_waits(ready_fd);
}

static void child_in_own_user_namespace(int ready_fd)
{
    be_nobody();
    if (unshare(CLONE_NEWUSER) < 0)
        _exit(85);
    prctl(PR_SET_DUMPABLE, 1);
    child_waits(ready_fd);
}

static void need_root(void)
{
    if (geteuid() != 0)
        skip();
}

static int yama(void)
{
    char text[8];
    return proc_read(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text)) > 0 ? text[0] - '0' : 0;
}

static void looks_at_its_own_kind(void **state)
{
    (void)state;
    pid_t pid = child_start(child_waits);
    struct target *t = open_target(pid); /* our own child: allowed even by Yama's scope 1 */
    target_close(t);
    child_end(pid);
}

static void another_user_is_refused_by_uid(void **state)
{
    (void)state;
    need_root();
    pid_t pid = child_start(child_waits);
    struct report r = look_as(be_nobody, pid);
    child_end(pid);
    assert_refused(r, -EPERM, TARGET_RULE_UID, "runs as uid 0/0/0");
}

static void the_same_user_is_let_in(void **state)
{
    (void)state;
    need_root();
    if (yama() > 0)
        skip();
    pid_t pid = child_start(child_of_nobody);
    struct report r = look_as(be_nobody, pid);
    child_end(pid);
    assert_int_equal(r.result, 0);
    assert_int_equal(r.rule, TARGET_RULE_NONE);
}

static void one_that_is_not_dumpable_is_refused(void **state)
{
    (void)state;
    need_root();
    void (*const bodies[])(int) = {child_not_dumpable, child_that_dropped_root};
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        pid_t pid = child_start(bodies[i]);
        struct report r = look_as(be_nobody, pid), as_root = look_as(be_myself, pid);
        child_end(pid);
        assert_refused(r, -EPERM, TARGET_RULE_DUMPABLE, "not dumpable");
        assert_int_equal(as_root.result, 0); /* and the advice is right: root may */
    }
}

static void one_with_more_capabilities_is_refused(void **state)
{
    (void)state;
    need_root();
    pid_t pid = child_start(child_waits);
    struct report r = look_as(be_without_the_capability, pid);
    child_end(pid);
    assert_refused(r, -EPERM, TARGET_RULE_CAPABILITY, "capabilities");
}

static void a_filter_is_named(void **state)
{
    (void)state;
    pid_t pid = child_start(child_waits);
    struct report r = look_as(be_filtered, pid), unknown = look_as(be_filtered_as_unknown, pid);
    child_end(pid);
    assert_refused(r, -EPERM, TARGET_RULE_SECCOMP, "seccomp");
    assert_refused(unknown, -ENOSYS, TARGET_RULE_SECCOMP, "seccomp");
}

static void another_user_namespace_is_named(void **state)
{
    (void)state;
    need_root();
    pid_t probe = fork();
    if (probe == 0) {
        be_nobody();
        _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(probe, &status, 0), probe);
    if (status != 0)
        skip(); /* this machine does not let users make namespaces */
    pid_t pid = child_start(child_in_own_user_namespace);
    struct report outside = look_as(be_nobody, pid), as_root = look_as(be_myself, pid);
    child_end(pid);
    assert_int_equal(outside.result, 0); /* who made it has all capabilities in it */
    assert_int_equal(as_root.result, 0);
}

static void be_in_own_user_namespace(void)
{
    be_nobody();
    if (unshare(CLONE_NEWUSER) < 0)
        _exit(86);
    prctl(PR_SET_DUMPABLE, 1);
}

static void capabilities_of_a_lower_namespace_do_not_count(void **state)
{
    (void)state;
    need_root();
    pid_t probe = fork();
    if (probe == 0) {
        be_nobody();
        _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(probe, &status, 0), probe);
    if (status != 0)
        skip();
    pid_t pid = child_start(child_of_nobody);
    struct report r = look_as(be_in_own_user_namespace, pid);
    child_end(pid);
    assert_refused(r, -EPERM, TARGET_RULE_USER_NAMESPACE, "another user namespace");
}

static pid_t number_that_nobody_has(void)
{
    for (pid_t number = 29999; number > 1000; number--)
        if (kill(number, 0) < 0 && errno == ESRCH)
            return number;
    return 0;
}

static void pause_for_ever(void)
{
    for (;;)
        pause();
}

/* In a pid namespace of its own, a process that has the given number there. */
static void hold_a_number(pid_t number, int told_fd)
{
    char ok = 0;
    if (unshare(CLONE_NEWPID) < 0)
        _exit(87);
    if (fork() > 0)
        pause_for_ever();
    struct clone_args how = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&number, .set_tid_size = 1};
    long made = syscall(SYS_clone3, &how, sizeof(how));
    if (made != 0) {
        ok = made == number;
        if (write(told_fd, &ok, 1) != 1)
            _exit(88);
    }
    pause_for_ever();
}

static void a_number_of_another_pid_namespace_is_translated(void **state)
{
    (void)state;
    need_root();
    int ends[2];
    pid_t wanted = number_that_nobody_has(), first = 0;
    size_t count = 0;
    char ok = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t holder = fork();
    if (holder == 0)
        hold_a_number(wanted, ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &ok, 1), 1);
    close(ends[0]);

    struct report r = look_as(be_myself, wanted);
    struct target_facts f;
    target_facts_collect(wanted, &f);
    pid_t here = 0;
    if (f.number_here > 0) {
        struct target *t = open_target(f.number_here); /* the advice works */
        assert_int_equal(target_parent(t, &here), 0);
        target_close(t);
    }
    struct target *t = open_target(holder);
    assert_int_equal(target_children(t, &first, 1, &count), 0);
    assert_int_equal(count, 1);
    target_close(t);
    kill(first, SIGKILL); /* the namespace's first process: the kernel ends the rest */
    child_end(holder);
    if (!ok)
        skip(); /* not allowed to choose a number */
    assert_refused(r, -ESRCH, TARGET_RULE_PID_NAMESPACE, "use that");
    assert_int_equal(here, first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_at_its_own_kind),
        cmocka_unit_test(another_user_is_refused_by_uid),
        cmocka_unit_test(the_same_user_is_let_in),
        cmocka_unit_test(one_that_is_not_dumpable_is_refused),
        cmocka_unit_test(one_with_more_capabilities_is_refused),
        cmocka_unit_test(a_filter_is_named),
        cmocka_unit_test(another_user_namespace_is_named),
        cmocka_unit_test(capabilities_of_a_lower_namespace_do_not_count),
        cmocka_unit_test(a_number_of_another_pid_namespace_is_translated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
