"""Sweeps as jobs of a real SLURM: on two nodes, warned, out of time, preempted, cancelled. Each ends complete, and with
the bits of a run in one process."""
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import sweep
from cluster import Cluster

GRID = """\
name: {name}
recipe: lenet-300-100
architecture: lenet-40-20
dataset: {{name: digits, train: 1500, test: 300, validation: 200}}
train: {{iterations: {iterations}, evaluate: {{every: {every}}}}}
prune: {{rounds: 3, rate: {{fc: 0.5, output: half}}}}
axes: {{seed: 1..2}}
"""

# The second node is this host too, and all tests run as root.
SITE = "environment: {OMPI_MCA_btl_tcp_if_include: lo, OMPI_MCA_oob_tcp_if_include: lo}\n"


class SweepsTest(sweep.SweepTest):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.stop)

    def setUp(self):
        super().setUp()
        self.write("slurm/site.yaml", SITE)
        self.addCleanup(self.cancel_all)  # before the folder is removed

    def cancel_all(self):
        jobs = self.cluster.jobs()
        if jobs:
            self.cluster.ask("scancel", *jobs)
            self.cluster.wait(lambda: not self.cluster.jobs(), 60, "jobs survive scancel")

    def make_grid(self, seconds):
        """A grid that keeps one core for about so long (as `plan` estimates), and the same run in one process, which is
        waited for in assert_complete."""
        def grid(iterations):
            return GRID.format(name="sweep", iterations=iterations, every=max(20, iterations // 20))
        self.write("sweep.yaml", grid(10000))
        hours = json.loads(self.sweepstake("plan", "sweep.yaml", "--format", "json", check=0).stdout)["core_hours"]
        self.write("sweep.yaml", grid(max(100, int(10000 * seconds / (hours * 3600)))))
        self.single = self.start("run", "sweep.yaml", "--store", "single.h5", "--workers", "1", "--quiet")

    def submit(self, *lines):
        self.write("job.yaml", "\n".join(("grid: sweep.yaml", "cluster: site", *lines, "")))
        said = self.sweepstake("submit", "job.yaml", env=self.cluster.environment, check=0).stdout
        return re.match(r"job (\d+):", said)[1]

    def log(self):
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("sweep.h5.*.log")))

    def wait_until_saving_is_worth_it(self, launches):
        """The launch of this number trains: its progress is in the log."""
        def trains():
            return len(re.findall(r" running \|", self.log().split("kernels:")[-1])) > 0 and \
                self.log().count("kernels:") >= launches
        self.cluster.wait(trains, 90, "the job does not get to train")

    def assert_complete(self, seconds=300):
        self.cluster.wait(lambda: not self.cluster.jobs(), seconds, "the jobs do not end")
        self.assertEqual(self.single.wait(timeout=300), 0, self.output())
        self.assertTrue((self.folder / "sweep.h5").exists(), self.log())
        self.sweepstake("verify", "sweep.h5", check=0)
        self.assert_same_store("sweep.h5", "single.h5")
        self.assertNotIn("sweep.h5.job", self.listing())
        self.assertNotIn("sweep.checkpoint.h5", self.listing())

    def test_two_nodes(self):
        self.make_grid(4)
        self.submit("nodes: 2", "ranks_per_node: 1")
        again = self.sweepstake("submit", "job.yaml", env=self.cluster.environment, check=2)
        self.assertIn("is at it already", again.stderr)
        self.assert_complete()
        done = self.sweepstake("submit", "job.yaml", env=self.cluster.environment, check=0)
        self.assertIn("is complete", done.stdout)

    def test_warned_twice_in_a_row_and_again(self):
        """`scancel -b -s USR1` does what the warning before the end of the time does."""
        self.make_grid(30)
        job = self.submit("nodes: 2", "ranks_per_node: 1")
        for launch in (1, 2):
            self.wait_until_saving_is_worth_it(launch)
            for _ in range(launch):
                self.cluster.ask("scancel", "-b", "-s", "USR1", job)
            self.cluster.wait(lambda: self.cluster.show(job).get("Restarts") == str(launch), 60, "not requeued")
        self.assert_complete()
        self.assertEqual(self.log().count("back in the queue"), 2)

    def test_out_of_time(self):
        """A minute, SLURM's shortest, of which the run takes half: it saves on its own, again and again."""
        self.make_grid(75)
        job = self.submit("workers: 1", "wall_time: 00:01:00")
        self.assert_complete(900)
        self.assertGreaterEqual(int(self.cluster.show(job)["Restarts"]), 2)
        self.assertEqual(self.cluster.show(job)["JobState"], "COMPLETED")

    def preempt(self):
        self.wait_until_saving_is_worth_it(1)
        self.cluster.ask("sbatch", "--partition=high", "--nodes=2", "--exclusive", "--output=/dev/null",
                         "--wrap=sleep 3")

    def test_preempted_and_requeued(self):
        self.make_grid(20)
        job = self.submit("nodes: 2", "ranks_per_node: 1", "partition: low")
        self.preempt()
        self.assert_complete()
        self.assertGreaterEqual(int(self.cluster.show(job)["Restarts"]), 1)

    def test_preempted_and_followed(self):
        self.make_grid(20)
        job = self.submit("nodes: 2", "ranks_per_node: 1", "partition: fleeting", "preemption: cancel")
        self.preempt()
        self.assert_complete()
        follower = re.search(r"saved; job (\d+) goes on", self.log())[1]
        self.assertNotEqual(follower, job)
        self.assertEqual(self.cluster.show(follower)["JobState"], "COMPLETED")

    def test_cancelled(self):
        self.make_grid(20)
        job = self.submit("workers: 2")
        self.wait_until_saving_is_worth_it(1)
        self.cluster.ask("scancel", job)
        self.cluster.wait(lambda: not self.cluster.jobs(), 60, "it comes back")
        self.assertEqual(self.cluster.show(job)["JobState"], "CANCELLED", self.log())
        self.sweepstake("verify", "sweep.h5", check=0)
        self.submit("workers: 2")
        self.assert_complete()

    def test_a_hostile_job_does_nothing(self):
        self.make_grid(1)
        for key in ("grid", "store", "data", "partition", "account", "qos", "mail", "wall_time", "memory"):
            for value in ("x; touch hurt", "x\\n#SBATCH --wrap=\\ntouch hurt", "$(touch hurt)", "x --wrap='touch hurt'"):
                self.write("job.yaml", f'{"" if key == "grid" else "grid: sweep.yaml"}\n{key}: "{value}"\n')
                self.sweepstake("submit", "job.yaml", env=self.cluster.environment, check=2)
        self.assertEqual(self.cluster.jobs(), [])
        self.assertNotIn("hurt", self.listing())
        self.single.wait(timeout=60)


if __name__ == "__main__":
    unittest.main()
