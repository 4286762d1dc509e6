/* Wrong files and wrong places: each gets a usage error that says what it is, and nothing is
 * written or left behind. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "store_sample.h"

#define NOBODY 65534

struct fixture {
    char folder[64], path[128], good[128];
    struct store_layout layout;
};

static int setup(void **state)
{
    static struct fixture fixture;
    struct error err = {0};
    sample_folder(fixture.folder);
    chmod(fixture.folder, 0777);
    snprintf(fixture.path, sizeof fixture.path, "%s/wrong.h5", fixture.folder);
    snprintf(fixture.good, sizeof fixture.good, "%s/good.h5", fixture.folder);
    fixture.layout = sample_layout();
    if (store_create(fixture.good, &fixture.layout, &err) != 0)
        fail_msg("%s", err.text);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    sample_layout_finish(&fixture->layout);
    unlink(fixture->path);
    unlink(fixture->good);
    return rmdir(fixture->folder);
}

static int entries(const char *folder)
{
    DIR *dir = opendir(folder);
    int count = 0;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count - 2;
}

static void write_bytes(const char *path, const void *bytes, size_t length)
{
    assert_int_equal(file_replace(path, bytes, length, NULL), 0);
}

/* Opening fails with a usage error that names the path and says `words`. */
static void check_refused(const char *path, enum store_mode mode, const char *words)
{
    struct error err = {0};
    struct store *store = store_open(path, mode, NULL, &err);
    assert_null(store);
    if (err.class != ERROR_USAGE || strstr(err.text, words) == NULL ||
        strncmp(err.text, path, strlen(path)) != 0)
        fail_msg("class %d: %s", err.class, err.text);
}

/* --- what is not a store --- */

static void test_not_hdf5(void **state)
{
    struct fixture *fixture = *state;
    check_refused(fixture->path, STORE_READ, "there is no such file");
    check_refused(fixture->folder, STORE_READ, "is a folder");
    check_refused(fixture->folder, STORE_WRITE, "is a folder");
    check_refused("/dev/null", STORE_READ, "is not a regular file");
    write_bytes(fixture->path, "", 0);
    check_refused(fixture->path, STORE_WRITE, "is empty");
    write_bytes(fixture->path, "name: lenet\n", 12);
    check_refused(fixture->path, STORE_READ, "is not an HDF5 file (it looks like text)");
    write_bytes(fixture->path, "\177ELF\1\2\3\4\5\6\7\1\2", 13);
    check_refused(fixture->path, STORE_READ, "is not an HDF5 file");
}

/* Empty files as h5py writes them, in the oldest and in the newest format. */
static const char oldest[] = "894844460d0a1a0a000000000008080004001000000000000000000000000000fffff"
                             "fffffffffff2003000000000000"
                             "ffffffffffffffff00000000000000006000000000000000010000000000000088000"
                             "00000000000a802000000000000"
                             "0100010001000000180000000000000011001000000000008800000000000000a8020"
                             "000000000005452454500000000"
                             "ffffffffffffffffffffffffffffffff";
static const char newest[] =
    "894844460d0a1a0a030808000000000000000000ffffffffffffffffc3000000000000003000000000000000061a61"
    "37"
    "4f4844520220df26036bdf26036bdf26036bdf26036b78021200000000ffffffffffffffffffffffffffffffff0a02"
    "00"
    "0100000058000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "cdfb440f";

static void write_hex(const char *path, const char *hex, size_t length)
{
    unsigned char bytes[800] = {0};
    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        unsigned byte;
        sscanf(hex + 2 * i, "%2x", &byte);
        bytes[i] = (unsigned char)byte;
    }
    write_bytes(path, bytes, length);
}

static void test_of_another_program(void **state)
{
    struct fixture *fixture = *state;
    write_hex(fixture->path, oldest, 800);
    check_refused(fixture->path, STORE_READ, "of another program");
    write_hex(fixture->path, newest, 195);
    check_refused(fixture->path, STORE_READ, "of another program");
    check_refused(fixture->path, STORE_WRITE, "of another program");
}

/* A copy of the good store with some bytes exchanged. */
static void write_patched(struct fixture *fixture, const char *find, size_t find_length,
                          ptrdiff_t shift, const void *bytes, size_t count)
{
    char *file;
    size_t length;
    assert_int_equal(file_read(fixture->good, (size_t)1 << 30, &file, &length, NULL), 0);
    char *place = memmem(file, length, find, find_length);
    assert_non_null(place);
    memcpy(place + shift, bytes, count);
    write_bytes(fixture->path, file, length);
    free(file);
}

static void test_of_another_version(void **state)
{
    struct fixture *fixture = *state;
    /* The attribute's value is the 8 bytes behind its type (16) and its scalar space (8). */
    const int64_t version = 77;
    write_patched(fixture, "format_version", 15, 16 + 16 + 8, &version, sizeof version);
    check_refused(fixture->path, STORE_READ, "format version 77; this program reads version 1");
    write_patched(fixture, "sweepstake", 11, 0, "sweepstick", 10);
    check_refused(fixture->path, STORE_READ, "of another program");
}

