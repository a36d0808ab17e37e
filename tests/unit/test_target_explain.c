#include "target_child.h"

/* Process 123 as seen by an ordinary user's pitviper that may read it; each case changes what it needs. */
static struct target_facts allowed(void)
{
    return (struct target_facts){
        .pid = 123,
        .exists = true,
        .our_uid = 1000,
        .our_gid = 1000,
        .its_uid = {1000, 1000, 1000},
        .its_gid = {1000, 1000, 1000},
        .yama_scope = 0,
        .dumpable = 1,
        .same_user_namespace = true,
        .same_pid_namespace = true,
        .same_mount_namespace = true,
    };
}

static struct target_facts refused(void)
{
    struct target_facts f = allowed();
    f.read_errno = EPERM;
    f.maps_errno = EACCES;
    return f;
}

static void decide(const struct target_facts *f, enum target_rule rule, const char *says, const char *advises)
{
    struct buffer why;
    buffer_init(&why, 4096);
    enum target_rule got = target_facts_explain(f, &why);
    const char *text = buffer_text(&why);
    if (got != rule || !strstr(text, says) || !strstr(text, advises))
        fail_msg("rule %d, expected %d ('%s', '%s'): %s", got, rule, says, advises, text);
    assert_null(strchr(text, '\n'));
    if (rule == TARGET_RULE_NONE)
        assert_string_equal(text, "");
    else
        assert_true(strlen(text) < sizeof(((struct error *)0)->text));
    buffer_release(&why);
}

static void finds_nothing_where_reading_works(void **state)
{
    (void)state;
    struct target_facts f = allowed();
    decide(&f, TARGET_RULE_NONE, "", "");
    /* What would forbid it to others does not matter once it has been seen to work. */
    f.its_uid[0] = 0;
    f.yama_scope = 3;
    f.dumpable = 0;
    f.seccomp_mode = 2;
    decide(&f, TARGET_RULE_NONE, "", "");
}

static void tells_the_kinds_of_absence_apart(void **state)
{
    (void)state;
    struct target_facts f = {.pid = 123, .read_errno = ESRCH, .maps_errno = ESRCH, .dumpable = -1};
    decide(&f, TARGET_RULE_NO_PROCESS, "there is no process 123", "");
    f.number_here = 4312;
    decide(&f, TARGET_RULE_PID_NAMESPACE, "number 4312 here", "use that");
    f = refused();
    f.zombie = true;
    decide(&f, TARGET_RULE_ZOMBIE, "zombie", "nothing left to read");
    f = refused();
    f.kernel_thread = true;
    decide(&f, TARGET_RULE_KERNEL_THREAD, "kernel", "runs Python");
    f = refused();
    f.proc_is_foreign = true;
    decide(&f, TARGET_RULE_PID_NAMESPACE, "another pid namespace", "mount -t proc");
}

static void asks_in_the_kernels_order(void **state)
{
    (void)state;
    /* Each line adds an obstacle that the kernel asks about earlier, so that it has to be the one that is
     * named. */
    struct target_facts f = refused();
    f.seccomp_mode = 2;
    decide(&f, TARGET_RULE_SECCOMP, "seccomp", "sandbox");
    f.yama_scope = 1;
    decide(&f, TARGET_RULE_YAMA, "ptrace_scope is 1", "pitviper run");
    f.its_caps_exceed_ours = true;
    decide(&f, TARGET_RULE_CAPABILITY, "capabilities", "sudo");
    f.dumpable = 0;
    decide(&f, TARGET_RULE_DUMPABLE, "not dumpable", "sudo");
    f.its_gid[2] = 50;
    decide(&f, TARGET_RULE_UID, "gid 1000/1000/50", "sudo");
    f.its_uid[1] = 0;
    decide(&f, TARGET_RULE_UID, "uid 1000/0/1000", "sudo");
    f.self_read_errno = EPERM;
    decide(&f, TARGET_RULE_SECCOMP, "seccomp", "sandbox");
}

