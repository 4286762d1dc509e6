/* Job files: what is read, what a site profile brings, and what is refused at which place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "grid/job_file.h"

static int enter_folder(void **state)
{
    static char folder[] = "/tmp/sweepstake-job-XXXXXX";
    (void)state;
    return mkdtemp(folder) != NULL && chdir(folder) == 0 && system("mkdir slurm") == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    char folder[64];
    char command[128];
    (void)state;
    if (getcwd(folder, sizeof folder) == NULL || strncmp(folder, "/tmp/sweepstake-job-", 20) != 0)
        return -1;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void write_file(const char *name, const char *text)
{
    assert_int_equal(file_replace(name, text, strlen(text), NULL), 0);
}

static struct job_file *read_text(const char *text, struct error *err)
{
    *err = (struct error){0};
    write_file("job.yaml", text);
    return job_file_read("job.yaml", err);
}

static void test_every_key_is_read(void **state)
{
    struct error err;
    (void)state;
    struct job_file *job = read_text("grid: grids/my grid.yaml\n"
                                     "store: results/a.h5\n"
                                     "data: /data\n"
                                     "nodes: 2\n"
                                     "ranks_per_node: 32\n"
                                     "cores_per_rank: 2\n"
                                     "memory: 4G\n"
                                     "wall_time: 1-02:03:04\n"
                                     "partition: short,long\n"
                                     "account: a.b-c_d\n"
                                     "qos: low\n"
                                     "mail: who@example.org\n"
                                     "preemption: cancel\n"
                                     "modules: [gcc/12.2, openmpi]\n"
                                     "environment: {A: x=y z, B_2: \"\"}\n",
                                     &err);
    assert_non_null(job);
    assert_string_equal(job->grid, "grids/my grid.yaml");
    assert_string_equal(job->store, "results/a.h5");
    assert_string_equal(job->data, "/data");
    assert_int_equal(job->workers, 0);
    assert_int_equal(job->nodes, 2);
    assert_int_equal(job->ranks_per_node, 32);
    assert_int_equal(job->cores_per_rank, 2);
    assert_int_equal(job->memory, 4000);
    assert_int_equal(job->wall_seconds, 26 * 3600 + 3 * 60 + 4);
    assert_string_equal(job->partition, "short,long");
    assert_string_equal(job->account, "a.b-c_d");
    assert_string_equal(job->qos, "low");
    assert_string_equal(job->mail, "who@example.org");
    assert_int_equal(job->preemption, JOB_CANCEL);
    assert_int_equal(job->module_count, 2);
    assert_string_equal(job->modules[1], "openmpi");
    assert_int_equal(job->variable_count, 2);
    assert_string_equal(job->variables[0].name, "A");
    assert_string_equal(job->variables[0].value, "x=y z");
    assert_string_equal(job->variables[1].value, "");
    job_file_destroy(job);
}

static void test_a_job_goes_over_its_site_s_profile(void **state)
{
    struct error err;
    (void)state;
    write_file("slurm/here.yaml", "partition: site\naccount: site\nmodules: [one]\n"
                                  "environment: {A: site}\nranks_per_node: 64\n");
    struct job_file *job = read_text("account: own\nmodules: [two]\nenvironment: {A: own}\n"
                                     "grid: g.yaml\ncluster: here\n",
                                     &err);
    assert_non_null(job);
    assert_string_equal(job->partition, "site");
    assert_string_equal(job->account, "own");
    assert_int_equal(job->ranks_per_node, 64);
    assert_int_equal(job->module_count, 2);
    assert_string_equal(job->modules[0], "one");
    assert_string_equal(job->variables[1].value, "own"); /* exported later */
    job_file_destroy(job);
}

