"""What a run survives: tasks that fail, crash, stand still or break a limit, workers that crash or fall silent, the
death of the master, of mpirun and of the supervisor; and what it costs to wait. Real MPI, real store; the tasks are
mostly the fake executor's, which fails a task that was handed out before its parent was done. WORKERS (default 3) is the number of workers."""
import os
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import h5py
import sweep
from roles import processes, roles, rank_of

WORKERS = int(os.environ.get("WORKERS", "3"))
DONE, FAILED, UNREACHABLE = 1, 3, 5
MEMORY, LOST, CRASH, TIME = 2, 3, 4, 5  # reasons
LASTING = "seconds=0.1 slow=17:3"  # so long that what is meant to be killed still runs when a busy machine gets to it


# conv-2 needs about 0.3 GB, the other network next to nothing.
TWO_SIZES = """\
name: sizes
experiments:
- {recipe: lenet-300-100, architecture: lenet-8-6, dataset: {name: digits, train: 100, test: 10, validation: 10}}
- {recipe: conv-2, dataset: {name: shapes, train: 80, test: 10, validation: 10}}
train: {iterations: 2}
prune: {rounds: 1}
"""


class Base(sweep.SweepTest):
    """A run in the background, watched through its store."""

    def setUp(self):
        super().setUp()
        self.write("tiny.yaml", sweep.tiny_grid(seeds="[1]"))
        self.run = None
        self.inputs = ["tiny.yaml"]  # what the test itself has put into the folder
        self.environment = {}

    def launch(self, fake, *options):
        self.run = self.start("run", "tiny.yaml", "--workers", WORKERS, "--store", "s.h5", *options,
                              env={**({"SWEEPSTAKE_FAKE": fake} if fake else {}), **self.environment})

    def finish(self, status, timeout=60):
        self.assertEqual(self.run.wait(timeout=timeout), status, self.output())
        self.assertEqual(processes(self.folder), {}, "processes are alive after the run")
        self.assertEqual(self.leftovers(), [], "files are left")
        self.assertEqual(self.listing(), sorted(["output.txt", "s.h5", *self.inputs]))
        self.sweepstake("verify", "s.h5", check=0)

    def table(self, name):
        with h5py.File(self.folder / "s.h5", "r") as file:
            return file[name][()]

    def assert_all_done(self):
        self.assertEqual(set(self.table("results")["status"]), {DONE})

    def assert_only_lost(self, failed, reason, message):
        """The tasks in `failed` failed at their second try, their descendants are unreachable, all else is done."""
        results, tasks, attempts = self.table("results"), self.table("tasks"), self.table("attempts")
        for row, parent in enumerate(tasks["parent"]):
            lost = parent >= 0 and results["status"][parent] in (FAILED, UNREACHABLE)
            expected = FAILED if row in failed else UNREACHABLE if lost else DONE
            self.assertEqual(results["status"][row], expected, f"task {row}")
            self.assertEqual(results["host"][row].decode(), "" if lost else os.uname().nodename)
            self.assertEqual(attempts[row], 2 if row in failed else 0 if lost else 1, f"task {row}")
        for row in failed:
            self.assertEqual(results["reason"][row], reason)
            self.assertIn(message, results["message"][row].decode())
            self.assertEqual(results["environment"][row], 0)
            self.assertEqual(results["attempts_used"][row], 2)

    def wait_for(self, what, condition):
        deadline = time.monotonic() + 20
        while not (found := condition()):
            self.assertLess(time.monotonic(), deadline, f"{what}\n{self.output()}")
            time.sleep(0.02)
        return found

    def wait_for_results(self):
        self.wait_for("no store", (self.folder / "s.h5").exists)
        self.wait_for("no results", lambda: (self.table("results")["status"] == DONE).any())

    def wait_for_tasks(self):
        """Until results come in; returns the pids of mpirun and of the ranks by number."""
        self.wait_for_results()
        return self.find_ranks()

    def find_ranks(self, workers=WORKERS):
        running = processes(self.folder)
        mpirun = next(pid for pid, (_, words) in running.items() if words[0] == "mpirun")
        ranks = [pid for pid, (parent, _) in running.items() if parent == mpirun]
        self.assertEqual(len(ranks), workers + 1)
        return mpirun, {rank_of(pid): pid for pid in ranks}

    def trainers(self):
        """The processes that tasks run in, pid -> number of the rank whose child's child it is."""
        numbers = {pid: number for number, pid in self.find_ranks()[1].items()}
        running = processes(self.folder)
        found = {pid: numbers[running[parent][0]] for pid, (parent, _) in running.items()
                 if parent in running and running[parent][0] in numbers}
        self.assertEqual(len(found), WORKERS)
        return found

    def busy_trainers(self):
        """Those that have a task: the fake one wakes up all the time."""
        before = {pid: switches(pid) for pid in self.trainers()}
        time.sleep(0.1)
        return [pid for pid, count in before.items() if switches(pid) > count + 5]

    def complete(self, fake="seconds=0"):
        """The next command tries again what failed."""
        self.sweepstake("run", "tiny.yaml", "--workers", WORKERS, "--store", "s.h5", check=0,
                        env={"SWEEPSTAKE_FAKE": fake} if fake else None)
        self.assert_all_done()

    def wait_for_attempt(self, task, number):
        self.wait_for("no task was handed out", lambda: (self.folder / "s.h5").exists()
                      and self.table("attempts")[task] == number)
        time.sleep(0.3)  # it is written before the task is sent

    def signal_busy_trainers(self, number):
        """Not the idle ones: the task might meet the signal again there."""
        for pid in self.wait_for("no trainer is busy", self.busy_trainers):
            os.kill(pid, number)

    def assert_no_worker_lost(self):
        for line in ("died", "nothing was heard", "gives up", "launch was lost"):
            self.assertNotIn(line, self.output())


