"""SIGKILL while a store is extended or two are merged, at moments by seed: the old store or the new one stands
there, whole, and the same command then ends as it would have. KILLS (default 16) and SEED (default 1) can be set."""
import os
import pathlib
import random
import shutil
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import sweep

KILLS = int(os.environ.get("KILLS", "16"))
SEED = int(os.environ.get("SEED", "1"))


def grid(**changes):
    """Stores of some 50 MB, so that copying takes a while."""
    values = {**dict(iterations=60, train=600, seeds="[1]", rounds=4), **changes}
    return sweep.tiny_grid(**values).replace("lenet-40-20", "lenet-300-100")


class KillGrowing(sweep.SweepTest):
    def start_and_kill(self, new_file, moment, *words):
        """Kills everything a moment after the new file began to be made; returns whether it was still there."""
        run = self.start(*words)
        while not (self.folder / new_file).exists() and run.poll() is None:
            pass
        time.sleep(moment)
        sweep.kill_everything(self.folder)
        run.wait()
        return (self.folder / new_file).exists()

    def test_growing(self):
        for workers in (1, 3):
            with self.subTest(workers=workers):
                self.kill_growing(workers, random.Random(SEED * 1000 + workers), KILLS // 2)

    def kill_growing(self, workers, moments, kills):
        self.write("old.yaml", grid())
        self.write("new.yaml", grid(seeds="1..2", rounds=3))
        self.sweepstake("run", "old.yaml", "--workers", 1, "--store", "old.h5", check=0)
        self.sweepstake("run", "new.yaml", "--workers", 1, "--store", "fresh.h5", check=0)
        words = ("run", "new.yaml", "--workers", workers, "--store", "s.h5")
        within = 0
        for _ in range(kills):
            shutil.copy(self.folder / "old.h5", self.folder / "s.h5")
            within += self.start_and_kill("s.h5.new", moments.uniform(0, 0.06), *words)
            self.sweepstake("verify", "s.h5", check=0)
            self.assert_holds("s.h5", "old.h5")
            self.sweepstake(*words, check=0)
            self.assertFalse((self.folder / "s.h5.new").exists())
            self.assert_holds("s.h5", "old.h5")
            self.assert_holds("s.h5", "fresh.h5")
        self.assertGreater(within, 0, "no kill met a file that was being made")
        for name in ("old.h5", "fresh.h5"):
            (self.folder / name).unlink()

    def test_merging(self):
        moments = random.Random(SEED)
        for name, seeds in (("a", "[1]"), ("b", "[2]")):
            self.write(f"{name}.yaml", grid(seeds=seeds))
            self.sweepstake("run", f"{name}.yaml", "--workers", 1, "--store", f"{name}.h5", check=0)
        sources = [(self.folder / name).read_bytes() for name in ("a.h5", "b.h5")]
        words = ("merge", "a.h5", "b.h5", "--into", "c.h5")
        for _ in range(KILLS // 2):
            self.start_and_kill("c.h5.new", moments.uniform(0, 0.06), *words)
            if not (self.folder / "c.h5").exists():
                self.sweepstake(*words, check=0)
            self.sweepstake("verify", "c.h5", check=0)
            self.assert_holds("c.h5", "a.h5")
            self.assert_holds("c.h5", "b.h5")
            (self.folder / "c.h5").unlink()
        self.assertEqual([(self.folder / name).read_bytes() for name in ("a.h5", "b.h5")], sources)


if __name__ == "__main__":
    unittest.main(verbosity=2)
