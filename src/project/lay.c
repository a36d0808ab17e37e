/* The project's folder and the works to review, laid down beside the labs. Nothing that lies there is overwritten. */
#include "project/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)64 << 10)

/* What is asked under each heading of the report, as a comment that is to be written over. */
static const char *const asked[PROJECT_HEADINGS] = {
    "Who waits, how long, and what would be enough? A number to reach.",
    "What was run, on what input and which machine, how often; what it took.",
    "Two tools of different kinds. Cite the recordings by name (before.pit), show what the other tool printed.",
    "One change after the other, in the order in which you found them.",
    "Digests on several seeds and sizes; odd cases by name; the broken copy that your check refuses.",
    "What `pitviper prove` printed, with its interval; memory; a second size; A against A; the gate's two outcomes.",
    "What you saw and did not change, and why.",
    "What a reader has to know now that they did not before.",
    "What you expected and found otherwise; how often your gate would be wrong.",
};

static int write_below(const struct learn_course *c, struct learn_laid *laid, const char *name, const void *data,
    size_t size, struct error *e)
{
    char path[LEARN_PATH_MAX], folder[LEARN_PATH_MAX];
    struct stat is;
    int length = snprintf(path, sizeof(path), "%s/%s", laid->folder, name);
    if (length < 0 || length >= (int)sizeof(path))
        return error_set(e, ENAMETOOLONG, "the name of the course's folder is too long");
    if (lstat(path, &is) == 0) {
        laid->kept++;
        return 0;
    }
    memcpy(folder, path, sizeof(folder));
    for (char *slash = folder + strlen(c->root) + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = '\0';
        if (mkdir(folder, 0777) < 0 && errno != EEXIST)
            return error_set(e, errno, "cannot make the folder %s: %s", folder, strerror(errno));
    }
    int r = learn_file_write(path, data, size, false, e);
    laid->written += r == 0;
    return r;
}

/* The project's page, which says what is to be handed in and how it is judged; or its rubric alone. */
static int write_page(
    const struct learn_course *c, const char *name, bool rubric, struct learn_laid *laid, struct error *e)
{
    const struct grade_file *page = grade_file_find("project/README.md");
    const char *from = page == NULL ? NULL : rubric ? strstr(page->data, "## Rubric") : page->data;
    if (from == NULL)
        return error_set(e, EBADMSG, "the course has no rubric of the project");
    const char *to = rubric ? strstr(from + 1, "\n## ") : NULL;
    return write_below(c, laid, name, from, to != NULL ? (size_t)(to - from) + 1 : strlen(from), e);
}

/* The report to be filled in, and what that is about. */
static int write_texts(const struct learn_course *c, const char *name, struct learn_laid *laid, struct error *e)
{
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, TEXT_MAX);
    buffer_printf(&text, "# %s\n", name);
    for (size_t i = 0; i < PROJECT_HEADINGS; i++)
        buffer_printf(&text, "\n## %s\n<!-- %s -->\n", project_headings[i], asked[i]);
    if (text.failed)
        return error_set(e, ENOMEM, "out of memory");
    int r = write_below(c, laid, "report.md", text.data, text.size, e);
    return r < 0 ? r : write_page(c, "README.md", false, laid, e);
}

static void put_words(struct json *j, const char *name, const char *const *words)
{
    json_array_begin(j, name);
    for (size_t i = 0; words[i] != NULL; i++)
        json_text(j, NULL, words[i]);
    json_array_end(j);
}

