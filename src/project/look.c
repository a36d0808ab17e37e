/* Where a project stands, from what lies in its folder. Nothing is run. */
#include "project/inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool is_file(const char *folder, const char *name)
{
    char path[PATH_MOST];
    struct stat is;
    int size = snprintf(path, sizeof(path), "%s/%s", folder, name);
    return size > 0 && size < (int)sizeof(path) && lstat(path, &is) == 0 && S_ISREG(is.st_mode) && is.st_size > 0;
}

/* Two folders with the same Python files are one program. */
static bool differ(const char *folder)
{
    char path[PATH_MOST];
    struct files sides[SIDES] = {{.count = 0}, {.count = 0}};
    struct error e;
    bool other = false;
    for (int side = 0; side < SIDES; side++) {
        snprintf(path, sizeof(path), "%.900s/%s", folder, side == BEFORE ? "before" : "after");
        if (files_read(path, 5, PROJECT_FILE_MAX, true, &sides[side], &e) < 0)
            continue;
    }
    for (size_t i = 0; !other && i < sides[AFTER].count; i++) {
        size_t size = strlen(sides[AFTER].items[i].name);
        bool python = size > 3 && strcmp(sides[AFTER].items[i].name + size - 3, ".py") == 0;
        other = python && !files_has_hash(&sides[BEFORE], sides[AFTER].items[i].sha256);
    }
    files_release(&sides[BEFORE]);
    files_release(&sides[AFTER]);
    return other;
}

static void take_manifest(const char *folder, const struct buffer *text, struct project_look *ret)
{
    struct project_manifest m;
    struct arena arena;
    struct error e = {""};
    arena_init(&arena, (size_t)1 << 20);
    if (project_manifest_parse((const char *)text->data, text->size, &arena, &m, &e) < 0) {
        snprintf(ret->wrong, sizeof(ret->wrong), "%.390s", e.text);
    } else {
        snprintf(ret->program, sizeof(ret->program), "%s", m.program);
        ret->check = m.check.count > 0 && is_file(folder, m.check.items[0]);
        for (size_t i = 0; i < m.gate.count; i++)
            ret->gate = ret->gate || is_file(folder, m.gate.items[i]);
        for (size_t i = 0; i < m.second_tool.count; i++)
            ret->second_tool = ret->second_tool || is_file(folder, m.second_tool.items[i]);
    }
    arena_release(&arena);
}

int project_look(const char *folder, struct project_look *ret, struct error *e)
{
    CLEANUP(buffer_release) struct buffer manifest;
    CLEANUP(buffer_release) struct buffer report;
    struct project_look look = {.there = false};
    buffer_init(&manifest, PROJECT_MANIFEST_MAX);
    buffer_init(&report, PROJECT_REPORT_MAX);
    int r = project_file_read(folder, "project.json", &manifest);
    if (r < 0 && r != -ENOENT && r != -EFBIG)
        return error_set(e, -r, "cannot read %s/project.json: %s", folder, strerror(-r));
    look.there = r != -ENOENT;
    if (r == 0)
        take_manifest(folder, &manifest, &look);
    else if (look.there)
        snprintf(look.wrong, sizeof(look.wrong), "project.json: larger than %u KB", PROJECT_MANIFEST_MAX >> 10);
    if (project_file_read(folder, "report.md", &report) == 0)
        project_report_read((const char *)report.data, report.size, &look.report);
    look.second_tool = look.second_tool || look.report.second_tool;
    for (size_t i = 0; i < look.report.recording_count; i++)
        look.recordings += is_file(folder, look.report.recordings[i]);
    look.changed = look.there && differ(folder);
    *ret = look;
    return 0;
}
