/* `doctor`: what stands in the way, of all profiling here or of one process. */
#include "cmd/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    READY_NS = 1000000000,
};

struct doctor_options {
    bool json;
};

static const struct cmd_option doctor_option_table[] = {
    {"json", 0, CMD_FLAG, offsetof(struct doctor_options, json), NULL, "print the same facts as JSON", NULL},
    CMD_OPTION_END,
};

static const char *const rule_names[] = {
    [TARGET_RULE_NONE] = "none",
    [TARGET_RULE_NO_PROCESS] = "no process",
    [TARGET_RULE_ZOMBIE] = "zombie",
    [TARGET_RULE_KERNEL_THREAD] = "kernel thread",
    [TARGET_RULE_UID] = "uid",
    [TARGET_RULE_YAMA] = "yama",
    [TARGET_RULE_CAPABILITY] = "capability",
    [TARGET_RULE_SECCOMP] = "seccomp",
    [TARGET_RULE_DUMPABLE] = "dumpable",
    [TARGET_RULE_USER_NAMESPACE] = "user namespace",
    [TARGET_RULE_PID_NAMESPACE] = "pid namespace",
    [TARGET_RULE_HIDEPID] = "hidepid",
    [TARGET_RULE_UNKNOWN] = "unknown",
};

static void say(struct buffer *out, const char *label, const char *format, ...) PRINTF_LIKE(3, 4);
static void say(struct buffer *out, const char *label, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    buffer_printf(out, "%-12s ", label);
    text_append_safe(out, text, strlen(text));
    buffer_append_byte(out, '\n');
}

/* ---- the machine ---- */
struct attach_answer {
    const char *may, *change; /* what may be attached to, and what would widen it ("" if nothing needs to) */
};

/* The rules of target_facts_explain, about processes in general. */
static struct attach_answer what_may_be_attached(const struct doctor_machine *m)
{
    const struct target_facts *f = &m->facts;

    if (m->read_errno != 0)
        return (struct attach_answer){
            "nothing", f->seccomp_mode == 0 ? "run a kernel that has process_vm_readv"
                       : f->in_container    ? "start the container with --cap-add=SYS_PTRACE"
                                            : "run pitviper outside of the sandbox that filters its system calls"};
    if (f->yama_scope == 3)
        return (struct attach_answer){
            "nothing (kernel.yama.ptrace_scope is 3)", "take it out of /etc/sysctl.d and restart the machine"};
    if (f->have_cap_sys_ptrace)
        return (struct attach_answer){"any process (CAP_SYS_PTRACE)", ""};
    if (f->yama_scope == 2)
        return (struct attach_answer){"nothing (kernel.yama.ptrace_scope is 2)", target_facts_capability_change(f)};
    if (f->yama_scope == 1)
        return (struct attach_answer){
            "only what 'pitviper run' starts (kernel.yama.ptrace_scope is 1)", target_facts_capability_change(f)};
    return (struct attach_answer){"processes of this user; for others", target_facts_capability_change(f)};
}

static const char *real_time_change(const struct doctor_machine *m)
{
    if (m->real_time_errno == 0)
        return "";
    return m->facts.in_container && m->facts.our_uid == 0
               ? "start the container with --cap-add=SYS_NICE, for fewer late and missed samples"
               : "run pitviper with sudo, for fewer late and missed samples";
}

static void print_pythons(const struct doctor_machine *m, struct buffer *out)
{
    if (m->python_count == 0)
        say(out, "pythons", "none on the path: put one there, or name one by --python");
    const char *label = "pythons";
    for (size_t i = 0; i < m->python_count; i++) {
        const struct doctor_python *p = &m->pythons[i];
        if (p->ended)
            continue;
        if (p->result == 0)
            say(out, label, "%s: %s, can be read%s%s%s", p->path, p->version, *p->weaker ? " (" : "", p->weaker,
                *p->weaker ? ")" : "");
        else
            say(out, label, "%s: cannot be read: %s", p->path, p->why);
        label = "";
    }
    /* A version manager has a shim for every version it knows, set up or not. */
    for (size_t i = 0; i < m->python_count; i++) {
        if (!m->pythons[i].ended)
            continue;
        say(out, label, "%s: does not start (a shim of a version that is not set up?)", m->pythons[i].path);
        label = "";
    }
}

