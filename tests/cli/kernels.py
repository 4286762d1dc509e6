"""--kernels: how pruned layers compute is fixed in a store, told with each result, and changes no outcome but rounding."""
import pathlib
import sys
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import sweep

GRID = sweep.tiny_grid(seeds="[1]", rounds=4, dropout=0, iterations=200)


class Kernels(sweep.SweepTest):
    def run_with(self, kernels, store, **options):
        self.write("tiny.yaml", GRID)
        words = () if kernels is None else ("--kernels", kernels)
        return self.sweepstake("run", "tiny.yaml", "--workers", 1, "--store", store, *words, **options)

    def results(self, store):
        with h5py.File(self.folder / store, "r") as file:
            return file["results"][:], file["tasks"][:]

    def mode(self, store):
        with h5py.File(self.folder / store, "r") as file:
            mode = file.attrs["kernel_mode"]
        return mode.decode() if isinstance(mode, bytes) else mode

    def test_modes_agree_and_say_what_they_did(self):
        scores = {}
        for kernels in ("auto", "dense", "sparse"):
            done = self.run_with(kernels, f"{kernels}.h5", check=0)
            self.assertRegex(done.stderr, rf"kernels: \w+ instructions, mode \w+-{kernels}")
            self.assertTrue(self.mode(f"{kernels}.h5").endswith("-" + kernels))
            results, tasks = self.results(f"{kernels}.h5")
            scores[kernels] = results["test_accuracy_final"]
            sparse = {level: set(results["sparse_layers"][tasks["level"] == level]) for level in (0, 1, 4)}
            self.assertEqual(sparse[0], {7} if kernels == "sparse" else {0})
            self.assertEqual(sparse[4], {0} if kernels == "dense" else {7})
            self.sweepstake("verify", f"{kernels}.h5", check=0)
        for kernels in ("auto", "sparse"):
            self.assertLess(numpy.abs(scores[kernels] - scores["dense"]).mean(), 0.02)
            self.assertNotEqual(sweep.compare_stores(self.folder / "dense.h5", self.folder / f"{kernels}.h5"), "")

    def test_a_store_keeps_its_mode(self):
        self.run_with("dense", "s.h5", check=0)
        before = (self.folder / "s.h5").read_bytes()
        refused = self.run_with("auto", "s.h5")
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("--kernels dense", refused.stderr)
        self.run_with(None, "s.h5", check=0)
        self.run_with("dense", "s.h5", check=0)
        self.assertEqual(before, (self.folder / "s.h5").read_bytes())

    def test_words_that_are_no_mode(self):
        refused = self.run_with("fast", "s.h5")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("auto, dense or sparse", refused.stderr)
        self.assertFalse((self.folder / "s.h5").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
