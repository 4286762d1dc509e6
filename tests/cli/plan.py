"""What `sweepstake plan` says: what is shared, and what a store leaves to run."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import h5py
import sweep

# Four experiments of four levels; the two rates share their dense runs.
GRID = """\
name: shared
architecture: lenet-20-10
dataset: {name: digits, train: 600, test: 100, validation: 100}
train: {iterations: 100, batch: 20, evaluate: {every: 25}}
prune: {rounds: 3}
axes: {prune.rate.fc: [0.1, 0.2], seed: 1..2}
"""
# The loss is not finite after a step or two.
DIVERGING = """\
name: diverging
architecture: lenet-20-10
dataset: {name: digits, train: 600, test: 100, validation: 100}
train: {iterations: 100, batch: 20, optimizer: {name: sgd, learning_rate: 1e30}}
prune: {rounds: 1}
"""


class Plan(sweep.SweepTest):
    def plan(self, grid, *words):
        """What it says as text and as JSON."""
        text = self.sweepstake("plan", grid, *words, check=0).stdout
        return text, json.loads(self.sweepstake("plan", grid, *words, "--format", "json", check=0).stdout)

    def counts(self, figures):
        return {name: figures[name] for name in ("done", "diverged", "failed", "skipped", "unreachable", "to_run")
                if figures[name]}

    def run_grid(self, grid, *, check=0, fake=None):
        self.sweepstake("run", grid, "--store", "s.h5", "--workers", 1, check=check,
                        env={"SWEEPSTAKE_FAKE": fake} if fake else None)

    def test_sharing(self):
        self.write("g.yaml", GRID)
        text, figures = self.plan("g.yaml")
        self.assertIn("shared: 4 experiments, 16 points, 14 tasks (training runs)\n", text)
        self.assertIn("saves 2 of 16 training runs", text)
        self.assertIn(" on 2 workers; the longest chain takes ", text)
        self.assertEqual((figures["experiments"], figures["points"], figures["tasks"], figures["unshared_tasks"]),
                         (4, 16, 14, 16))
        self.assertEqual(self.counts(figures), {"to_run": 14})
        self.assertLess(figures["core_hours"], figures["unshared_core_hours"])
        self.assertAlmostEqual(figures["core_hours_left"] / figures["core_hours"], 1, places=4)
        self.assertEqual(self.listing(), ["g.yaml"])

    def test_workers_worth_asking_for(self):
        self.write("g.yaml", GRID)
        text, figures = self.plan("g.yaml")
        # four chains of four, of which two pairs share their dense run: two workers are busy all the time
        scales = {scale["workers"]: scale for scale in figures["scales"]}
        worth = figures["worth_workers"]
        self.assertGreaterEqual(worth, 2)
        self.assertGreaterEqual(scales[worth]["utilisation"], 0.75)
        self.assertLess(scales[2 * worth]["utilisation"], 0.75)
        self.assertEqual(scales[1]["utilisation"], 1)
        self.assertIn("  workers        makespan  utilisation\n", text)
        (line,) = [line for line in text.splitlines() if line.endswith("  the most that are worth it")]
        self.assertEqual(int(line.split()[0]), worth)

    def test_one_of_each_is_singular(self):
        self.write("one.yaml", GRID.replace("rounds: 3", "rounds: 0").replace("axes", "# axes"))
        text, _ = self.plan("one.yaml", "--workers", 1)
        self.assertIn("shared: 1 experiment, 1 point, 1 task (training run)\n", text)
        self.assertIn("saves 0 of 1 training run (", text)
        self.assertIn(" on 1 worker; ", text)

    def test_what_failed_and_what_it_held_up_are_to_run(self):
        self.write("g.yaml", GRID)
        self.run_grid("g.yaml", check=1, fake="seconds=0 fail=0:99")
        text, figures = self.plan("g.yaml", "--store", "s.h5")
        self.assertIn("  in s.h5: 7 done, 1 failed, 6 unreachable, 7 to run\n", text)
        self.assertEqual(self.counts(figures), {"done": 7, "failed": 1, "unreachable": 6, "to_run": 7})
        self.run_grid("g.yaml", fake="seconds=0")
        text, figures = self.plan("g.yaml", "--store", "s.h5")
        self.assertIn("  in s.h5: 14 done, 0 to run\n", text)
        self.assertNotIn("longest chain", text)
        self.assertEqual(self.counts(figures), {"done": 14})
        self.assertEqual((figures["core_hours_left"], figures["longest_chain_seconds"], figures["makespan_seconds"]),
                         (0, 0, 0))
        self.assertNotIn("utilisation", text)

    def test_time_is_of_what_is_left(self):
        self.write("g.yaml", GRID)
        self.run_grid("g.yaml", fake="seconds=0")
        with h5py.File(self.folder / "s.h5", "r") as file:
            task = int((file["tasks"]["level"] == 2).argmax())
        (self.folder / "s.h5").unlink()
        self.run_grid("g.yaml", check=1, fake=f"seconds=0 fail={task}:99")
        _, figures = self.plan("g.yaml", "--store", "s.h5", "--workers", 8)
        self.assertEqual(self.counts(figures), {"done": 12, "failed": 1, "unreachable": 1, "to_run": 2})
        seconds_left = figures["core_hours_left"] * 3600  # one chain of two
        self.assertLess(seconds_left, figures["core_hours"] * 3600 * 3 / 14)
        self.assertAlmostEqual(figures["longest_chain_seconds"] / seconds_left, 1, places=4)
        self.assertAlmostEqual(figures["makespan_seconds"] / seconds_left, 1, places=4)

    def test_below_diverged_nothing_is_to_run(self):
        self.write("d.yaml", DIVERGING)
        self.run_grid("d.yaml")
        text, figures = self.plan("d.yaml", "--store", "s.h5")
        self.assertIn("  in s.h5: 0 done, 1 diverged, 1 skipped, 0 to run\n", text)
        self.assertEqual(self.counts(figures), {"diverged": 1, "skipped": 1})

    def test_many_experiments_take_little_memory(self):
        self.write("g.yaml", GRID.replace("rounds: 3", "rounds: 0").replace("1..2", "1..100000"))
        plan = subprocess.Popen([sweep.PROGRAM, "plan", self.folder / "g.yaml"], stdout=subprocess.PIPE, text=True)
        text = plan.stdout.read()
        _, plan.returncode, usage = os.wait4(plan.pid, 0)
        self.assertEqual(plan.returncode, 0)
        self.assertIn("200000 experiments", text)
        self.assertLess(usage.ru_maxrss * 1024 / 200000, 1200, "bytes an experiment: those of its fields alone are more")

    def test_what_a_changed_grid_makes_of_a_store(self):
        self.write("g.yaml", GRID)
        self.write("h.yaml", GRID.replace("[0.1, 0.2]", "[0.2, 0.4]").replace("rounds: 3", "rounds: 4"))
        self.run_grid("g.yaml", fake="seconds=0")
        before = (self.folder / "s.h5").read_bytes()
        text, figures = self.plan("h.yaml", "--store", "s.h5")
        # 2 dense runs and 3 rounds of 0.2 on 2 seeds; new are its fourth and four of 0.4
        self.assertEqual((figures["kept"], figures["again"], figures["new"], figures["orphans"]), (8, 0, 10, 6))
        self.assertEqual(self.counts(figures), {"done": 8, "to_run": 10})
        self.assertIn("  in s.h5: 8 done, 10 to run\n", text)
        self.assertIn("  extending    8 tasks kept, 10 new, 6 orphans (kept, not asked for)\n", text)
        self.assertEqual((self.folder / "s.h5").read_bytes(), before, "plan changed the store")
        self.run_grid("h.yaml", fake="seconds=0")
        size = (self.folder / "s.h5").stat().st_size
        self.assertEqual((figures["store_bytes"], figures["extending_bytes"]), (size, size + len(before)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