static void print_machine(const struct doctor_machine *m, struct buffer *out)
{
    const struct target_facts *f = &m->facts;
    struct attach_answer attach = what_may_be_attached(m);

    say(out, "kernel", "%s %s %s%s", m->kernel.sysname, m->kernel.release, m->kernel.machine,
        f->in_container ? ", in a container" : "");
    say(out, "cores", "%d, of which %d may be used here%s", m->cores, m->usable_cores,
        m->usable_cores < 2 ? ": the sampler has to share one with its target" : "");
    if (m->read_errno == 0)
        say(out, "reading", "works: %.2f us for 8 bytes, %.2f us for 16 KB", (double)m->read_small_ns / 1e3,
            (double)m->read_large_ns / 1e3);
    else
        say(out, "reading", "process_vm_readv is refused: %s", strerror(m->read_errno));
    say(out, "attach", "%s%s%s", attach.may, *attach.change ? ": " : "", attach.change);
    if (f->yama_scope < 0)
        say(out, "yama", "not in this kernel");
    else
        say(out, "yama", "kernel.yama.ptrace_scope is %d", f->yama_scope);
    say(out, "capabilities", "CAP_SYS_PTRACE %s, CAP_PERFMON %s", f->have_cap_sys_ptrace ? "yes" : "no",
        f->have_cap_perfmon ? "yes" : "no");
    say(out, "seccomp", "%s", f->seccomp_mode ? "a filter is in force" : "no filter");
    if (f->proc_is_foreign)
        say(out, "proc", "/proc shows another pid namespace: mount the right one (mount -t proc proc /proc)");
    else
        say(out, "proc", "%s", f->proc_hidden ? "hidepid hides the processes of others: use sudo for those" : "open");
    if (m->real_time_errno == 0)
        say(out, "real-time", "allowed (SCHED_FIFO)");
    else
        say(out, "real-time", "not allowed (%s): %s", strerror(m->real_time_errno), real_time_change(m));
    if (m->open_files == UINT64_MAX)
        say(out, "open files", "no limit");
    else
        say(out, "open files", "at most %llu", (unsigned long long)m->open_files);
    print_pythons(m, out);
}

