/* `learn watch`: a quick check at every change of the lab's file. */
#include "cmd/cmd.h"
#include "cmd/learner.h"
#include "cmd/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)1 << 20)
#define SOURCE_MAX ((size_t)4 << 20)
#define LOOK_MS 500   /* between two looks where nothing tells of changes */
#define SETTLE_MS 100 /* an editor writes a file in several steps */

struct options {
    struct learner_check_options check;
    bool look;
};

static volatile sig_atomic_t stopped;

/* ---- the terminal: keys come at once and unseen, and all is as before at the end, also while stopped ---- */

static struct termios before, raw;
static bool changed;

static void on_stop(int number)
{
    (void)number;
    stopped = 1;
}

static void on_suspend(int number)
{
    int kept = errno;
    (void)number;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
    (void)raise(SIGSTOP);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    errno = kept;
}

static void terminal_prepare(void)
{
    struct sigaction stop = {.sa_handler = on_stop}, suspend = {.sa_handler = on_suspend};
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGTERM, &stop, NULL);
    (void)sigaction(SIGHUP, &stop, NULL);
    if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() || tcgetattr(STDIN_FILENO, &before) < 0)
        return;
    raw = before;
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    changed = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    if (changed)
        (void)sigaction(SIGTSTP, &suspend, NULL);
}

static void terminal_restore(void)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    if (!changed)
        return;
    (void)sigaction(SIGTSTP, &usual, NULL);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
    changed = false;
}

/* ---- changes ---- */

struct watched {
    char file[LEARN_PATH_MAX], folder[LEARN_PATH_MAX];
    int inotify; /* -1: it is looked at now and then */
    uint8_t digest[32];
};

/* There changes may come from another machine, of which inotify hears nothing. */
static bool is_remote(const char *folder)
{
    static const uint32_t kinds[] = {
        0x6969,     /* NFS */
        0x517b,     /* SMB */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB2 */
        0x01021997, /* 9p: WSL2's view of Windows' disks */
        0x65735546, /* FUSE: sshfs and others */
    };
    struct statfs is;
    bool remote = statfs(folder, &is) < 0;
    for (size_t i = 0; !remote && i < ARRAY_SIZE(kinds); i++)
        remote = (uint32_t)is.f_type == kinds[i];
    return remote;
}

/* The folder, not the file: editors write a new one and rename it. */
static void watched_open(struct watched *w, bool look)
{
    w->inotify = look || is_remote(w->folder) ? -1 : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->inotify >= 0 &&
        inotify_add_watch(w->inotify, w->folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MODIFY | IN_DELETE) < 0)
        fd_close(&w->inotify);
}

/* Is it another one than at the last call? A file that is not there has a digest too. */
static bool is_new(struct watched *w)
{
    CLEANUP(buffer_release) struct buffer text;
    uint8_t digest[32];
    buffer_init(&text, SOURCE_MAX);
    int r = file_read_all(AT_FDCWD, w->file, &text);
    buffer_append(&text, &r, sizeof(r));
    sha256(text.data, text.size, digest);
    bool other = memcmp(digest, w->digest, sizeof(digest)) != 0;
    memcpy(w->digest, digest, sizeof(digest));
    return other;
}

static void drain(int fd)
{
    char unused[sizeof(struct inotify_event) + NAME_MAX + 1];
    while (fd >= 0 && read(fd, unused, sizeof(unused)) > 0)
        continue;
}

enum wish { WISH_CHECK, WISH_END };

/* Until the file has changed, or a key says so. */
static enum wish wait_for_change(struct watched *w)
{
    const struct timespec settle = {0, SETTLE_MS * 1000000};
    while (!stopped) {
        struct pollfd all[2] = {
            {.fd = w->inotify, .events = POLLIN}, {.fd = changed ? STDIN_FILENO : -1, .events = POLLIN}};
        int r = poll(all, 2, w->inotify < 0 ? LOOK_MS : -1);
        if (r < 0 && errno != EINTR)
            return WISH_END;
        if (all[1].revents != 0) {
            char key = 'q';
            ssize_t got = read(STDIN_FILENO, &key, 1);
            if (got == 0 || (got == 1 && (key == 'q' || key == 'Q' || key == 4)))
                return WISH_END;
            if (got == 1 && (key == 'r' || key == 'R'))
                return WISH_CHECK;
        }
        if (w->inotify >= 0 && all[0].revents == 0)
            continue;
        nanosleep(&settle, NULL);
        drain(w->inotify);
        if (is_new(w))
            return WISH_CHECK;
    }
    return WISH_END;
}

/* ---- checks ---- */

static int say(struct buffer *out)
{
    int status = cmd_print(STDOUT_FILENO, out);
    buffer_clear(out);
    return status;
}

