/* What the report rests on: the recordings that it cites, by what they hold, and what another kind of tool printed. */
#include "profile/profile.h"
#include "project/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICKS_LEAST 50u /* of a recording, as of an answer's */
#define RECORDING_MAX ((off_t)256 << 20)
#define TOOL_MAX ((size_t)4 << 20)

/* Read-only, a plain file below the project's folder. */
static int open_below(const struct project *p, const char *name)
{
    char path[PATH_MOST];
    struct stat is;
    int size = snprintf(path, sizeof(path), "%s/%s", p->o->folder, name);
    if (size < 0 || size >= (int)sizeof(path) || name[0] == '/' || strstr(name, "..") != NULL)
        return -ENOENT;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && (fstat(fd, &is) < 0 || !S_ISREG(is.st_mode) || is.st_size > RECORDING_MAX))
        fd_close(&fd);
    return fd;
}

/* Which side it is of: the one whose own files it holds. What both sides have alike tells nothing. */
static const char *judge(struct project *p, const struct profile *profile)
{
    bool of[SIDES] = {false, false};
    for (size_t i = 0; i < profile->source_count; i++) {
        const uint8_t *hash = profile->sources[i].sha256;
        bool before = files_has_hash(&p->sides[BEFORE], hash), after = files_has_hash(&p->sides[AFTER], hash);
        of[BEFORE] = of[BEFORE] || (before && !after);
        of[AFTER] = of[AFTER] || (after && !before);
    }
    if (profile->origin != PROFILE_RECORDING)
        return "no recording of pitviper";
    if (profile->ticks < TICKS_LEAST)
        return "too few samples";
    if (of[BEFORE] == of[AFTER])
        return "neither of before/ nor of after/ as they lie here";
    p->of_before += of[BEFORE];
    p->of_after += of[AFTER];
    return of[BEFORE] ? "of before" : "of after";
}

static void look_at(struct project *p, const char *name)
{
    const struct profile_options options = {.mode = PROFILE_WALL};
    CLEANUP(fd_close) int fd = open_below(p, name);
    struct profile *profile;
    struct error e;
    unsigned before = p->of_before + p->of_after;
    const char *is = "not there";
    if (fd >= 0 && profile_read(fd, name, &options, &profile, &e) == 0) {
        is = judge(p, profile);
        profile_free(profile);
    } else if (fd >= 0) {
        is = "no recording";
    }
    p->of_neither += p->of_before + p->of_after == before;
    size_t used = strlen(p->recordings);
    snprintf(p->recordings + used, sizeof(p->recordings) - used, "%s%.100s: %s", used > 0 ? "; " : "", name, is);
}

/* What it is, by what such tools print; NULL: not known. */
static const char *tool_of(const char *text, size_t size)
{
    static const struct {
        const char *mark, *second, *name;
    } known[] = {
        {"function calls", "tottime", "cProfile"},
        {"ncalls", "cumtime", "cProfile"},
        {"size=", "count=", "tracemalloc"},
        {"loops, best of", "", "timeit"},
        {"Line #", "% Time", "line_profiler"},
        {"Mem usage", "Increment", "memory_profiler"},
        {"seconds time elapsed", "", "perf stat"},
        {"% time", "usecs/call", "strace"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (memmem(text, size, known[i].mark, strlen(known[i].mark)) != NULL &&
            memmem(text, size, known[i].second, strlen(known[i].second)) != NULL)
            return known[i].name;
    return NULL;
}

static void look_at_tool(struct project *p, const char *name)
{
    const struct profile_options options = {.mode = PROFILE_WALL};
    CLEANUP(buffer_release) struct buffer text;
    CLEANUP(fd_close) int fd = open_below(p, name);
    char itself[32];
    buffer_init(&text, TOOL_MAX);
    snprintf(itself, sizeof(itself), "/proc/self/fd/%d", fd);
    if (fd < 0 || file_read_all(AT_FDCWD, itself, &text) < 0 || text.size == 0)
        return;
    const char *is = tool_of((const char *)text.data, text.size);
    struct profile *profile;
    struct error e;
    if (is == NULL && profile_read_memory(text.data, text.size, name, &options, &profile, &e) == 0) {
        is = profile->origin == PROFILE_CALLS ? "cProfile" : NULL;
        profile_free(profile);
    }
    if (is != NULL)
        snprintf(p->second_tool, sizeof(p->second_tool), "%.100s: %s", name, is);
    else if (p->second_tool[0] == '\0')
        snprintf(p->second_tool, sizeof(p->second_tool), "%.100s: of a tool that is not known here", name);
}

int evidence_check(struct project *p)
{
    project_progress(p, "recordings");
    for (size_t i = 0; i < p->report.recording_count; i++) {
        if (project_stopped(p))
            return error_set(p->e, ECANCELED, "interrupted");
        look_at(p, p->report.recordings[i]);
    }
    for (size_t i = 0; i < p->manifest.second_tool.count; i++)
        look_at_tool(p, p->manifest.second_tool.items[i]);
    if (p->second_tool[0] == '\0' && p->report.second_tool)
        snprintf(p->second_tool, sizeof(p->second_tool), "shown in report.md");
    return 0;
}
