/* A block is made once for all processes that use it at a time, whole or not at all; its file goes
 * with the last of them; and where nothing can be shared, each has the same bytes of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/shared_block.h"

#define SIZE 300000
#define RACERS 6

struct place {
    char folder[32], path[96];
    atomic_int *made, *holding; /* counted over all processes */
};

/* --- making --- */

static int make(void *user, void *bytes, struct error *err)
{
    const struct place *place = user;
    uint8_t *to = bytes;
    for (size_t i = 0; i < SIZE; i++) {
        if (to[i] != 0)
            return error_set(err, ERROR_INTERNAL, "byte %zu was not zero", i);
        to[i] = (uint8_t)(i * 7 % 251);
    }
    atomic_fetch_add(place->made, 1);
    return 0;
}

static int refuse_to(void *user, void *bytes, struct error *err)
{
    (void)user;
    (void)bytes;
    return error_set(err, ERROR_USAGE, "no such data");
}

static int die(void *user, void *bytes, struct error *err)
{
    (void)user;
    (void)err;
    memset(bytes, 1, SIZE / 2);
    raise(SIGKILL);
    return 0;
}

static struct shared_block_maker maker_of(struct place *place)
{
    return (struct shared_block_maker){.name = "sample", .size = SIZE, .make = make, .user = place};
}