/* What went wrong with one check is told, and the next change is waited for: the file may be half-written. */
static int check_once(struct learner *l, const struct grade_lab *lab, const struct options *o, struct learn_event *sum)
{
    CLEANUP(buffer_release) struct buffer out;
    struct grade_result r;
    struct error e = {""};
    char clock[16];
    time_t now = time(NULL);
    struct tm tm;
    buffer_init(&out, OUTPUT_MAX);
    strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
    buffer_printf(&out, "\n%s ", clock);
    if (learner_check(l, lab, &o->check, &stopped, &r, &e) < 0) {
        if (stopped)
            return 0;
        text_append_safe(&out, e.text, strlen(e.text));
        buffer_append_byte(&out, '\n');
        return say(&out);
    }
    sum->of++;
    sum->right += r.outcome == GRADE_PASSED;
    buffer_append(&out, r.feedback.data, r.feedback.size);
    grade_result_release(&r);
    return say(&out);
}

static int watch(struct learner *l, const struct grade_lab *lab, const struct options *o, struct watched *w)
{
    CLEANUP(buffer_release) struct buffer out;
    struct learn_event sum = {.kind = LEARN_WATCH, .lab = lab->id};
    buffer_init(&out, OUTPUT_MAX);
    watched_open(w, o->look);
    terminal_prepare();
    buffer_append_string(&out, "watching ");
    learner_put_path(&out, w->file);
    buffer_printf(
        &out, " by %s; the checks are quick and provisional\n", w->inotify >= 0 ? "inotify" : "looking twice a second");
    buffer_append_string(&out, changed ? "q ends, r checks again\n" : "Ctrl-C ends\n");
    int status = say(&out);
    (void)is_new(w);
    for (enum wish wish = WISH_CHECK; status == 0 && wish == WISH_CHECK && !stopped;) {
        status = check_once(l, lab, o, &sum);
        if (status == 0)
            wish = wait_for_change(w);
    }
    terminal_restore();
    fd_close(&w->inotify);
    int kept = sum.of > 0 ? learner_add(l, &sum) : 0;
    if (status != 0 || kept != 0)
        return status != 0 ? status : kept;
    buffer_printf(&out, "\n%u quick check%s; one that counts: pitviper learn check %s\n", sum.of,
        sum.of == 1 ? "" : "s", lab->id);
    return say(&out);
}

static int watch_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    struct options o = {.check = {.level = SANDBOX_LEVEL_BEST, .quick = true}};
    struct watched w = {.inotify = -1};
    struct learner_python python;
    struct error e;
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    const struct grade_lab *lab;
    int status = learner_begin(verb, argc, argv, used, &l, &lab);
    if (status != 0)
        return status;
    if (!learn_state_find(&l.state, lab->id)->begun)
        return cmd_fail_text(CMD_FAILED, "lab %s is not begun: 'pitviper learn next %s'", lab->id, lab->id);
    if (lab->kind == GRADE_PROGRAM)
        return cmd_fail_text(
            CMD_USAGE, "%s is many files; a quick check of it: 'pitviper learn check --quick %s'", lab->id, lab->id);
    if (lab->kind == GRADE_ANSWERS)
        return cmd_fail_text(CMD_USAGE, "lab %s is answered, not changed: 'pitviper learn check %s'", lab->id, lab->id);
    if (learner_python_find(o.check.python, &l.state, &python, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    status = learner_python_suits(lab, &python);
    if (status != 0)
        return status;
    o.check.python = python.path;
    if (learner_file(&l, lab, learn_lab_file(lab), w.file) < 0 || learn_lab_folder(&l.course, lab, w.folder) < 0)
        return cmd_fail_text(CMD_FAILED, "the name of the course's folder is too long");
    return watch(&l, lab, &o, &w);
}

static const char *const levels[] = LEARNER_LEVELS;
static const struct cmd_option watch_options[] = {
    {"look", 0, CMD_FLAG, offsetof(struct options, look), NULL,
        "look at the file twice a second, where nothing tells of changes (network folders do so by themselves)", NULL},
    {"sandbox-level", 0, CMD_CHOICE, offsetof(struct options, check.level), NULL,
        "no more protection than this (default: what the machine has)", levels},
    {"python", 0, CMD_TEXT, offsetof(struct options, check.python), "EXE",
        "the Python (default: that of 'learn start')", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb learn_watch_verb = {
    .name = "learn watch",
    .synopsis = "[options] [LAB]",
    .summary = "a quick check at every change of the lab's file; provisional",
    .options = watch_options,
    .details = "q or Ctrl-C ends. It redraws nothing: each check is some lines more.",
    .run = watch_run,
};
