#include "target/inside.h"

#include <errno.h>
#include <string.h>

/*
 * The rules in the order in which the kernel asks them: ptrace(2), "Ptrace access mode checking", for
 * PTRACE_MODE_ATTACH_REALCREDS, which is what process_vm_readv needs. The first that refuses is the one to
 * lift.
 */

static enum target_rule say(struct buffer *why, enum target_rule rule, const char *text)
{
    buffer_append_string(why, text);
    return rule;
}

const char *target_facts_capability_change(const struct target_facts *f)
{
    if (!f->cap_is_out_of_reach)
        return f->our_uid == 0 ? "give this process CAP_SYS_PTRACE" : "run pitviper with sudo";
    if (!f->in_container)
        return "run pitviper as root, and not from a service or sandbox that took CAP_SYS_PTRACE away";
    return f->our_uid == 0 ? "start the container with --cap-add=SYS_PTRACE"
                           : "run pitviper as root in a container started with --cap-add=SYS_PTRACE";
}

static bool all_are(const uid_t ids[3], uid_t id)
{
    return ids[0] == id && ids[1] == id && ids[2] == id;
}

static enum target_rule explain_absence(const struct target_facts *f, struct buffer *why)
{
    if (f->proc_is_foreign)
        return say(why, TARGET_RULE_PID_NAMESPACE,
            "/proc shows another pid namespace than the one that this process is in, so its numbers name "
            "other "
            "processes: mount the right one (mount -t proc proc /proc), or run pitviper outside");
    if (!f->exists && f->number_here > 0) {
        buffer_printf(why,
            "there is no process %d in this pid namespace; one that calls itself %d in its own has the "
            "number %d here: use that",
            (int)f->pid, (int)f->pid, (int)f->number_here);
        return TARGET_RULE_PID_NAMESPACE;
    }
    if (!f->exists) {
        buffer_printf(why, "there is no process %d", (int)f->pid);
        return TARGET_RULE_NO_PROCESS;
    }
    if (f->zombie) {
        buffer_printf(why,
            "process %d has ended and is kept only until its parent asks for its exit status (zombie): "
            "there is nothing left to read",
            (int)f->pid);
        return TARGET_RULE_ZOMBIE;
    }
    if (f->kernel_thread) {
        buffer_printf(why,
            "process %d is a thread of the kernel and has no memory of its own: give a process that "
            "runs Python",
            (int)f->pid);
        return TARGET_RULE_KERNEL_THREAD;
    }
    return TARGET_RULE_NONE;
}

/* Steps 2 and 3 of the manual, and the first half of 4: what CAP_SYS_PTRACE lifts whatever the rest says. */
static enum target_rule explain_credentials(const struct target_facts *f, struct buffer *why)
{
    int pid = (int)f->pid;
    const char *change = target_facts_capability_change(f);
    bool uid = all_are(f->its_uid, f->our_uid), gid = all_are(f->its_gid, f->our_gid);
    if (f->proc_hidden && f->maps_errno == ENOENT) {
        buffer_printf(why,
            "process %d is hidden, because /proc is mounted with hidepid: %s, or mount it without "
            "(sudo mount -o remount,hidepid=0 /proc)",
            pid, change);
        return TARGET_RULE_HIDEPID;
    }
    if (!f->same_user_namespace && (!uid || !gid || f->dumpable != 0)) {
        buffer_printf(why,
            "process %d is in another user namespace, in which this process has no CAP_SYS_PTRACE: run "
            "pitviper inside that namespace, or as root outside of both",
            pid);
        return TARGET_RULE_USER_NAMESPACE;
    }
    if (!uid) {
        buffer_printf(why,
            "process %d runs as uid %u/%u/%u (real, effective, saved) and this process as uid %u without "
            "CAP_SYS_PTRACE: %s, or run it as that user",
            pid, f->its_uid[0], f->its_uid[1], f->its_uid[2], f->our_uid, change);
        return TARGET_RULE_UID;
    }
    if (!gid) {
        buffer_printf(why,
            "process %d runs as gid %u/%u/%u (real, effective, saved) and this process as gid %u without "
            "CAP_SYS_PTRACE: %s, or run it with that group (sg)",
            pid, f->its_gid[0], f->its_gid[1], f->its_gid[2], f->our_gid, change);
        return TARGET_RULE_UID;
    }
    if (f->dumpable == 0) {
        buffer_printf(why,
            "process %d has marked itself as not dumpable (it changed its user or capabilities, or called "
            "prctl(PR_SET_DUMPABLE, 0)), and this process has no CAP_SYS_PTRACE: %s",
            pid, change);
        return TARGET_RULE_DUMPABLE;
    }
    if (f->its_caps_exceed_ours) {
        buffer_printf(why,
            "process %d is permitted capabilities that this process is not, and this process has no "
            "CAP_SYS_PTRACE: %s",
            pid, change);
        return TARGET_RULE_CAPABILITY;
    }
    return TARGET_RULE_NONE;
}

