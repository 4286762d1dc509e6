"""A result depends on the task alone: the same bits with 1, 2, 3 and 5 workers and under plain mpirun."""
import sys
import pathlib
import unittest

import h5py

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
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
