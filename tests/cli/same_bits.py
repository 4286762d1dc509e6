"""A result depends on the task alone: the same bits with 1, 2, 3 and 5 workers, under plain mpirun, and on any number of
threads."""
import os
import pathlib
import signal
import sys
import time
import unittest

import h5py

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import roles
import sweep


class SameBits(sweep.SweepTest):
    def test_same_bits_on_any_number_of_workers(self):
        self.write("tiny.yaml", sweep.tiny_grid())
        self.sweepstake("run", "tiny.yaml", "--workers", 1, "--store", "w1.h5", check=0)
        self.assertTrue((sweep.statuses(self.folder / "w1.h5") == 1).all())
        with h5py.File(self.folder / "w1.h5", "r") as store:
            self.assertEqual({0, 7}, set(store["results"]["sparse_layers"]) & {0, 7}, "dense and sparse layers")
        for workers in (2, 3, 5):
            self.sweepstake("run", "tiny.yaml", "--workers", workers, "--store", f"w{workers}.h5", check=0)
            self.assert_same_store("w1.h5", f"w{workers}.h5")
        self.sweepstake("run", "tiny.yaml", "--store", "plain.h5", check=0,
                        launcher=("mpirun", "--oversubscribe", "-n", "4"))
        self.assert_same_store("w1.h5", "plain.h5")

    def test_same_bits_on_any_number_of_threads(self):
        """Whether two threads did it all, or two workers of two were interrupted and one of three went on."""
        self.write("wide.yaml", """\
            recipe: conv-2
            dataset: {name: digits, train: 200, test: 60, validation: 60}
            train: {iterations: 12, evaluate: {every: 6}}
            prune: {rounds: 1, rate: {conv: 0.9, fc: 0.9}}
            """)
        self.sweepstake("run", "wide.yaml", "--workers", 1, "--store", "one.h5", check=0)
        said = self.sweepstake("run", "wide.yaml", "--workers", 1, "--threads", 2, "--store", "two.h5", check=0)
        self.assertIn("; 2 threads a worker", said.stderr)
        self.assert_same_store("one.h5", "two.h5")
        run = self.start("run", "wide.yaml", "--workers", 2, "--threads", 2, "--store", "cut.h5")
        self.wait_for(lambda: (self.folder / "cut.h5").exists())
        run.send_signal(signal.SIGTERM)
        self.assertIn(run.wait(timeout=60), (0, 75))
        self.sweepstake("run", "wide.yaml", "--workers", 1, "--threads", 3, "--store", "cut.h5", check=0)
        self.assert_same_store("one.h5", "cut.h5")

    def test_workers_that_fill_the_cores_are_pinned(self):
        """A core each for as many workers as there are cores; where they are fewer, all cores for all."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            self.skipTest("one core")
        self.write("long.yaml", sweep.tiny_grid(seeds="1..64", rounds=1))
        places = self.places_of_trainers("--workers", len(cores))
        self.assertEqual(sorted(map(list, places)), [[core] for core in cores])
        self.assertIn(f"worker 1 of {len(cores)} on its node: cores {cores[0]}\n", self.output())
        places = self.places_of_trainers("--workers", len(cores) - 1)
        self.assertEqual(places, [set(cores)] * (len(cores) - 1))

    def wait_for(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end, self.output())
            time.sleep(0.02)

    def places_of_trainers(self, *options):
        """The cores that each trainer of a run may use."""
        run = self.start("run", "long.yaml", "--store", "long.h5", "--verbose", *options)
        trainers = []
        try:
            def train():
                trainers[:] = roles.roles(self.folder, run.pid, options[1])["trainer"]
                return len(trainers) == options[1]
            self.wait_for(train)
            return [os.sched_getaffinity(pid) for pid in trainers]
        finally:
            run.send_signal(signal.SIGTERM)
            run.wait(timeout=60)
            for path in self.folder.glob("long*.h5*"):
                path.unlink()

    def test_different_seeds_differ(self):
        self.write("a.yaml", sweep.tiny_grid(seeds="[1]", rounds=1))
        self.write("b.yaml", sweep.tiny_grid(seeds="[2]", rounds=1))
        self.sweepstake("run", "a.yaml", "--workers", 1, "--store", "a.h5", check=0)
        self.sweepstake("run", "b.yaml", "--workers", 1, "--store", "b.h5", check=0)
        different = sweep.compare_stores(self.folder / "a.h5", self.folder / "b.h5")
        self.assertIn("curves", different)

    def test_a_finished_grid_is_not_run_again(self):
        self.write("tiny.yaml", sweep.tiny_grid(seeds="[1]", rounds=1))
        self.sweepstake("run", "tiny.yaml", "--workers", 2, "--store", "s.h5", check=0)
        before = (self.folder / "s.h5").read_bytes()
        again = self.sweepstake("run", "tiny.yaml", "--workers", 2, "--store", "s.h5", check=0)
        self.assertEqual(before, (self.folder / "s.h5").read_bytes())
        self.assertIn("P_m", again.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
