"""What `sweepstake run --simulate` says: the schedule in virtual time, by seed, with what a store has measured."""
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import h5py
import sweep

# 2 seeds, each a dense run, three tickets and two controls beside each.
GRID = """\
name: played
architecture: lenet-20-10
dataset: {name: digits, train: 600, test: 100, validation: 100}
train: {iterations: 100, batch: 20, evaluate: {every: 25}}
prune: {rounds: 3}
controls: [{kind: reinit, draws: 2}]
axes: {seed: 1..2}
"""
TASKS = 2 * (1 + 3 * 3)


class Simulate(sweep.SweepTest):
    def simulate(self, words, *others, check=0):
        run = self.sweepstake("run", "g.yaml", "--simulate", words, *others, check=check)
        return re.sub(r"  measured here .*\n", "", run.stdout) if check == 0 else run.stderr

    def setUp(self):
        super().setUp()
        self.write("g.yaml", GRID)

    def test_many_ranks_take_the_critical_path(self):
        text = self.simulate("ranks=1000,gflops=1")
        self.assertIn("played on 1000 ranks, in virtual time\n", text)
        self.assertIn("  durations      estimated at gflops=1 a rank\n", text)
        self.assertIn(" in 4 tasks, 100% of the makespan\n", text)
        self.assertIn(f"  tasks          {TASKS} done\n", text)
        self.assertIn(f"  hand-outs      {TASKS}, 0 of them retries; 0.00% of the time trained was lost\n", text)
        self.assertIn("  utilisation    100.0%\n", self.simulate("ranks=1,gflops=1"))
        self.assertEqual(self.listing(), ["g.yaml"], "something was written")

    def test_seeds_decide_what_befalls(self):
        words = "ranks=3,gflops=0.001,failures=0.3,losses=0.1,seed={}"
        first, again, other = (self.simulate(words.format(seed), "--attempts", 9) for seed in (5, 5, 6))
        self.assertEqual(first, again)
        self.assertNotEqual(first.replace("seed 5", ""), other.replace("seed 6", ""))
        self.assertIn("; 30 of 100 hand-outs fail; 0.1 deaths an hour of each rank; seed 5\n", first)

    def test_attempts_end(self):
        text = self.simulate("ranks=4,gflops=1,failures=1", "--attempts", 2)
        self.assertIn(f"  tasks          0 done, 2 failed, {TASKS - 2} unreachable\n", text)
        self.assertIn("  hand-outs      4, 2 of them retries; 100.00% of the time trained was lost\n", text)

    def test_finished_tasks_take_what_they_took(self):
        self.sweepstake("run", "g.yaml", "--workers", 1, check=0, env={"SWEEPSTAKE_FAKE": "seconds=0"})
        with h5py.File(self.folder / "played.h5", "r+") as file:
            rows = file["results"][()]
            rows["seconds"] = 3600
            file["results"][...] = rows
        text = self.simulate("ranks=1,gflops=1")
        self.assertIn(f"  durations      {TASKS} of {TASKS} as played.h5 says, the others ", text)
        self.assertIn(f"  makespan       {TASKS} h 0 min\n", text)
        self.assertIn("  critical path  4 h 0 min in 4 tasks, 20% of the makespan\n", text)
        before = (self.folder / "played.h5").read_bytes()
        # Another grid finds the tasks it shares: of four rounds the first three.
        self.write("g.yaml", GRID.replace("rounds: 3", "rounds: 4"))
        text = self.simulate("ranks=100,gflops=1000", "--store", "played.h5")
        self.assertIn(f"  durations      {TASKS} of {TASKS + 6} as played.h5 says, the others ", text)
        self.assertIn("  makespan       4 h 0 min\n", text)
        self.assertEqual((self.folder / "played.h5").read_bytes(), before, "the store was changed")

    def test_below_diverged_nothing_is_played(self):
        diverging = GRID.replace("batch: 20,", "batch: 20, optimizer: {name: sgd, learning_rate: 1e30},")
        self.write("g.yaml", diverging)
        self.sweepstake("run", "g.yaml", "--workers", 1, "--quiet", check=0)
        self.assertIn("  tasks          0 done, 2 diverged, 18 skipped\n", self.simulate("ranks=2,gflops=1"))

    def test_words_that_are_none(self):
        for words, complaint in (("rank=3", "'rank' is none of ranks, failures, losses, seed, gflops; did you mean ranks=?"),
                                 ("ranks=0", "ranks is '0'; expected a whole number from 1 to 1e+06"),
                                 ("ranks=2.5", "ranks is '2.5'; expected a whole number"), ("ranks", "ranks is ''; expected"),
                                 ("ranks=4,", "'' is none of"), ("", "'' is none of"), ("failures=nan", "from 0 to 1"),
                                 ("ranks=4,failures=1.5", "failures is '1.5'; expected a number from 0 to 1")):
            self.assertIn(complaint, self.simulate(words, check=2))
        self.write("played.h5", "no store")
        self.assertIn("played.h5", self.simulate("ranks=2", check=2))
        self.assertEqual(self.listing(), ["g.yaml", "played.h5"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