static void json_machine(const struct doctor_machine *m, struct buffer *out)
{
    struct json j = {.out = out};
    const struct target_facts *f = &m->facts;
    struct attach_answer attach = what_may_be_attached(m);

    json_object_begin(&j, NULL);
    json_text(&j, "kernel", m->kernel.release);
    json_text(&j, "machine", m->kernel.machine);
    json_boolean(&j, "container", f->in_container);
    json_integer(&j, "cores", m->cores);
    json_integer(&j, "usable_cores", m->usable_cores);
    json_boolean(&j, "reading", m->read_errno == 0);
    if (m->read_errno == 0) {
        json_integer(&j, "read_8_bytes_ns", (int64_t)m->read_small_ns);
        json_integer(&j, "read_16_kilobytes_ns", (int64_t)m->read_large_ns);
    } else {
        json_text(&j, "reading_error", strerror(m->read_errno));
    }
    json_text(&j, "attach", attach.may);
    json_text(&j, "attach_change", attach.change);
    if (f->yama_scope < 0)
        json_null(&j, "yama_scope");
    else
        json_integer(&j, "yama_scope", f->yama_scope);
    json_boolean(&j, "cap_sys_ptrace", f->have_cap_sys_ptrace);
    json_boolean(&j, "cap_perfmon", f->have_cap_perfmon);
    json_integer(&j, "seccomp_mode", f->seccomp_mode);
    json_boolean(&j, "proc_hidden", f->proc_hidden);
    json_boolean(&j, "proc_is_foreign", f->proc_is_foreign);
    json_boolean(&j, "real_time", m->real_time_errno == 0);
    json_text(&j, "real_time_change", real_time_change(m));
    if (m->open_files == UINT64_MAX)
        json_null(&j, "open_files");
    else
        json_integer(&j, "open_files", (int64_t)m->open_files);
    json_array_begin(&j, "pythons");
    for (size_t i = 0; i < m->python_count; i++) {
        const struct doctor_python *p = &m->pythons[i];
        json_object_begin(&j, NULL);
        json_text(&j, "path", p->path);
        json_text(&j, "executable", p->executable);
        json_boolean(&j, "readable", p->result == 0);
        json_text(&j, "version", p->version);
        json_text(&j, "weaker", p->weaker);
        json_text(&j, "why", p->why);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}

static int examine_machine(const struct doctor_options *o, struct buffer *out)
{
    struct doctor_machine *m = malloc(sizeof(*m));

    if (!m)
        return cmd_fail_text(CMD_FAILED, "out of memory");
    doctor_machine_collect(m);
    doctor_machine_try_pythons(m);
    if (o->json)
        json_machine(m, out);
    else
        print_machine(m, out);
    int answer = m->read_errno == 0 ? CMD_OK : CMD_NO;
    free(m);
    int status = cmd_print(STDOUT_FILENO, out);
    return status == CMD_OK ? answer : status;
}

/* ---- one process ---- */
struct examination {
    struct target_facts facts;
    enum target_rule rule;
    char why[640]; /* "", or the one thing that stands in the way */
    char executable[PATH_MAX];
    struct python_info python; /* version_text "" if it was not reached */
    bool readable;
};

static void examine_python(struct target *t, struct examination *x)
{
    const struct timespec nap = {0, 1000000};
    uint64_t until = clock_monotonic_ns() + READY_NS;
    struct python_process *python = NULL;
    struct error e = {""};
    int r;

    while ((r = python_open(t, true, &python, &e)) == -EAGAIN && clock_monotonic_ns() < until)
        nanosleep(&nap, NULL);
    if (r < 0) {
        snprintf(x->why, sizeof(x->why), "%s", e.text);
        return;
    }
    x->python = *python_info(python);
    x->readable = true;
    python_close(python);
}

static void examine(pid_t pid, struct examination *x)
{
    CLEANUP(buffer_release) struct buffer why;
    struct target *t = NULL;
    struct error e = {""};

    buffer_init(&why, 4096);
    target_facts_collect(pid, &x->facts);
    x->rule = target_facts_explain(&x->facts, &why);
    snprintf(x->why, sizeof(x->why), "%s", buffer_text(&why));
    if (x->rule != TARGET_RULE_NONE)
        return;
    if (target_open(pid, &t, &e) < 0) {
        snprintf(x->why, sizeof(x->why), "%s", e.text);
        return;
    }
    if (target_executable(t, x->executable, sizeof(x->executable)) < 0)
        x->executable[0] = '\0';
    examine_python(t, x);
    target_close(t);
}

static void print_examination(pid_t pid, const struct examination *x, struct buffer *out)
{
    if (!x->readable) {
        buffer_append_string(out, "cannot be profiled");
        if (x->rule != TARGET_RULE_NONE)
            buffer_printf(out, " (%s)", rule_names[x->rule]);
        buffer_append_string(out, ": ");
        text_append_safe(out, x->why, strlen(x->why));
        buffer_append_byte(out, '\n');
        return;
    }
    buffer_printf(out, "nothing stands in the way of process %d: Python %s (", (int)pid, x->python.version_text);
    text_append_safe(out, x->executable, strlen(x->executable));
    buffer_printf(out, "), found by its %s\n", x->python.found_by);
    if (x->python.weaker[0])
        buffer_printf(out, "its callers get a weaker check: %s\n", x->python.weaker);
    if (!x->facts.same_mount_namespace || !x->facts.same_pid_namespace)
        buffer_printf(out, "it is in another %s%s%s namespace; its files are opened there\n",
            x->facts.same_pid_namespace ? "" : "pid",
            !x->facts.same_pid_namespace && !x->facts.same_mount_namespace ? " and " : "",
            x->facts.same_mount_namespace ? "" : "mount");
}

static void json_examination(pid_t pid, const struct examination *x, struct buffer *out)
{
    struct json j = {.out = out};
    const struct target_facts *f = &x->facts;

    json_object_begin(&j, NULL);
    json_integer(&j, "pid", pid);
    json_boolean(&j, "readable", x->readable);
    json_text(&j, "rule", rule_names[x->rule]);
    json_text(&j, "why", x->why);
    if (x->readable) {
        json_text(&j, "python", x->python.version_text);
        json_text(&j, "found_by", x->python.found_by);
        json_boolean(&j, "versions_checked", x->python.versions_checked);
        json_text(&j, "weaker", x->python.weaker);
    } else {
        json_null(&j, "python");
    }
    json_text(&j, "executable", x->executable);
    json_boolean(&j, "same_user_namespace", f->same_user_namespace);
    json_boolean(&j, "same_pid_namespace", f->same_pid_namespace);
    json_boolean(&j, "same_mount_namespace", f->same_mount_namespace);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}

static int examine_process(const struct doctor_options *o, const char *text, struct buffer *out)
{
    struct examination x = {0};
    uint64_t pid;

    if (parse_count(text, &pid) < 0 || pid == 0 || pid > INT32_MAX)
        return cmd_fail_text(CMD_USAGE, "'%s' is no process id; see 'pitviper help doctor'", text);
    examine((pid_t)pid, &x);
    if (o->json)
        json_examination((pid_t)pid, &x, out);
    else
        print_examination((pid_t)pid, &x, out);
    int status = cmd_print(STDOUT_FILENO, out);
    return status != CMD_OK ? status : x.readable ? CMD_OK : CMD_NO;
}

static int doctor_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out = {0};
    struct doctor_options o = {0};

    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (argc - used > 1)
        return cmd_fail_text(CMD_USAGE, "at most one process id is taken; see 'pitviper help doctor'");
    buffer_init(&out, 1 << 20);
    return argc == used ? examine_machine(&o, &out) : examine_process(&o, argv[used], &out);
}

const struct cmd_verb cmd_doctor_verb = {
    .name = "doctor",
    .synopsis = "[options] [PID]",
    .summary = "tell what stands in the way of profiling, here or of one process",
    .options = doctor_option_table,
    .details = "Without PID: what this machine allows, and whether each python on the path can be read (each "
               "is started for\n"
               "a moment). With PID: the rule that keeps that process from being profiled and the least "
               "change that lifts\n"
               "it, or that nothing does. Exit status: 0 nothing stands in the way, 1 something does.",
    .run = doctor_run,
};
