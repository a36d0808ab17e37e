#include "target_child.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

/*
 * A tree to be a root:  /real/file "inside"   /absolute -> /real/file   /up -> ../../../../real/file
 * /dir -> real   /loop -> loop   /chain -> dir/../absolute   /fifo   and beside it a file that must not be
 * reached.
 */
static char base[64], root[96];

static void put(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
    close(fd);
}

static int make_tree(void **state)
{
    (void)state;
    char path[256];
    snprintf(base, sizeof(base), "/tmp/pit-files-XXXXXX");
    if (!mkdtemp(base))
        return -1;
    chmod(base, 0755);
    snprintf(root, sizeof(root), "%s/root", base);
    mkdir(root, 0755);
    snprintf(path, sizeof(path), "%s/real", root);
    mkdir(path, 0755);
    put(base, "outside", "outside");
    put(root, "real/file", "inside");
    static const char *const links[][2] = {
        {"/real/file", "absolute"},
        {"../../../../real/file", "up"},
        {"real", "dir"},
        {"loop", "loop"},
        {"dir/../absolute", "chain"},
        {"/../outside", "escape"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, links[i][1]);
        if (symlink(links[i][0], path) < 0)
            return -1;
    }
    snprintf(path, sizeof(path), "%s/fifo", root);
    return mkfifo(path, 0644);
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *ftw)
{
    (void)stat;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int remove_tree(void **state)
{
    (void)state;
    return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void assert_holds(int fd, const char *text)
{
    char content[64] = "";
    assert_true(pread(fd, content, sizeof(content) - 1, 0) >= 0);
    assert_string_equal(content, text);
}

static void stays_below_the_root(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int error;
    } cases[] = {
        {"/real/file", 0},
        {"real//./file", 0},
        {"/absolute", 0},
        {"/up", 0},
        {"/dir/file", 0},
        {"/chain", 0},
        {"/../../../../../../real/file", 0},
        {"/loop", -ELOOP},
        {"/escape", -ENOENT},
        {"/missing", -ENOENT},
        {"/real/file/below", -ENOTDIR},
    };
    int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
            char path[32];
            int fd = files_open_in_root(root_fd, cases[i].path, by_hand);
            if (cases[i].error) {
                assert_int_equal(fd, cases[i].error);
                continue;
            }
            if (fd < 0)
                fail_msg("%s: %s", cases[i].path, strerror(-fd));
            snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
            int readable = open(path, O_RDONLY | O_CLOEXEC);
            assert_holds(readable, "inside");
            close(readable);
            close(fd);
        }
    }
    close(root_fd);
}