static void test_mistakes_are_told_with_their_place(void **state)
{
    static const struct {
        const char *text, *place, *what;
    } mistakes[] = {
        {"store: a.h5\n", "job.yaml: grid:", "is missing"},
        {"grid: g\npartitoin: p\n", "job.yaml:2:1: partitoin:", "did you mean partition?"},
        {"grid: g\nx: 1\n", "job.yaml:2:1: x:", "known here: grid, store"},
        {"grid: g\ngrid: h\n", "job.yaml:2:1: grid:", "duplicate key"},
        {"grid: [g]\n", "job.yaml:1:7: grid:", "a list; give a path"},
        {"grid:\n", "job.yaml:1:6: grid:", "no value"},
        {"grid: g\nworkers: many\n", "job.yaml:2:10: workers:", "from 1 to 100000"},
        {"grid: g\nworkers: 0\n", "job.yaml:2:10: workers:", "from 1 to 100000"},
        {"grid: g\nworkers: 99999999999999999999\n", "job.yaml:2:10: workers:", "100000"},
        {"grid: g\nmemory: 4\n", "job.yaml:2:9: memory:", "4G"},
        {"grid: g\nmemory: 0G\n", "job.yaml:2:9: memory:", "4G"},
        {"grid: g\nwall_time: 10\n", "job.yaml:2:12: wall_time:", "HH:MM:SS"},
        {"grid: g\nwall_time: 00:00:59\n", "job.yaml:2:12: wall_time:", "from a minute"},
        {"grid: g\nwall_time: 01:60:00\n", "job.yaml:2:12: wall_time:", "HH:MM:SS"},
        {"grid: g\nwall_time: 1-1-01:00:00\n", "job.yaml:2:12: wall_time:", "HH:MM:SS"},
        {"grid: g\nnodes: 2\n", "job.yaml:2:8: nodes:", "comes with ranks_per_node"},
        {"grid: g\nnodes: 2\nranks_per_node: 2\nworkers: 5\n", "job.yaml:2:8: nodes:", "no room"},
        {"grid: g\npreemption: never\n", "job.yaml:2:13: preemption:", "requeue or cancel"},
        {"grid: g\nmodules: gcc\n", "job.yaml:2:10: modules:", "as in [gcc"},
        {"grid: -x\n", "job.yaml:1:7: grid:", "not beginning with -"},
        {"grid: g\nenvironment: {2A: x}\n", "job.yaml:2:15: environment:", "names no variable"},
        {"grid: g\nenvironment: [A]\n", "job.yaml:2:14: environment:", "a map as in"},
        {"grid: g\ncluster: ../up\n", "job.yaml:2:10: cluster:", "slurm/NAME.yaml"},
        {"grid: g\ncluster: nowhere\n", "job.yaml:2:10: cluster:", "slurm/nowhere.yaml"},
        {"grid: g\ncluster: bad\n",
         "job.yaml:2:10: cluster: slurm/bad.yaml:1:1: grid:", "unknown key"},
        {"", "job.yaml:", "empty"},
    };
    (void)state;
    write_file("slurm/bad.yaml", "grid: g\n");
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct error err;
        assert_null(read_text(mistakes[i].text, &err));
        assert_int_equal(err.class, ERROR_USAGE);
        if (strncmp(err.text, mistakes[i].place, strlen(mistakes[i].place)) != 0 ||
            strstr(err.text, mistakes[i].what) == NULL)
            fail_msg("%s\nis not: %s ... %s", err.text, mistakes[i].place, mistakes[i].what);
    }
}

/* What a shell or sbatch might take for more than a letter, in each value there is. */
static void test_no_text_means_anything_to_a_shell(void **state)
{
    static const char *const values[] = {
        "a; rm -rf x", "$(rm x)", "${HOME}", "`rm x`", "a & b", "a | b", "a > b", "a < b",
        "it's",        "a\\\\b",  "a*",      "!x",     "~/x",   "a#b",   "%j",    "a\\\"b",
        "a\\nb",       "a\\rb",   "a\\tb",   "a\\0b",  "a\\eb", "[a]",   "{a}"};
    static const char *const lines[] = {"grid: \"%s\"\n",
                                        "grid: g\nstore: \"%s\"\n",
                                        "grid: g\ndata: \"%s\"\n",
                                        "grid: g\npartition: \"%s\"\n",
                                        "grid: g\naccount: \"%s\"\n",
                                        "grid: g\nqos: \"%s\"\n",
                                        "grid: g\nmail: \"%s\"\n",
                                        "grid: g\nworkers: \"%s\"\n",
                                        "grid: g\nmemory: \"%s\"\n",
                                        "grid: g\nwall_time: \"%s\"\n",
                                        "grid: g\npreemption: \"%s\"\n",
                                        "grid: g\ncluster: \"%s\"\n",
                                        "grid: g\nmodules: [\"%s\"]\n",
                                        "grid: g\nenvironment: {\"%s\": a}\n",
                                        "grid: g\nenvironment: {A: \"%s\"}\n"};
    (void)state;
    for (size_t line = 0; line < sizeof lines / sizeof *lines; line++) {
        for (size_t value = 0; value < sizeof values / sizeof *values; value++) {
            struct error err;
            char text[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(text, sizeof text, lines[line], values[value]);
#pragma GCC diagnostic pop
            if (read_text(text, &err) != NULL)
                fail_msg("was taken: %s", text);
            assert_int_equal(err.class, ERROR_USAGE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_is_read),
        cmocka_unit_test(test_a_job_goes_over_its_site_s_profile),
        cmocka_unit_test(test_mistakes_are_told_with_their_place),
        cmocka_unit_test(test_no_text_means_anything_to_a_shell),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
