"""Sweeps as jobs of a real SLURM: on two nodes, in parts, warned, out of time, preempted, cancelled, their node given
up. Each ends complete, and with the bits of a run in one process."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import sweep
from cluster import Cluster

GRID = """\
name: sweep
recipe: lenet-300-100
architecture: lenet-40-20
dataset: {{name: digits, train: 1500, test: 300, validation: 200}}
train: {{iterations: {iterations}, evaluate: {{every: {every}}}}}
prune: {{rounds: 3, rate: {{fc: 0.5, output: half}}}}
axes: {{seed: 1..2}}
"""

# The other nodes are this host too, and all tests run as root.
SITE = "environment: {OMPI_MCA_btl_tcp_if_include: lo, OMPI_MCA_oob_tcp_if_include: lo}\n"

SECONDS = 14       # that the tests' grid keeps one core for, by `plan`: enough to be interrupted twice
SLOW_SECONDS = 62  # more than two jobs of a minute, each of which saves half a minute before its end


def run(folder, *words, launcher=(), **more):
    return subprocess.run([*launcher, sweep.PROGRAM, *words], cwd=folder, check=True, text=True, stdout=subprocess.PIPE,
                          **more)


def write_grid(folder, seconds):
    def write(iterations):
        (folder / "sweep.yaml").write_text(GRID.format(iterations=iterations, every=max(20, iterations // 20)))
    write(10000)
    hours = json.loads(run(folder, "plan", "sweep.yaml", "--format", "json").stdout)["core_hours"]
    write(max(100, int(10000 * seconds / (hours * 3600))))


class Sweeps(sweep.SweepTest):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.stop)
        cls.common, cls.slow = cls.make_folder(), cls.make_folder()
        write_grid(cls.common, SECONDS)
        write_grid(cls.slow, SLOW_SECONDS)
        cls.slow_job = cls.submit_in(cls.slow, "workers: 1", "wall_time: 00:01:00", "partition: apart")
        cls.references = {folder: cls.start_reference(folder) for folder in (cls.common, cls.slow)}

    @classmethod
    def start_reference(cls, folder):
        """The same grid in one process, beside all that is tested."""
        return subprocess.Popen(["nice", sweep.PROGRAM, "run", "sweep.yaml", "--store", "single.h5", "--workers", "1",
                                 "--quiet"], cwd=folder)

    @classmethod
    def make_folder(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="sweepstake-test-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.addClassCleanup(sweep.kill_everything, folder)
        return folder

    @classmethod
    def submit_in(cls, folder, *lines, options=()):
        (folder / "slurm").mkdir(exist_ok=True)
        (folder / "slurm/site.yaml").write_text(SITE)
        (folder / "job.yaml").write_text("\n".join(("grid: sweep.yaml", "cluster: site", *lines, "")))
        said = run(folder, "submit", "job.yaml", *options, env=cls.cluster.environment).stdout
        return re.match(r"job (\d+):", said)[1]

    def setUp(self):
        super().setUp()
        shutil.copy(self.common / "sweep.yaml", self.folder)
        self.addCleanup(self.cancel_all)  # before the folder is removed

    def jobs(self):
        """All but the one that takes its time."""
        return [job for job in self.cluster.jobs() if job != self.slow_job]

    def cancel_all(self):
        if self.jobs():
            self.cluster.ask("scancel", *self.jobs())
            self.cluster.wait(lambda: not self.jobs(), 60, "jobs survive scancel")

    def submit(self, *lines, options=()):
        return self.submit_in(self.folder, *lines, options=options)

    def log(self, folder=None):
        return "".join(path.read_text(errors="replace") for path in sorted((folder or self.folder).glob("*.h5.*.log")))

    def wait_until_it_trains(self, launches=1):
        """In the launch of this number, and some iterations are done that can be saved."""
        self.cluster.wait(lambda: self.log().count("kernels:") >= launches, 90, "the job does not get to train")
        time.sleep(1.5)

    def assert_complete(self, seconds=200):
        self.cluster.wait(lambda: not self.jobs(), seconds, "the jobs do not end\n" + self.log())
        self.assert_whole(self.folder, self.common)

    def assert_whole(self, folder, reference):
        self.assertTrue((folder / "sweep.h5").exists(), self.log(folder))
        run(folder, "verify", "sweep.h5")
        self.assertEqual(self.references[reference].wait(timeout=300), 0)
        self.assertEqual(sweep.compare_stores(folder / "sweep.h5", reference / "single.h5"), [], self.log(folder))
        self.assertEqual([str(path) for path in folder.glob("*.job")] + list(folder.glob("sweep*.checkpoint.h5")), [])

    def test_two_nodes(self):
        self.submit("nodes: 2", "ranks_per_node: 1")
        again = self.sweepstake("submit", "job.yaml", env=self.cluster.environment, check=2)
        self.assertIn("is at it already", again.stderr)
        self.assert_complete()
        done = self.sweepstake("submit", "job.yaml", env=self.cluster.environment, check=0)
        self.assertIn("is complete", done.stdout)

    def test_array(self):
        """Two jobs at once, each with a part of the grid; one is warned and goes on, as a single job does."""
        job = self.submit("workers: 1", options=("--array", "2"))
        again = self.sweepstake("submit", "job.yaml", "--array", 2, env=self.cluster.environment, check=2)
        self.assertIn("is at it already", again.stderr)
        self.wait_until_it_trains(2)
        self.cluster.ask("scancel", "-b", "-s", "USR1", job)
        self.assert_complete()
        self.assertEqual(self.cluster.show(job)["Restarts"], "1")
        self.assertEqual(self.log().count("joined all parts into sweep.h5"), 1)

    def test_warned_twice_in_a_row_and_again(self):
        """`scancel -b -s USR1` does what the warning before the end of the time does."""
        job = self.submit("nodes: 2", "ranks_per_node: 1")
        for launch in (1, 2):
            self.wait_until_it_trains(launch)
            for _ in range(launch):
                self.cluster.ask("scancel", "-b", "-s", "USR1", job)
            self.cluster.wait(lambda: self.cluster.show(job).get("Restarts") == str(launch), 60, "not requeued")
        self.assert_complete()
        self.assertEqual(self.log().count("back in the queue"), 2)

    def test_wall_time_too_short(self):
        """A minute, SLURM's shortest, of which the run takes half: it saves on its own, again and again. It was
        submitted before all other tests."""
        self.cluster.wait(lambda: self.slow_job not in self.cluster.jobs(), 300, "the job does not end")
        self.assert_whole(self.slow, self.slow)
        self.assertGreaterEqual(int(self.cluster.show(self.slow_job)["Restarts"]), 2)
        self.assertEqual(self.cluster.show(self.slow_job)["JobState"], "COMPLETED")

    def preempt(self):
        self.wait_until_it_trains()
        self.cluster.ask("sbatch", "--partition=high", "--nodes=2", "--exclusive", "--output=/dev/null",
                         "--wrap=sleep 1")

    def test_preempted_and_requeued(self):
        job = self.submit("nodes: 2", "ranks_per_node: 1", "partition: low")
        self.preempt()
        self.assert_complete()
        self.assertGreaterEqual(int(self.cluster.show(job)["Restarts"]), 1)

    def test_preempted_and_followed(self):
        job = self.submit("nodes: 2", "ranks_per_node: 1", "partition: fleeting", "preemption: cancel")
        self.preempt()
        self.assert_complete()
        follower = re.search(r"saved; job (\d+) goes on", self.log())[1]
        self.assertNotEqual(follower, job)
        self.assertEqual(self.cluster.show(follower)["JobState"], "COMPLETED")

    def test_cancelled(self):
        job = self.submit("workers: 2")
        self.wait_until_it_trains()
        self.cluster.ask("scancel", job)
        self.cluster.wait(lambda: not self.jobs(), 60, "it comes back")
        self.assertEqual(self.cluster.show(job)["JobState"], "CANCELLED", self.log())
        self.sweepstake("verify", "sweep.h5", check=0)
        self.submit("workers: 2")
        self.assert_complete()

    def lose_slurmd(self, *lines):
        """SLURM gives the node up that the script runs on, and puts the job back into the queue."""
        job = self.submit(*lines)
        self.wait_until_it_trains()
        self.cluster.lose_node("n1")
        self.cluster.wait(lambda: self.cluster.show(job).get("Restarts") == "1", 60, "the node is not given up")
        self.sweepstake("verify", "sweep.h5", check=0)

    def test_slurmd_lost_of_one_node(self):
        """The run goes on there, unknown to SLURM, until the job's next one, on the other node, tells it to end."""
        self.lose_slurmd("workers: 2")
        try:
            self.assert_complete()
        finally:
            self.cluster.start_nodes("n1")
        self.assertIn("telling it to end", self.log())

    def test_slurmd_lost_of_two_nodes(self):
        """The job waits until there are two nodes again."""
        self.lose_slurmd("nodes: 2", "ranks_per_node: 1")
        self.cluster.start_nodes("n1")
        self.assert_complete()

    def test_srun_on_one_node(self):
        """A master and a worker without mpirun and supervisor."""
        run(self.folder, "run", "sweep.yaml", "--quiet", env=self.cluster.environment,
            launcher=("srun", "--partition=low", "--nodes=1", "--ntasks=2", "--mpi=pmix"))
        self.assert_complete()

    def test_a_hostile_job_does_nothing(self):
        for key in ("grid", "store", "data", "partition", "account", "qos", "mail", "wall_time", "memory"):
            for value in ("x; touch hurt", "x\\n#SBATCH --wrap=\\ntouch hurt", "$(touch hurt)", "x --wrap='touch hurt'"):
                self.write("job.yaml", f'{"" if key == "grid" else "grid: sweep.yaml"}\n{key}: "{value}"\n')
                self.sweepstake("submit", "job.yaml", env=self.cluster.environment, check=2)
        self.assertEqual(self.jobs(), [])
        self.assertNotIn("hurt", self.listing())


if __name__ == "__main__":
    unittest.main()
