/*
 * Checks one source against a lab and prints the receipt (JSON, one line) and then the feedback, for
 * tests/e2e/test_grade.py and for who writes a lab.
 *
 * usage: grade_lab LAB SOURCE [--quick] [--seconds N] [--python PATH] [--level N] [--seed N]
 * [--questions FOLDER [--write]] [--recording FILE]
 * --write: lays the questions of an answers lab, or the variant of a program, down, and checks nothing; SOURCE is then
 * of no meaning. Of a program, SOURCE is the package, --seed that of the variant and --questions where findings.json
 * lies. LAB: a folder with a lab.json, or the id of one that is built in. Exit status: 0 passed, 1 not, 3 it could not
 * be checked.
 */
#include "grade/grade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_program(const char *path) /* a version manager's shim is a script */
{
    char magic[4] = "";
    FILE *file = fopen(path, "rb");
    bool is = file && fread(magic, 1, sizeof(magic), file) == sizeof(magic) && memcmp(magic, "\177ELF", 4) == 0;
    if (file)
        fclose(file);
    return is;
}

/* The first python3 on the path, in a static buffer. */
static const char *find_python(void)
{
    static char path[512];
    const char *at = getenv("PATH");
    while (at && *at) {
        size_t size = strcspn(at, ":");
        snprintf(path, sizeof(path), "%.*s/python3", (int)size, at);
        if (access(path, X_OK) == 0 && is_program(path))
            return path;
        at += size + (at[size] == ':');
    }
    return "/usr/bin/python3";
}

static int keep(const char *path, const struct buffer *data)
{
    FILE *file = fopen(path, "wb");
    bool fine = file && fwrite(data->data, 1, data->size, file) == data->size;
    return file && fclose(file) == 0 && fine ? 0 : 3;
}

static int check(const struct grade_lab *lab, const struct grade_options *o, const char *recording)
{
    struct grade_result result;
    struct error e = {""};
    if (grade_check(lab, o, &result, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 3;
    }
    fwrite(result.receipt.data, 1, result.receipt.size, stdout);
    fwrite(result.feedback.data, 1, result.feedback.size, stdout);
    int status = result.outcome == GRADE_PASSED ? 0 : 1;
    if (recording && result.recording.size > 0 && keep(recording, &result.recording) != 0)
        status = 3;
    grade_result_release(&result);
    return status;
}

int main(int argc, char **argv)
{
    struct grade_options o = {.python = find_python(), .level_most = SANDBOX_LEVEL_BEST};
    struct grade_lab *loaded = NULL;
    struct error e = {""};
    const char *recording = NULL;
    bool write = false;
    if (argc < 3) {
        fprintf(stderr, "usage: grade_lab LAB SOURCE [--quick] [--seconds N] [--python PATH] [--level N] "
                        "[--seed N] [--questions FOLDER [--write]] [--recording FILE]\n");
        return 2;
    }
    o.source = argv[2];
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0)
            o.quick = true;
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            o.most_ns = strtoull(argv[++i], NULL, 10) * 1000000000u;
        else if (strcmp(argv[i], "--python") == 0 && i + 1 < argc)
            o.python = argv[++i];
        else if (strcmp(argv[i], "--level") == 0 && i + 1 < argc)
            o.level_most = (int)strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            o.seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--questions") == 0 && i + 1 < argc)
            o.questions = argv[++i];
        else if (strcmp(argv[i], "--write") == 0)
            write = true;
        else if (strcmp(argv[i], "--recording") == 0 && i + 1 < argc)
            recording = argv[++i];
        else {
            fprintf(stderr, "unknown word: %s\n", argv[i]);
            return 2;
        }
    }
    const struct grade_lab *lab = NULL;
    if (access(argv[1], R_OK) == 0) {
        if (grade_lab_load(argv[1], &loaded, &e) < 0) {
            fprintf(stderr, "%s\n", e.text);
            return 3;
        }
        lab = loaded;
    } else
        lab = grade_lab_find(argv[1]);
    if (!lab) {
        fprintf(stderr, "no lab %s\n", argv[1]);
        return 3;
    }
    int status;
    unsigned written, kept;
    if (write && lab->kind == GRADE_PROGRAM)
        status = grade_program_write(lab, o.seed, o.python, o.questions, &written, &kept, &e) < 0 ? 3 : 0;
    else if (write)
        status = grade_questions_write(lab, o.seed, o.python, o.questions, &e) < 0 ? 3 : 0;
    else
        status = check(lab, &o, recording);
    if (e.text[0])
        fprintf(stderr, "%s\n", e.text);
    grade_lab_free(loaded);
    return status;
}
