"""A grid run in parts and joined: the store of one run of the whole."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import sweep


class Parts(sweep.SweepTest):
    def setUp(self):
        super().setUp()
        # Rates, which vary slowly, share the dense run of their seed; seeds share nothing.
        self.write("tiny.yaml", sweep.tiny_grid(iterations=60, train=600, rounds=1).replace(
            "axes: {seed: 1..2}", "axes: {prune.rate.fc: [0.5, 0.3], seed: 1..4}\n"
            "exclude: [{prune.rate.fc: 0.3, seed: 1}, {prune.rate.fc: 0.3, seed: 3}]"))

    def plan(self, *words):
        return json.loads(self.sweepstake("plan", "tiny.yaml", "--format", "json", *words, check=0).stdout)

    def test_parts_together_are_the_whole(self):
        whole = self.plan()
        parts = [self.plan("--part", f"{number}/3") for number in (1, 2, 3)]
        self.assertEqual(sum(part["tasks"] for part in parts), whole["tasks"])
        for number, workers in ((1, 1), (2, 3), (3, 1)):
            self.sweepstake("run", "tiny.yaml", "--part", f"{number}/3", "--workers", workers, "--quiet", check=0)
        again = self.sweepstake("run", "tiny.yaml", "--part", "2/3", "--workers", 1, check=0)
        self.assertIn("tiny.2-of-3.h5 is complete: nothing to do", again.stderr)
        self.sweepstake("run", "tiny.yaml", "--store", "single.h5", "--workers", 1, "--quiet", check=0)
        stores = ["tiny.3-of-3.h5", "tiny.1-of-3.h5", "tiny.2-of-3.h5"]
        self.sweepstake("merge", *stores, "--into", "tiny.h5", "--grid", "tiny.yaml", check=0)
        self.assert_same_store("tiny.h5", "single.h5")
        self.sweepstake("verify", "tiny.h5", check=0)
        self.assertIn("nothing to do", self.sweepstake("run", "tiny.yaml", "--workers", 1, check=0).stderr)
        # Without the grid it is the same in another order, until the grid is run on it.
        self.sweepstake("merge", *stores, "--into", "any.h5", check=0)
        self.assert_holds("any.h5", "single.h5")
        self.sweepstake("run", "tiny.yaml", "--store", "any.h5", "--workers", 1, "--quiet", check=0)
        self.assert_same_store("any.h5", "single.h5")

    def test_a_part_grows_to_the_whole(self):
        self.sweepstake("run", "tiny.yaml", "--part", "1/2", "--store", "s.h5", "--workers", 1, "--quiet", check=0)
        before = len(sweep.statuses(self.folder / "s.h5"))
        self.sweepstake("run", "tiny.yaml", "--store", "s.h5", "--workers", 2, "--quiet", check=0)
        self.sweepstake("run", "tiny.yaml", "--store", "single.h5", "--workers", 1, "--quiet", check=0)
        self.assertLess(before, len(sweep.statuses(self.folder / "s.h5")))
        self.assert_same_store("s.h5", "single.h5")

    def test_what_is_no_part_is_refused(self):
        before = self.listing()
        for part, what in (("0/3", "not '0/3'"), ("4/3", "not '4/3'"), ("1", "not '1'"), ("1/2x", "not '1/2x'"),
                           ("1/1000", "K from 1 to 256"), ("1/5", "give at most 4")):
            for command in ("run", "plan"):
                self.assertIn(what, self.sweepstake(command, "tiny.yaml", "--part", part, check=2).stderr)
        self.assertEqual(self.listing(), before)


if __name__ == "__main__":
    unittest.main()