static void names_each_scope_of_yama(void **state)
{
    (void)state;
    struct target_facts f = refused();
    f.yama_scope = 1;
    decide(&f, TARGET_RULE_YAMA, "process 123 is not a descendant", "sudo sysctl kernel.yama.ptrace_scope=0");
    f.our_uid = 0; /* of a container */
    f.our_gid = 1000;
    memset(f.its_uid, 0, sizeof(f.its_uid));
    f.in_container = f.cap_is_out_of_reach = true;
    decide(&f, TARGET_RULE_YAMA, "ptrace_scope is 1", "start the container with --cap-add=SYS_PTRACE");
    f = refused();
    f.yama_scope = 1;
    f.is_our_descendant = true;
    decide(&f, TARGET_RULE_UNKNOWN, "Yama allow it", "kernel's log");
    f.yama_scope = 2;
    decide(&f, TARGET_RULE_YAMA, "ptrace_scope is 2", "sudo");
    f.have_cap_sys_ptrace = true;
    decide(&f, TARGET_RULE_UNKNOWN, "security module", "");
    f.yama_scope = 3; /* not even root */
    decide(&f, TARGET_RULE_YAMA, "ptrace_scope is 3", "restart the machine");
}

static void advises_by_the_place_it_runs_in(void **state)
{
    (void)state;
    struct target_facts f = refused();
    f.its_uid[0] = f.its_uid[1] = f.its_uid[2] = 33;
    decide(&f, TARGET_RULE_UID, "33/33/33", "run pitviper with sudo");
    f.our_uid = 0; /* root without the capability, as a container makes it */
    f.in_container = true;
    decide(&f, TARGET_RULE_UID, "33/33/33", "give this process CAP_SYS_PTRACE"); /* it was only dropped */
    f.cap_is_out_of_reach = true;
    decide(&f, TARGET_RULE_UID, "33/33/33", "start the container with --cap-add=SYS_PTRACE");
    f.our_uid = 1000;
    decide(&f, TARGET_RULE_UID, "33/33/33", "as root in a container started with --cap-add=SYS_PTRACE");
    f.in_container = false;
    decide(&f, TARGET_RULE_UID, "33/33/33", "took CAP_SYS_PTRACE away");
}

static void the_capability_lifts_what_it_lifts(void **state)
{
    (void)state;
    struct target_facts f = refused();
    f.have_cap_sys_ptrace = true;
    f.its_uid[0] = 33;
    f.its_gid[0] = 33;
    f.dumpable = 0;
    f.its_caps_exceed_ours = true;
    f.yama_scope = 2;
    f.same_user_namespace = false;
    decide(&f, TARGET_RULE_UNKNOWN, "security module", "kernel's log");
    f.seccomp_mode = 2;
    f.in_container = true;
    decide(&f, TARGET_RULE_SECCOMP, "seccomp", "--security-opt seccomp=unconfined");
}

static void knows_user_namespaces(void **state)
{
    (void)state;
    struct target_facts f = refused();
    f.same_user_namespace = false;
    decide(&f, TARGET_RULE_USER_NAMESPACE, "another user namespace", "inside that namespace");
    f.its_uid[0] = f.its_uid[1] = f.its_uid[2] = 0;
    decide(&f, TARGET_RULE_USER_NAMESPACE, "another user namespace", "as root outside");
}

static void tells_hidden_from_absent(void **state)
{
    (void)state;
    struct target_facts f = refused();
    f.proc_hidden = true;
    f.maps_errno = ENOENT;
    f.dumpable = -1;
    f.its_uid[0] = f.its_uid[1] = f.its_uid[2] = 0; /* unknown, in truth */
    decide(&f, TARGET_RULE_HIDEPID, "hidepid", "remount,hidepid=0");
    f = refused(); /* in force, but not what is in the way */
    f.proc_hidden = true;
    f.yama_scope = 2;
    decide(&f, TARGET_RULE_YAMA, "ptrace_scope is 2", "");
}