class Faults(Base):
    # --- tasks ---

    def test_all_tasks_are_done_once_and_in_order(self):
        self.launch("seconds=0.01")
        self.finish(0)
        self.assert_all_done()
        self.assertEqual(set(self.table("attempts")), {1})
        environment = self.table("environment")
        self.assertEqual(environment["run"][0], 1)
        self.assertRegex(environment["libraries"][0].decode(), r"Open MPI v[0-9.]+, HDF5 [0-9.]+")
        self.assertEqual(environment["host"][0].decode(), os.uname().nodename)
        self.assertEqual(set(self.table("results")["environment"]), {0})

    def test_no_more_workers_than_tasks(self):
        self.write("tiny.yaml", "name: tiny\nrecipe: lenet-300-100\narchitecture: lenet-8-6\nprune: {rounds: 1}\n"
                   "dataset: {name: digits, train: 100, test: 10, validation: 10}\ntrain: {iterations: 5}\n")
        self.run = self.start("run", "tiny.yaml", "--workers", 50, "--store", "s.h5",
                              env={"SWEEPSTAKE_FAKE": "seconds=2"})
        self.wait_for("no task was handed out", lambda: (self.folder / "s.h5").exists()
                      and self.table("attempts").any())
        self.find_ranks(workers=2)  # one for each of two tasks
        self.finish(0)

    def test_a_task_that_fails_twice_is_tried_again(self):
        self.launch("fail=2:2")
        self.finish(0)
        self.assert_all_done()
        self.assertEqual(self.table("attempts")[2], 3)

    def test_a_task_that_always_fails_costs_its_descendants_only(self):
        self.launch("fail=1:99")
        self.finish(1)
        results, tasks = self.table("results"), self.table("tasks")
        self.assertEqual(results["status"][1], FAILED)
        self.assertEqual(results["message"][1], b"failed as it was told to")
        self.assertEqual(self.table("attempts")[1], 3)
        for row, parent in enumerate(tasks["parent"]):
            if row != 1:
                lost = parent >= 0 and results["status"][parent] in (FAILED, UNREACHABLE)
                self.assertEqual(results["status"][row], UNREACHABLE if lost else DONE)
        self.complete()

    def test_a_trainer_that_is_killed_costs_an_attempt_and_no_worker(self):
        self.launch("seconds=0 slow=0:3")
        self.wait_for_attempt(0, 1)
        self.signal_busy_trainers(signal.SIGKILL)
        self.finish(0)
        self.assert_all_done()
        self.assert_no_worker_lost()
        self.assertEqual(self.table("attempts")[0], 2)

    def test_a_task_that_crashes_twice_fails(self):
        self.launch("seconds=0 slow=1:60", "--attempts", "5")
        for attempt in (1, 2):
            self.wait_for_attempt(1, attempt)
            self.signal_busy_trainers(signal.SIGSEGV)
        self.finish(1)
        self.assert_no_worker_lost()
        self.assert_only_lost([1], CRASH, "its process crashed: Segmentation fault")
        self.complete()

    def test_a_task_that_stands_still_is_ended_before_its_worker_counts_as_silent(self):
        self.launch("seconds=0.02 silent=2:1", "--silence", "1")
        self.finish(0)
        self.assert_all_done()
        self.assert_no_worker_lost()
        self.assertEqual(self.table("attempts")[2], 2)

    def test_a_task_that_stands_still_twice_fails(self):
        self.launch("seconds=0 silent=1:9", "--silence", "1", "--attempts", "5")
        self.finish(1)
        self.assert_no_worker_lost()
        self.assert_only_lost([1], TIME, "made no step for 0.75 seconds")
        self.complete()

    def test_a_task_over_its_time_limit(self):
        self.launch("seconds=0 slow=1:60", "--task-limit", "0.5")
        self.finish(1)
        self.assert_no_worker_lost()
        self.assert_only_lost([1], TIME, "took longer than its limit of 0.5 seconds")
        self.complete()

    def test_a_task_over_its_memory_limit(self):
        """Real tasks: the network that is small enough is trained, in the same processes."""
        self.write("tiny.yaml", TWO_SIZES)
        self.launch(None, "--task-memory", "0.2", "--save-every", "0")
        self.finish(1)
        self.assert_no_worker_lost()
        large = [row for row, task in enumerate(self.table("tasks")) if task["dataset"] == b"shapes"
                 and task["parent"] < 0]
        self.assertEqual(len(large), 1)
        self.assert_only_lost(large, MEMORY, "memory")
        self.complete(fake=None)

    # --- workers ---

    def test_a_worker_that_crashes_loses_its_task_and_nothing_else(self):
        self.launch("seconds=0.02 crash=2:1")
        self.finish(0)
        self.assert_all_done()
        self.assertEqual(self.table("attempts")[2], 2)
        self.assertEqual(self.table("attempts").sum(), len(self.table("tasks")) + 1)

    def test_a_task_that_always_crashes_its_worker_fails(self):
        self.launch("seconds=0.02 crash=2:99")
        self.finish(1)
        results = self.table("results")
        self.assertEqual(results["status"][2], FAILED)
        self.assertEqual(results["reason"][2], LOST)
        self.assertEqual(results["host"][2].decode(), os.uname().nodename)
        self.assertEqual(self.table("attempts")[2], 3)

    def outlive(self, number):
        """Worker `number` stands still until it is presumed dead, and goes on: it must ask anew. All others are
        killed then, and the launch ends with it alone."""
        _, ranks = self.find_ranks()
        os.kill(ranks[number], signal.SIGSTOP)
        line = f"nothing was heard of worker {number} "
        self.wait_for("the worker is not missed", lambda: line in self.output())
        os.kill(ranks[number], signal.SIGCONT)
        time.sleep(2)  # until it has asked, on a busy machine too
        for rank in range(1, WORKERS + 1):
            if rank != number:
                os.kill(ranks[rank], signal.SIGKILL)
        self.finish(0)
        self.assert_all_done()
        self.assertEqual(self.output().count("nothing was heard"), 1, self.output())
        self.assertNotIn("launch was lost", self.output())

    def test_a_worker_that_stood_still_at_work_comes_back(self):
        # Its own attempt ends a second before the others are killed; the one that went to another would two after.
        self.launch("seconds=0.02 slow=0:4", "--silence", "3")
        self.wait_for_attempt(0, 1)
        busy, = self.busy_trainers()
        self.outlive(self.trainers()[busy])
        self.assertEqual(self.table("attempts")[0], 3, "its own, that of another which was killed, its own again")

    def test_an_idle_worker_that_stood_still_comes_back(self):
        self.launch("seconds=0.02 slow=0:6", "--silence", "1")
        self.wait_for_attempt(0, 1)
        busy, = self.busy_trainers()
        self.outlive(next(rank for pid, rank in self.trainers().items() if pid != busy))

    def test_a_worker_killed_from_outside(self):
        self.launch(LASTING)
        _, ranks = self.wait_for_tasks()
        os.kill(ranks[1], signal.SIGKILL)
        self.finish(0)
        self.assert_all_done()

    # --- tasks sent ahead ---

    def held(self):
        """Tasks that were sent to a worker and have no result yet."""
        sent = self.table("attempts") > 0
        return int((sent & (self.table("results")["status"] == 0)).sum())

    def launch_ahead(self, seconds, *options):
        """Until each worker has a task at hand and one that waits."""
        self.write("tiny.yaml", sweep.tiny_grid(seeds=f"1..{WORKERS // 2 + 1}"))
        self.launch(f"seconds={seconds}", *options)
        self.wait_for_results()
        self.wait_for("nothing is sent ahead", lambda: self.held() == 2 * WORKERS)

    def test_a_killed_worker_loses_the_task_at_hand_alone(self):
        self.launch_ahead(0.5)
        _, ranks = self.find_ranks()
        os.kill(ranks[1], signal.SIGKILL)
        self.finish(0)
        self.assert_all_done()
        self.assertEqual(self.table("attempts").sum(), len(self.table("tasks")) + 1)

    def test_a_stop_gives_back_what_was_sent_ahead(self):
        self.launch_ahead(1)
        self.run.terminate()
        self.finish(75, timeout=10)
        self.assertEqual(self.held(), 0)
        self.assertTrue((self.table("results")["status"] == 0).any())
        self.complete()
        self.assertEqual(set(self.table("attempts")), {1})

    def test_a_worker_that_stood_still_with_a_task_sent_ahead_comes_back(self):
        """What it has begun meanwhile is not its own: it gets nothing before that has ended."""
        self.launch_ahead(0.7, "--silence", "1")
        self.outlive(1)
        self.assertEqual(self.table("attempts").sum(), len(self.table("tasks")) + WORKERS, "one of each worker")

    # --- the others ---

    def test_the_death_of_the_master(self):
        self.launch(LASTING)
        _, ranks = self.wait_for_tasks()
        os.kill(ranks[0], signal.SIGKILL)
        self.finish(0)
        self.assert_all_done()

    def test_a_master_that_stands_still(self):
        self.launch(LASTING, "--silence", "1")
        _, ranks = self.wait_for_tasks()
        os.kill(ranks[0], signal.SIGSTOP)
        self.finish(0)
        self.assert_all_done()

    def test_the_death_of_mpirun(self):
        self.launch(LASTING)
        mpirun, _ = self.wait_for_tasks()
        os.kill(mpirun, signal.SIGKILL)
        self.finish(0)
        self.assert_all_done()

    def test_the_death_of_everybody_but_the_supervisor(self):
        self.launch(LASTING)
        mpirun, ranks = self.wait_for_tasks()
        for pid in (mpirun, *ranks.values()):
            os.kill(pid, signal.SIGKILL)
        self.finish(0)
        self.assert_all_done()

    def test_the_death_of_the_supervisor_ends_its_ranks(self):
        self.launch(LASTING)
        self.wait_for_tasks()
        self.run.kill()
        self.run.wait()
        self.wait_for("ranks outlive their supervisor", lambda: not processes(self.folder))
        self.launch("seconds=0")
        self.run.wait(timeout=60)
        self.assert_all_done()
        self.assertEqual(self.listing(), ["output.txt", "s.h5", "tiny.yaml"])

    def test_a_status_that_a_killed_supervisor_left(self):
        """It goes with the next run, which need not have anything to do."""
        self.launch("seconds=0")
        self.finish(0)
        for name in ("s.h5.status", "s.h5.status.tmp"):
            self.write(name, "0 1 0\n")
        self.launch("seconds=0")
        self.finish(0)

    # --- while all start ---

    def await_rank(self, role):
        return self.wait_for("no rank was started", lambda: roles(self.folder, self.run.pid, WORKERS)[role])[-1]

    def test_ranks_that_die_while_all_start(self):
        for role in ("worker", "master"):
            self.launch("seconds=0.01")
            os.kill(self.await_rank(role), signal.SIGKILL)
            self.finish(0)
            self.assert_all_done()
            self.assertIn("a rank was lost while all started", self.output())
            for name in ("s.h5", "output.txt"):
                (self.folder / name).unlink()

    def test_a_rank_that_stands_still_while_all_start(self):
        self.launch("seconds=0.01", "--silence", "1")
        os.kill(self.await_rank("worker"), signal.SIGSTOP)
        self.finish(0)
        self.assert_all_done()

    # --- signals ---

    def test_a_stop_gives_tasks_back(self):
        self.launch("seconds=30")
        self.wait_for("no task was handed out", lambda: (self.folder / "s.h5").exists()
                      and self.table("attempts").any())
        self.run.terminate()
        self.finish(75, timeout=10)
        self.assertEqual(self.table("attempts").sum(), 0)
        self.assertEqual(set(self.table("results")["status"]), {0})

    def test_a_stop_does_not_wait_long_for_a_worker_that_stands_still(self):
        self.launch(LASTING)
        _, ranks = self.wait_for_tasks()
        os.kill(ranks[1], signal.SIGSTOP)
        self.run.terminate()
        self.finish(75, timeout=25)  # SLURM kills after 30 seconds

    def test_ctrl_c_twice_does_not_wait_for_a_hanging_worker(self):
        self.launch("seconds=0.02 silent=2:1")
        self.wait_for("no task was handed out", lambda: (self.folder / "s.h5").exists()
                      and self.table("attempts")[2] == 1)
        time.sleep(0.3)
        self.run.send_signal(signal.SIGINT)
        time.sleep(0.3)
        self.run.send_signal(signal.SIGINT)
        self.finish(75, timeout=15)

    # --- waiting ---

    def test_waiting_costs_next_to_nothing(self):
        """One task is long: the master and all other workers wait for it."""
        self.launch("seconds=0 slow=0:6")
        self.wait_for("no task was handed out", lambda: (self.folder / "s.h5").exists()
                      and self.table("attempts").any())
        running = processes(self.folder)
        mpirun = next(pid for pid, (_, words) in running.items() if words[0] == "mpirun")
        watched = [pid for pid, (parent, _) in running.items() if parent == mpirun] + [mpirun, self.run.pid]
        time.sleep(0.5)
        before, start = [cpu_seconds(pid) for pid in watched], time.monotonic()
        time.sleep(3)
        passed = time.monotonic() - start
        shares = [(cpu_seconds(pid) - first) / passed for pid, first in zip(watched, before)]
        self.assertLess(max(shares), 0.05, "a process that only waits took more than 5% of a core")
        self.run.terminate()
        self.finish(75, timeout=10)


def switches(pid):
    """How often the process gave its core away."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    unittest.main(verbosity=2)