static enum target_rule explain_yama(const struct target_facts *f, struct buffer *why)
{
    int pid = (int)f->pid;
    if (f->yama_scope == 3) {
        buffer_printf(why,
            "process %d may not be read because kernel.yama.ptrace_scope is 3, which forbids it to all, and "
            "cannot be lowered while the machine runs: take it out of /etc/sysctl.d and restart the machine",
            pid);
        return TARGET_RULE_YAMA;
    }
    if (f->have_cap_sys_ptrace)
        return TARGET_RULE_NONE;
    if (f->yama_scope == 2) {
        buffer_printf(why,
            "process %d may not be read because kernel.yama.ptrace_scope is 2, which asks for "
            "CAP_SYS_PTRACE: %s",
            pid, target_facts_capability_change(f));
        return TARGET_RULE_YAMA;
    }
    if (f->yama_scope == 1 && !f->is_our_descendant) {
        buffer_printf(why,
            "process %d is not a descendant of this process and kernel.yama.ptrace_scope is 1: start it "
            "with 'pitviper run', or %s",
            pid,
            f->cap_is_out_of_reach ? target_facts_capability_change(f)
                                   : "run 'sudo sysctl kernel.yama.ptrace_scope=0'");
        return TARGET_RULE_YAMA;
    }
    return TARGET_RULE_NONE;
}

static enum target_rule explain_seccomp(const struct target_facts *f, struct buffer *why)
{
    buffer_printf(why,
        "process_vm_readv, by which process %d would be read, is refused to this process by a seccomp "
        "filter: %s",
        (int)f->pid,
        f->in_container ? "start the container with --cap-add=SYS_PTRACE (or --security-opt seccomp=unconfined)"
                        : "run pitviper outside of the sandbox that set it");
    return TARGET_RULE_SECCOMP;
}

enum target_rule target_facts_explain(const struct target_facts *f, struct buffer *why)
{
    enum target_rule rule = explain_absence(f, why);
    if (rule != TARGET_RULE_NONE)
        return rule;
    if (f->read_errno == 0 && f->maps_errno == 0)
        return TARGET_RULE_NONE;

    /* Reading oneself is always allowed (step 1): what refuses that refuses before any of the rules below is
     * asked. */
    if ((f->self_read_errno != 0 || f->read_errno == ENOSYS) && f->seccomp_mode != 0)
        return explain_seccomp(f, why);
    if (f->self_read_errno == ENOSYS || f->read_errno == ENOSYS)
        return say(why, TARGET_RULE_UNKNOWN,
            "this kernel has no process_vm_readv (CONFIG_CROSS_MEMORY_ATTACH is off): "
            "run one that has");
    if (!f->have_cap_sys_ptrace)
        rule = explain_credentials(f, why);
    if (rule == TARGET_RULE_NONE)
        rule = explain_yama(f, why);
    if (rule != TARGET_RULE_NONE)
        return rule;
    if (f->seccomp_mode != 0)
        return explain_seccomp(f, why);
    int number = f->read_errno ? f->read_errno : f->maps_errno;
    if (f->dumpable < 0 && !f->have_cap_sys_ptrace)
        buffer_printf(why,
            "process %d may not be read (%s) although user, capabilities and Yama allow it: it may have "
            "marked itself as not dumpable, or a security module (AppArmor, SELinux, Landlock) refuses: %s",
            (int)f->pid, strerror(number), target_facts_capability_change(f));
    else
        buffer_printf(why,
            "process %d may not be read (%s) although user, capabilities and Yama allow it: a security "
            "module (AppArmor, SELinux, Landlock) may refuse it, and the kernel's log says so",
            (int)f->pid, strerror(number));
    return TARGET_RULE_UNKNOWN;
}

int target_refuse(pid_t pid, int number, struct error *e)
{
    CLEANUP(buffer_release) struct buffer why;
    struct target_facts f;
    buffer_init(&why, 4096);
    target_facts_collect(pid, &f);
    enum target_rule rule = target_facts_explain(&f, &why);
    if (rule == TARGET_RULE_NO_PROCESS || rule == TARGET_RULE_ZOMBIE)
        number = ESRCH;
    if (rule == TARGET_RULE_NONE)
        return error_set(e, number, "cannot read process %d: %s", (int)pid, strerror(number));
    return error_set(e, number, "%s", buffer_text(&why));
}