static void test_truncated(void **state)
{
    struct fixture *fixture = *state;
    char *file;
    size_t length;
    assert_int_equal(file_read(fixture->good, (size_t)1 << 30, &file, &length, NULL), 0);
    const size_t cuts[] = {8, 50, 95, 96, 4096, length / 2, length - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        write_bytes(fixture->path, file, cuts[i]);
        check_refused(fixture->path, STORE_READ, "is truncated");
    }
    memset(file + 96, 0, 8192);
    write_bytes(fixture->path, file, length);
    check_refused(fixture->path, STORE_READ, "");
    free(file);
}

/* --- permissions --- */

/* Runs a check as somebody who is not root; returns its exit status. */
static int as_nobody(void (*check)(const struct fixture *), const struct fixture *fixture)
{
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
            _exit(77);
        check(fixture);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void expect(bool holds, const struct error *err)
{
    if (holds)
        return;
    fprintf(stderr, "unexpected: class %d: %s\n", err->class, err->text);
    _exit(1);
}

static void check_read_only(const struct fixture *fixture)
{
    struct error err = {0};
    struct store *store = store_open(fixture->good, STORE_READ, NULL, &err);
    expect(store != NULL, &err);
    store_close(store);
    store = store_open(fixture->good, STORE_WRITE, NULL, &err);
    expect(store == NULL && err.class == ERROR_USAGE && strstr(err.text, "is read-only"), &err);
}

static void check_unreadable(const struct fixture *fixture)
{
    struct error err = {0};
    struct store *store = store_open(fixture->good, STORE_READ, NULL, &err);
    expect(store == NULL && err.class == ERROR_USAGE && strstr(err.text, "cannot be opened"), &err);
}

static void check_no_folder_to_write(const struct fixture *fixture)
{
    struct error err = {0};
    int status = store_create(fixture->path, &fixture->layout, &err);
    expect(status != 0 && err.class == ERROR_USAGE && strstr(err.text, "Permission denied"), &err);
    expect(store_lock_take(fixture->path, &err) == NULL && err.class == ERROR_USAGE, &err);
}

static void test_permissions(void **state)
{
    struct fixture *fixture = *state;
    chmod(fixture->good, 0444);
    assert_int_equal(as_nobody(check_read_only, fixture), 0);
    chmod(fixture->good, 0000);
    assert_int_equal(as_nobody(check_unreadable, fixture), 0);
    chmod(fixture->folder, 0555);
    assert_int_equal(as_nobody(check_no_folder_to_write, fixture), 0);
    chmod(fixture->folder, 0777);
    assert_int_equal(entries(fixture->folder), 1);
}

/* --- creation --- */

static void test_never_over_a_file(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    char *bytes;
    size_t length;
    write_bytes(fixture->path, "mine", 4);
    assert_int_equal(store_create(fixture->path, &fixture->layout, &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_int_equal(file_read(fixture->path, 100, &bytes, &length, NULL), 0);
    assert_string_equal(bytes, "mine");
    free(bytes);
}

static void test_no_such_folder(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    assert_int_equal(store_create("/nowhere/at/all.h5", &fixture->layout, &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.text, "/nowhere/at"));
}

static void test_bad_layouts(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct store_layout layout = fixture->layout;
    snprintf(layout.networks[0].parameters[0].name, STORE_NAME_SIZE, "a/b");
    assert_int_equal(store_layout_bytes(&layout), -1);
    assert_int_equal(store_create(fixture->path, &layout, &err), -1);
    assert_int_equal(err.class, ERROR_INTERNAL);
    snprintf(layout.networks[0].parameters[0].name, STORE_NAME_SIZE, "fc1.weight");
    layout.networks[0].parameters[2].offset = 30; /* 6 floats in a block of 32 */
    assert_int_equal(store_create(fixture->path, &layout, &err), -1);
    layout.networks[0].parameters[2].offset = 18;
    layout.curve_rows = -1;
    assert_int_equal(store_create(fixture->path, &layout, &err), -1);
    assert_int_equal(entries(fixture->folder), 1);
}

/* Nothing to run, nothing to keep: still a store. */
static void test_empty_tables(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct store_layout layout = fixture->layout;
    layout.tasks.row_count = layout.points.row_count = layout.experiments.row_count = 0;
    layout.curve_rows = 0;
    layout.network_count = 0;
    layout.grid_text = NULL;
    if (store_create(fixture->path, &layout, &err) != 0)
        fail_msg("%s", err.text);
    struct stat status;
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(store_layout_bytes(&layout), status.st_size);
    struct store *store = store_open(fixture->path, STORE_WRITE, NULL, &err);
    assert_non_null(store);
    struct store_table tasks;
    char *text;
    size_t length;
    assert_int_equal(store_read_table(store, "tasks", &tasks, &err), 0);
    assert_int_equal(tasks.row_count, 0);
    assert_int_equal(store_read_grid(store, &text, &length, &err), 0);
    assert_int_equal(length, 0);
    assert_int_equal(store_verify(store, NULL, &err), 0);
    free(text);
    store_table_finish(&tasks);
    store_close(store);
}

/* Many parameters and sets, more than one node of HDF5's trees holds. */
static void test_size_of_many_datasets(void **state)
{
    struct fixture *fixture = *state;
    struct store_layout layout = fixture->layout;
    struct store_network *networks = mem_zeroed(1, sizeof *networks, NULL);
    snprintf(networks->name, sizeof networks->name, "many");
    networks->block_size = 1000;
    networks->mask_slots = 3;
    for (int i = 0; i < 90; i++) {
        char name[32];
        snprintf(name, sizeof name, "layer%d.weight", i);
        sample_parameter(networks, name, "fc", i % 2 == 0, i * 10, 1, (const int64_t[]){10});
    }
    for (int i = 0; i < 12; i++) {
        char name[32];
        snprintf(name, sizeof name, "rewind-%d", i);
        sample_when(networks, name, i % 3);
    }
    layout.networks = networks;
    layout.network_count = 1;
    struct error err = {0};
    struct stat status;
    if (store_create(fixture->path, &layout, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(store_layout_bytes(&layout), status.st_size);
    struct store *store = store_open(fixture->path, STORE_READ, NULL, &err);
    assert_non_null(store);
    assert_int_equal(store_network(store, 0)->parameter_count, 90);
    store_close(store);
    free(networks);
}

/* --- space --- */

static void check_file_size_limit(const struct fixture *fixture)
{
    struct error err = {0};
    const struct rlimit limit = {200 << 10, 200 << 10};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    int status = store_create(fixture->path, &fixture->layout, &err);
    expect(status != 0 && err.class == ERROR_USAGE && strstr(err.text, "File too large"), &err);
}

/* What cannot be reserved is removed again. */
static void test_reservation_fails(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(as_nobody(check_file_size_limit, fixture), 0);
    assert_int_equal(entries(fixture->folder), 1);
}

/* A small file system over the fixture's folder, in a mount namespace of its own. */
static void mount_small(const struct fixture *fixture, const char *size)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", fixture->folder, "tmpfs", 0, size) != 0)
        _exit(77);
}

static void check_full_disk(const struct fixture *fixture)
{
    struct error err = {0};
    char needed[32];
    mount_small(fixture, "size=300k");
    snprintf(needed, sizeof needed, "(%lld bytes)",
             (long long)store_layout_bytes(&fixture->layout));
    int status = store_create(fixture->path, &fixture->layout, &err);
    expect(status != 0 && err.class == ERROR_USAGE && strstr(err.text, needed) &&
               strstr(err.text, "free") && entries(fixture->folder) == 0,
           &err);
}

/* Takes the blocks of the file's data away, as if they had never been reserved, and fills the disk.
 */
static void take_space_away(const struct fixture *fixture)
{
    static const char junk[65536];
    char other[128];
    snprintf(other, sizeof other, "%s/junk", fixture->folder);
    int fd = open(fixture->path, O_RDWR), junk_fd = open(other, O_CREAT | O_WRONLY, 0600);
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 65536, 1 << 20) != 0)
        _exit(77);
    while (write(junk_fd, junk, sizeof junk) > 0)
        ;
    close(junk_fd);
    close(fd);
}

/* A disk that fills up under a sparse store. */
static void check_disk_fills_up(const struct fixture *fixture)
{
    struct error err = {0};
    struct sample_payload made;
    struct store_table tasks;
    uint64_t digest;
    mount_small(fixture, "size=1500k");
    expect(store_create(fixture->path, &fixture->layout, &err) == 0, &err);
    struct store *store = store_open(fixture->path, STORE_WRITE, NULL, &err);
    expect(store != NULL && store_read_table(store, "tasks", &tasks, &err) == 0 &&
               sample_payload_make(store, &tasks, 1, &made, &err) == 0,
           &err);
    take_space_away(fixture);
    int status = store_write_payload(store, &made.payload, &digest, &err);
    expect(status != 0 && err.class == ERROR_STORAGE && strstr(err.text, "No space left") &&
               strstr(err.text, "/masks/tiny.5-3-2/fc1.weight"),
           &err);
}

static void run_in_child(struct fixture *fixture, void (*check)(const struct fixture *))
{
    pid_t child = fork();
    if (child == 0) {
        check(fixture);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("skipped: mounting a small file system needs root\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static void test_full_disk(void **state)
{
    run_in_child(*state, check_full_disk);
}

static void test_disk_fills_up(void **state)
{
    run_in_child(*state, check_disk_fills_up);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_not_hdf5),           TEST(test_of_another_program),
        TEST(test_of_another_version), TEST(test_truncated),
        TEST(test_permissions),        TEST(test_never_over_a_file),
        TEST(test_no_such_folder),     TEST(test_bad_layouts),
        TEST(test_empty_tables),       TEST(test_size_of_many_datasets),
        TEST(test_reservation_fails),  TEST(test_full_disk),
        TEST(test_disk_fills_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