static void open_block(struct place *place, struct shared_block *block, struct error *private)
{
    struct error err = {0};
    const struct shared_block_maker maker = maker_of(place);
    assert_int_equal(shared_block_open(&maker, block, private, &err), 0);
    assert_int_equal(block->size, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(((const uint8_t *)block->bytes)[i], i * 7 % 251);
}

static void open_shared(struct place *place, struct shared_block *block)
{
    struct error private;
    open_block(place, block, &private);
    assert_string_equal(private.text, "");
    assert_true(block->file >= 0);
}

/* `word` is in the reason. */
static void open_private(struct place *place, const char *word)
{
    struct shared_block block;
    struct error private;
    open_block(place, &block, &private);
    assert_int_equal(block.file, -1);
    assert_non_null(strstr(private.text, word));
    shared_block_close(&block);
}

static int count_files(const struct place *place)
{
    DIR *folder = opendir(place->folder);
    int count = -2; /* . and .. */
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* --- several processes --- */

/* Holds the block until all have it. */
static void race(struct place *place)
{
    struct shared_block block;
    open_shared(place, &block);
    atomic_fetch_add(place->holding, 1);
    while (atomic_load(place->holding) < RACERS)
        usleep(1000);
    shared_block_close(&block);
}

static void a_block_is_made_once_for_all(void **state)
{
    struct place *place = *state;
    int status;
    for (int i = 0; i < RACERS; i++) {
        if (fork() == 0) {
            race(place);
            _exit(0);
        }
    }
    for (int i = 0; i < RACERS; i++) {
        wait(&status);
        assert_int_equal(status, 0);
    }
    assert_int_equal(atomic_load(place->made), 1);
    assert_int_equal(count_files(place), 0);
}

static void the_last_one_removes_the_file(void **state)
{
    struct place *place = *state;
    struct shared_block one, other;
    open_shared(place, &one);
    open_shared(place, &other);
    shared_block_close(&one);
    assert_int_equal(count_files(place), 1);
    open_shared(place, &one);
    shared_block_close(&other);
    assert_int_equal(count_files(place), 1);
    shared_block_close(&one);
    assert_int_equal(count_files(place), 0);
    assert_int_equal(atomic_load(place->made), 1);
}

static void what_a_dead_maker_left_is_made_anew(void **state)
{
    struct place *place = *state;
    struct shared_block block;
    struct error private, err;
    if (fork() == 0) {
        struct shared_block_maker maker = maker_of(place);
        maker.make = die;
        shared_block_open(&maker, &block, &private, &err);
        _exit(0);
    }
    wait(NULL);
    assert_int_equal(count_files(place), 1);
    open_shared(place, &block);
    shared_block_close(&block);
    assert_int_equal(count_files(place), 0);
}

/* A process that has opened the block, killed. */
static void kill_a_user(struct place *place)
{
    struct shared_block block;
    if (fork() == 0) {
        open_shared(place, &block);
        raise(SIGKILL);
    }
    wait(NULL);
}

static void a_dead_users_block_is_used_again(void **state)
{
    struct place *place = *state;
    struct shared_block block;
    kill_a_user(place);
    open_shared(place, &block);
    assert_int_equal(atomic_load(place->made), 1);
    shared_block_clear();
    assert_int_equal(count_files(place), 1); /* it is in use */
    shared_block_close(&block);
    assert_int_equal(count_files(place), 0);
}

static void what_the_dead_left_is_cleared(void **state)
{
    struct place *place = *state;
    kill_a_user(place);
    assert_int_equal(count_files(place), 1);
    shared_block_clear();
    assert_int_equal(count_files(place), 0);
}

/* --- files that are not to be believed --- */

static void damage(const struct place *place, off_t at, off_t size)
{
    int file = open(place->path, O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, "X", 1, at), 1);
    assert_int_equal(ftruncate(file, size), 0);
    close(file);
}

static void a_wrong_file_is_made_anew(void **state)
{
    struct place *place = *state;
    struct shared_block block;
    const struct {
        off_t at, size;
    } wrong[] = {{0, SIZE + 64},   {20, SIZE + 64},  {64 + SIZE / 2, SIZE + 64},
                 {100, SIZE + 63}, {100, SIZE + 65}, {0, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (fork() == 0) {
            open_shared(place, &block);
            raise(SIGKILL);
        }
        wait(NULL);
        damage(place, wrong[i].at, wrong[i].size);
        open_shared(place, &block);
        shared_block_close(&block);
        assert_int_equal(atomic_load(place->made), 2 * (i + 1));
    }
}

/* What is there is left as it is. */
static void refuse(struct place *place, const char *word)
{
    struct stat before, after;
    assert_int_equal(lstat(place->path, &before), 0);
    open_private(place, word);
    assert_int_equal(lstat(place->path, &after), 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
    assert_int_equal(unlink(place->path), 0);
}

static void another_users_file_is_not_used(void **state)
{
    struct place *place = *state;
    char other[128];
    snprintf(other, sizeof other, "%s/other", place->folder);
    close(open(place->path, O_CREAT | O_RDWR, 0600));
    chmod(place->path, 0660);
    refuse(place, "not a file of this user alone");
    close(open(other, O_CREAT | O_RDWR, 0600));
    assert_int_equal(symlink(other, place->path), 0);
    refuse(place, place->path);
    assert_int_equal(link(other, place->path), 0);
    refuse(place, "not a file of this user alone");
    assert_int_equal(unlink(other), 0);
    if (geteuid() == 0) {
        close(open(place->path, O_CREAT | O_RDWR, 0600));
        assert_int_equal(chown(place->path, 12345, 12345), 0);
        refuse(place, "not a file of this user alone");
    }
}

/* --- where nothing can be shared --- */

static void without_a_place_memory_is_private(void **state)
{
    struct place *place = *state;
    setenv(SHARED_BLOCK_VARIABLE, "/nowhere/at/all", 1);
    open_private(place, "/nowhere/at/all");
    setenv(SHARED_BLOCK_VARIABLE, "", 1);
    open_private(place, "");
}

static void without_space_memory_is_private(void **state)
{
    struct place *place = *state;
    struct rlimit before, limit = {.rlim_cur = SIZE / 2};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    open_private(place, place->path);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(count_files(place), 0);
}

static void what_cannot_be_made_leaves_nothing(void **state)
{
    struct place *place = *state;
    struct shared_block block;
    struct error private, err = {0};
    struct shared_block_maker maker = maker_of(place);
    maker.make = refuse_to;
    for (int is_private = 0; is_private < 2; is_private++) {
        assert_int_equal(shared_block_open(&maker, &block, &private, &err), -1);
        assert_int_equal(err.class, ERROR_USAGE);
        assert_string_equal(err.text, "no such data");
        assert_int_equal(count_files(place), 0);
        setenv(SHARED_BLOCK_VARIABLE, "", 1);
    }
}

/* --- */

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    strcpy(place->folder, "/tmp/shared-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/sweepstake-shared-%lu-sample", place->folder,
             (unsigned long)geteuid());
    place->made = mmap(NULL, 2 * sizeof *place->made, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    place->holding = place->made + 1;
    setenv(SHARED_BLOCK_VARIABLE, place->folder, 1);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    munmap(place->made, 2 * sizeof *place->made);
    int failed = rmdir(place->folder);
    free(place);
    return failed;
}

#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PLACE(a_block_is_made_once_for_all),
        IN_A_PLACE(the_last_one_removes_the_file),
        IN_A_PLACE(what_a_dead_maker_left_is_made_anew),
        IN_A_PLACE(a_dead_users_block_is_used_again),
        IN_A_PLACE(what_the_dead_left_is_cleared),
        IN_A_PLACE(a_wrong_file_is_made_anew),
        IN_A_PLACE(another_users_file_is_not_used),
        IN_A_PLACE(without_a_place_memory_is_private),
        IN_A_PLACE(without_space_memory_is_private),
        IN_A_PLACE(what_cannot_be_made_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
