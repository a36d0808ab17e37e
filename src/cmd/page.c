/* `report --html`: the page of a recording, written beside it and shown in a browser. */
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_MAX_LENGTH 4096
#define PAGE_MAX (UINT64_C(2) << 30)

extern char **environ;

static void free_timeline(void *pointer_to_timeline)
{
    report_timeline_free(*(struct report_timeline **)pointer_to_timeline);
}

int cmd_page_make(const char *path, const struct profile_options *options, struct buffer *out, struct error *e)
{
    CLEANUP(free_timeline) struct report_timeline *timeline = NULL;
    struct profile *p = NULL;
    int r = report_timeline_new(&timeline);
    if (r < 0)
        return error_set(e, -r, "cannot make the page: %s", strerror(-r));
    struct profile_options of = *options;
    of.mode = PROFILE_WALL; /* the page has all modes */
    of.span = report_timeline_span;
    of.span_context = timeline;
    r = cmd_profile_load(path, &of, &p, e);
    if (r < 0)
        return r;
    if (!p->summary.complete)
        cmd_fail_text(0, "%s is not whole: %s; all that could be read is in the page", path, p->summary.damage);
    r = report_html(out, p, timeline, options->mode);
    profile_free(p);
    return r < 0 ? error_set(e, -r, "cannot make the page: %s", strerror(-r)) : 0;
}

/* NAME.pit becomes NAME.html. What came through a pipe has no place of its own. */
static int place_beside(char into[PATH_MAX_LENGTH], const char *path)
{
    size_t size = strlen(path);
    if (strcmp(path, "-") == 0 || size + 6 > PATH_MAX_LENGTH)
        return -ENAMETOOLONG;
    if (size > 4 && strcmp(path + size - 4, ".pit") == 0)
        size -= 4;
    snprintf(into, PATH_MAX_LENGTH, "%.*s.html", (int)size, path);
    return 0;
}

static int create(char into[PATH_MAX_LENGTH], const char *path)
{
    int fd = -1;
    if (place_beside(into, path) == 0)
        fd = open(into, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd >= 0)
        return fd;
    const char *folder = getenv("TMPDIR");
    if (folder == NULL || folder[0] == '\0' || strlen(folder) > PATH_MAX_LENGTH - 32)
        folder = "/tmp";
    snprintf(into, PATH_MAX_LENGTH, "%s/pitviper-XXXXXX.html", folder);
    fd = mkostemps(into, 5, O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* By $BROWSER, or where there is a display by xdg-open; else not at all: a browser in the terminal is not asked for. */
static bool show(const char *page)
{
    char *browser = getenv("BROWSER");
    bool display = getenv("DISPLAY") != NULL || getenv("WAYLAND_DISPLAY") != NULL;
    if (browser == NULL || browser[0] == '\0') {
        if (!display)
            return false;
        browser = "xdg-open";
    }
    char *words[] = {browser, (char *)page, NULL};
    pid_t pid;
    return posix_spawnp(&pid, browser, NULL, NULL, words, environ) == 0;
}

int cmd_page_report(const char *path, const struct profile_options *options)
{
    char page[PATH_MAX_LENGTH];
    struct error e;
    CLEANUP(buffer_release) struct buffer out, told;
    buffer_init(&out, PAGE_MAX);
    buffer_init(&told, PATH_MAX_LENGTH + 2);
    if (cmd_page_make(path, options, &out, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    int fd = create(page, path);
    if (fd < 0)
        return cmd_fail_text(CMD_FAILED, "cannot write a page for %s: %s", path, strerror(-fd));
    int r = file_write_all(fd, out.data, out.size);
    if (close(fd) < 0 && errno != EINTR && r == 0)
        r = -errno;
    if (r < 0)
        return cmd_fail_text(CMD_FAILED, "cannot write %s: %s", page, strerror(-r));
    buffer_printf(&told, "%s\n", page);
    int status = cmd_print(STDOUT_FILENO, &told);
    show(page);
    return status;
}