static void child_in_the_root(int ready_fd)
{
    if (chroot(root) < 0 || chdir("/") < 0)
        _exit(97);
    int fd = open("/real/file", O_RDONLY | O_CLOEXEC);
    if (mmap(NULL, 6, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
        _exit(96);
    child_waits(ready_fd);
}

static void sees_a_chroot_as_the_process_does(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t pid = child_start(child_in_the_root);
    struct target *t = open_target(pid);
    struct target_maps maps;
    struct error e = {0};
    int fd = -1;
    assert_int_equal(target_open_file(t, "/absolute", &fd), 0);
    assert_holds(fd, "inside");
    fd_close(&fd);
    assert_int_equal(target_open_file(t, "/escape", &fd), -ENOENT);
    assert_int_equal(target_maps_read(t, &maps, &e), 0);
    bool inner = false, outer = false;
    for (size_t i = 0; i < maps.count; i++) {
        const struct target_map *m = &maps.items[i];
        if (strcmp(m->path, "/real/file") == 0) {
            inner = true;
            assert_int_equal(target_open_mapped(t, m, &fd), 0);
            assert_holds(fd, "inside");
            fd_close(&fd);
        }
        if (strstr(m->path, "test_target_files")) { /* mapped before it changed its root */
            outer = true;
            assert_int_equal(target_open_mapped(t, m, &fd), 0);
            fd_close(&fd);
        }
    }
    assert_true(inner && outer);
    target_maps_release(&maps);
    child_end(pid);
    assert_int_equal(target_open_file(t, "/real/file", &fd), 0); /* its root stays open */
    fd_close(&fd);
    target_close(t);
}

static bool leave_for_own_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void child_with_own_mounts(int ready_fd)
{
    if (!leave_for_own_mounts() || mount("none", base, "tmpfs", 0, NULL) < 0)
        _exit(95);
    char path[128];
    snprintf(path, sizeof(path), "%s/only-here", base);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (write(fd, "mounted", 7) != 7 || mmap(NULL, 7, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
        _exit(94);
    child_waits(ready_fd);
}

static void sees_another_mount_namespace_as_the_process_does(void **state)
{
    (void)state;
    pid_t probe = fork(); /* setns, the way back, leads to the namespace's root: out of a chroot that we are in */
    if (probe == 0)
        _exit(leave_for_own_mounts() ? 0 : 1);
    int status;
    assert_int_equal(waitpid(probe, &status, 0), probe);
    if (status != 0)
        skip(); /* not allowed, or our root is a chroot that is no mount point */
    pid_t pid = child_start(child_with_own_mounts);
    struct target *t = open_target(pid);
    struct target_maps maps;
    struct error e = {0};
    char path[128];
    int fd = -1;
    snprintf(path, sizeof(path), "%s/only-here", base);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(target_open_file(t, path, &fd), 0);
    assert_holds(fd, "mounted");
    fd_close(&fd);
    assert_int_equal(target_maps_read(t, &maps, &e), 0);
    bool found = false;
    for (size_t i = 0; i < maps.count; i++) {
        if (strcmp(maps.items[i].path, path) != 0)
            continue;
        found = true;
        assert_int_equal(target_open_mapped(t, &maps.items[i], &fd), 0);
        assert_holds(fd, "mounted");
        fd_close(&fd);
    }
    assert_true(found);
    target_maps_release(&maps);
    child_end(pid);
    target_close(t);
}

static void opens_no_device_fifo_or_directory(void **state)
{
    (void)state;
    struct target *t = open_target(getpid());
    char path[128];
    int fd = -1;
    snprintf(path, sizeof(path), "%s/fifo", root);
    assert_int_equal(target_open_file(t, path, &fd), -EACCES); /* and does not wait for a writer */
    assert_int_equal(target_open_file(t, "/dev/null", &fd), -EACCES);
    assert_int_equal(target_open_file(t, root, &fd), -EISDIR);
    assert_int_equal(fd, -1);
    target_close(t);
}

/* With map_files where the kernel lets us, and without it as for an ordinary user. */
static void opens_a_mapped_file_that_was_deleted_or_replaced(void **state)
{
    (void)state;
    char path[128];
    put(base, "mapped", "old text");
    snprintf(path, sizeof(path), "%s/mapped", base);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *p = mmap(NULL, 8, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_true(p != MAP_FAILED);
    close(fd);
    assert_int_equal(remove(path), 0);
    put(base, "mapped", "new text");
    struct target *t = open_target(getpid());
    struct target_maps maps;
    struct error e = {0};
    bool found = false;
    assert_int_equal(target_maps_read(t, &maps, &e), 0);
    for (size_t i = 0; i < maps.count; i++) {
        if (maps.items[i].start != (uintptr_t)p)
            continue;
        found = true;
        assert_string_equal(maps.items[i].path, path);
        fd = -1;
        int r = target_open_mapped(t, &maps.items[i], &fd);
        if (r == 0)
            assert_holds(fd, "old text");
        else
            assert_int_equal(r, -ESTALE);
        fd_close(&fd);
        struct target_map moved = maps.items[i]; /* no such entry in map_files: only the path is left to go by */
        moved.end += 1 << 30;
        assert_int_equal(target_open_mapped(t, &moved, &fd), -ESTALE);
    }
    assert_true(found);
    target_maps_release(&maps);
    target_close(t);
    munmap(p, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_below_the_root),
        cmocka_unit_test(sees_a_chroot_as_the_process_does),
        cmocka_unit_test(sees_another_mount_namespace_as_the_process_does),
        cmocka_unit_test(opens_no_device_fifo_or_directory),
        cmocka_unit_test(opens_a_mapped_file_that_was_deleted_or_replaced),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