static void knows_a_kernel_that_cannot(void **state)
{
    (void)state;
    struct target_facts f = refused();
    f.read_errno = f.self_read_errno = ENOSYS;
    decide(&f, TARGET_RULE_UNKNOWN, "CONFIG_CROSS_MEMORY_ATTACH", "");
    f.seccomp_mode = 2; /* filters like to answer ENOSYS too */
    f.in_container = true;
    decide(&f, TARGET_RULE_SECCOMP, "seccomp", "--cap-add=SYS_PTRACE");
}

static void admits_what_it_cannot_see(void **state)
{
    (void)state;
    struct target_facts f = refused();
    f.our_uid = f.our_gid = 0;
    memset(f.its_uid, 0, sizeof(f.its_uid));
    memset(f.its_gid, 0, sizeof(f.its_gid));
    f.dumpable = -1; /* of a process of root nothing is shown */
    decide(&f, TARGET_RULE_UNKNOWN, "may have marked itself as not dumpable", "CAP_SYS_PTRACE");
}

/* Any record at all gives one rule and one line. */
static void answers_for_any_record_of_facts(void **state)
{
    (void)state;
    static const int errnos[] = {0, EPERM, EACCES, ENOENT, ENOSYS, ESRCH, EMFILE};
    uint64_t random = 99;
    bool seen[TARGET_RULE_UNKNOWN + 1] = {false};
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = random_next(&random), more = random_next(&random);
        struct target_facts f = allowed();
        bool *flags[] = {&f.exists, &f.zombie, &f.kernel_thread, &f.have_cap_sys_ptrace, &f.its_caps_exceed_ours,
            &f.is_our_descendant, &f.same_user_namespace, &f.in_container, &f.cap_is_out_of_reach, &f.proc_hidden,
            &f.proc_is_foreign};
        for (size_t j = 0; j < ARRAY_SIZE(flags); j++) {
            bool mostly = flags[j] == &f.exists || flags[j] == &f.same_user_namespace;
            *flags[j] = mostly != ((bits >> (2 * j) & 3) == 3);
        }
        f.yama_scope = (int)(more % 5) - 1;
        f.dumpable = (int)(more >> 8 & 3) - 1 > 1 ? 1 : (int)(more >> 8 & 3) - 1;
        f.seccomp_mode = more >> 12 & 1 ? 2 : 0;
        f.our_uid = more >> 16 & 1 ? 0 : 1000;
        f.its_uid[more >> 18 & 1] = more >> 20 & 1 ? f.our_uid : 7;
        f.read_errno = errnos[(more >> 24) % ARRAY_SIZE(errnos)];
        f.maps_errno = errnos[(more >> 32) % ARRAY_SIZE(errnos)];
        f.self_read_errno = more >> 40 & 3 ? 0 : errnos[(more >> 48) % ARRAY_SIZE(errnos)];
        struct buffer why;
        buffer_init(&why, 4096);
        enum target_rule rule = target_facts_explain(&f, &why);
        assert_true(rule <= TARGET_RULE_UNKNOWN);
        assert_int_equal(rule == TARGET_RULE_NONE, why.size == 0);
        assert_null(strchr(buffer_text(&why), '\n'));
        seen[rule] = true;
        buffer_release(&why);
    }
    for (size_t i = 0; i <= TARGET_RULE_UNKNOWN; i++)
        if (!seen[i] && i != TARGET_RULE_NONE)
            fail_msg("rule %zu was never in the way", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_nothing_where_reading_works),
        cmocka_unit_test(tells_the_kinds_of_absence_apart),
        cmocka_unit_test(asks_in_the_kernels_order),
        cmocka_unit_test(names_each_scope_of_yama),
        cmocka_unit_test(advises_by_the_place_it_runs_in),
        cmocka_unit_test(the_capability_lifts_what_it_lifts),
        cmocka_unit_test(knows_user_namespaces),
        cmocka_unit_test(tells_hidden_from_absent),
        cmocka_unit_test(knows_a_kernel_that_cannot),
        cmocka_unit_test(admits_what_it_cannot_see),
        cmocka_unit_test(answers_for_any_record_of_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