/* One member a line: it is to be read and changed by hand. */
static void put_lines(struct buffer *out, struct buffer *json)
{
    int depth = 0;
    bool text = false;
    for (const char *at = buffer_text(json); *at != '\0'; at++) {
        text = *at == '"' ? !text : text;
        depth += text ? 0 : (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        buffer_append_string(out, *at == '}' && !text && depth == 0 ? "\n" : "");
        buffer_append_byte(out, (uint8_t)*at);
        if (text && *at == '\\' && at[1] != '\0')
            buffer_append_byte(out, (uint8_t) * ++at);
        else if (!text && depth == 1 && (*at == '{' || *at == ','))
            buffer_append_string(out, "\n  ");
        else if (!text && (*at == ',' || *at == ':'))
            buffer_append_byte(out, ' ');
    }
    buffer_append_byte(out, '\n');
}

static int write_manifest(const struct learn_course *c, const char *name, const char *program, const char *python,
    bool supplied, struct learn_laid *laid, struct error *e)
{
    CLEANUP(buffer_release) struct buffer text;
    CLEANUP(buffer_release) struct buffer lines;
    buffer_init(&text, TEXT_MAX);
    buffer_init(&lines, TEXT_MAX);
    const char *input = strcmp(name, "weblog") == 0 ? "day.log" : "in.json";
    struct json j = {.out = &text};
    json_object_begin(&j, NULL);
    json_text(&j, "program", name);
    put_words(&j, "command",
        supplied ? (const char *const[]){program, "run", input, NULL} : (const char *const[]){program, NULL});
    put_words(&j, "make",
        supplied ? (const char *const[]){program, "make", input, "--seed", "1", "--size", "1", NULL}
                 : (const char *const[]){NULL});
    if (!supplied) {
        put_words(&j, "inputs", (const char *const[]){NULL});
        put_words(&j, "behaviour", (const char *const[]){"stdout", NULL});
    }
    json_text(&j, "python", python);
    put_words(&j, "dependencies", (const char *const[]){NULL});
    json_text(&j, "metric", "wall");
    put_words(&j, "check", (const char *const[]){"check.py", NULL});
    put_words(&j, "gate", (const char *const[]){"gate.py", NULL});
    put_words(&j, "second_tool", (const char *const[]){"cprofile.txt", NULL});
    json_object_end(&j);
    put_lines(&lines, &text);
    return text.failed || lines.failed ? error_set(e, ENOMEM, "out of memory")
                                       : write_below(c, laid, "project.json", lines.data, lines.size, e);
}

/* The one that is run, as far as its name and its text tell. */
static const char *main_file(const struct files *f)
{
    static const char *const usual[] = {"main.py", "__main__.py", "app.py"};
    for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
        if (files_find(f, usual[i]) != NULL)
            return usual[i];
    for (size_t i = 0; i < f->count; i++) {
        size_t size = strlen(f->items[i].name);
        if (size > 3 && strcmp(f->items[i].name + size - 3, ".py") == 0 && strstr(f->items[i].data, "__main__") != NULL)
            return f->items[i].name;
    }
    return NULL;
}

static int lay_own(
    const struct learn_course *c, const char *own, const char *python, struct learn_laid *laid, struct error *e)
{
    struct files files;
    char name[600];
    int r = files_read(own, 4, PROJECT_FILE_MAX, false, &files, e);
    if (r < 0)
        return r;
    const char *program = main_file(&files);
    for (size_t i = 0; r == 0 && i < 2 * files.count; i++) {
        const struct file *f = &files.items[i / 2];
        snprintf(name, sizeof(name), "%s/%s", i % 2 == 0 ? "before" : "after", f->name);
        r = write_below(c, laid, name, f->data, f->size, e);
    }
    if (r == 0 && program == NULL)
        r = error_set(e, ENOENT,
            "%s has no Python file that looks like a program: the copies are laid down; name yours "
            "in project.json as docs/project.md says",
            own);
    if (r == 0)
        r = write_texts(c, "A program of my own", laid, e);
    if (r == 0)
        r = write_manifest(c, "own", program, python, false, laid, e);
    files_release(&files);
    return r;
}

int project_lay(const struct learn_course *c, const char *name, const char *own, const char *python,
    struct learn_laid *ret, struct error *e)
{
    struct learn_laid laid = {.written = 0};
    char path[200], file[200], manifest[LEARN_PATH_MAX];
    struct stat is;
    if (learn_path(c, laid.folder, PROJECT_FOLDER) < 0 || learn_path(c, manifest, PROJECT_FOLDER "/project.json") < 0)
        return error_set(e, ENAMETOOLONG, "the name of the course's folder is too long");
    if (lstat(manifest, &is) == 0) {
        *ret = laid;
        return error_set(e, EEXIST, "a project lies in %s: rename that folder to begin another one", laid.folder);
    }
    int r = 0;
    if (own != NULL) {
        r = lay_own(c, own, python, &laid, e);
    } else {
        snprintf(path, sizeof(path), "project/%.40s/%.40s.py", name, name);
        const struct grade_file *program = grade_file_find(path);
        if (program == NULL)
            return error_set(e, ENOENT, "there is no supplied program '%.40s': weblog, finder or clinic", name);
        for (int i = 0; r == 0 && i < SIDES; i++) {
            snprintf(file, sizeof(file), "%s/%.40s.py", i == BEFORE ? "before" : "after", name);
            r = write_below(c, &laid, file, program->data, program->size, e);
        }
        snprintf(file, sizeof(file), "%.40s.py", name);
        if (r == 0)
            r = write_texts(c, name, &laid, e);
        if (r == 0) /* last: with it the project is there */
            r = write_manifest(c, name, file, python, true, &laid, e);
    }
    if (r == 0)
        *ret = laid;
    return r;
}

/* ---- reviews ---- */

/* Which program the work is about: that of its after/. */
static const struct grade_file *original_of(const char *work)
{
    char path[200];
    for (size_t i = 0; learn_projects[i] != NULL; i++) {
        snprintf(path, sizeof(path), "reviews/%.20s/after/%s.py", work, learn_projects[i]);
        if (grade_file_find(path) == NULL)
            continue;
        snprintf(path, sizeof(path), "project/%s/%s.py", learn_projects[i], learn_projects[i]);
        return grade_file_find(path);
    }
    return NULL;
}

static int write_form(const struct learn_course *c, const char *work, struct learn_laid *laid, struct error *e)
{
    CLEANUP(buffer_release) struct buffer text;
    char name[64];
    buffer_init(&text, TEXT_MAX);
    buffer_printf(&text,
        "# Review: %s\n\n<!-- A level from 0 to 3 for each criterion, and one sentence that names a place: a line\n"
        "(after/weblog.py:117), a figure, a command, or words of the report in \"...\". The rubric is rubric.md,\n"
        "beside this file. Write in place of the dots. -->\n\n| criterion | level | because |\n|---|---|---|\n",
        work);
    for (size_t i = 0; i < LEARN_REVIEW_CRITERIA; i++)
        buffer_printf(&text, "| %s | | ... |\n", learn_criteria[i]);
    buffer_append_string(&text, "\n**To the author, first:** ...\n");
    snprintf(name, sizeof(name), "review-%s.md", work);
    return text.failed ? error_set(e, ENOMEM, "out of memory") : write_below(c, laid, name, text.data, text.size, e);
}

static int lay_work(const struct learn_course *c, const char *work, struct learn_laid *laid, struct error *e)
{
    char prefix[64], name[200];
    int size = snprintf(prefix, sizeof(prefix), "reviews/%s/", work), r = 0;
    for (const struct grade_file *f = grade_files; r == 0 && f->path != NULL; f++)
        if (strncmp(f->path, prefix, (size_t)size) == 0)
            r = write_below(c, laid, f->path + strlen("reviews/"), f->data, f->size, e);
    const struct grade_file *original = original_of(work);
    if (r == 0 && original != NULL) {
        snprintf(name, sizeof(name), "%s/before/%s", work, strrchr(original->path, '/') + 1);
        r = write_below(c, laid, name, original->data, original->size, e);
    }
    return r < 0 ? r : write_form(c, work, laid, e);
}

int project_lay_reviews(const struct learn_course *c, struct learn_laid *ret, struct error *e)
{
    struct learn_laid laid = {.written = 0};
    int r = 0;
    if (learn_path(c, laid.folder, REVIEWS_FOLDER) < 0)
        return error_set(e, ENAMETOOLONG, "the name of the course's folder is too long");
    for (size_t i = 0; r == 0 && i < LEARN_WORKS; i++)
        r = lay_work(c, learn_work_names[i], &laid, e);
    if (r == 0)
        r = write_page(c, "rubric.md", true, &laid, e);
    if (r == 0)
        *ret = laid;
    return r;
}

const struct grade_file *project_reference(const char *work)
{
    char path[200];
    snprintf(path, sizeof(path), "reviews/reference/%.40s.md", work);
    return grade_file_find(path);
}

size_t project_work_files(const char *work, struct learn_work_file *files, size_t most)
{
    char prefix[64];
    size_t count = 0;
    int size = snprintf(prefix, sizeof(prefix), "reviews/%.40s/", work);
    for (const struct grade_file *f = grade_files; f->path != NULL && count < most; f++)
        if (strncmp(f->path, prefix, (size_t)size) == 0)
            files[count++] = (struct learn_work_file){f->path + size, f->data, f->size};
    const struct grade_file *original = original_of(work);
    if (original != NULL && count < most)
        files[count++] = (struct learn_work_file){
            strchr(original->path, '/') + 1 /* "weblog/weblog.py": any "weblog.py" */, original->data, original->size};
    return count;
}
