"""SIGKILL to every process at random moments, then the same command again: nothing finished is lost, and the
bits are those of an uninterrupted run. KILLS (default 20) and SEED (default 1) can be set."""
import os
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import sweep

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("SEED", "1"))


class KillAll(sweep.SweepTest):
    def kill_and_resume(self, workers, kills):
        moments = random.Random(SEED * 1000 + workers)
        self.write("tiny.yaml", sweep.tiny_grid(iterations=400))
        began = time.monotonic()
        self.sweepstake("run", "tiny.yaml", "--workers", workers, "--store", "whole.h5", check=0)
        length = time.monotonic() - began
        words = ("run", "tiny.yaml", "--workers", workers, "--store", "killed.h5")
        done = 0
        for _ in range(kills):
            run = self.start(*words)
            time.sleep(moments.uniform(0.02, max(0.6, length * 1.5 / kills + 0.5)))
            sweep.kill_everything(self.folder)
            run.wait()
            if (self.folder / "killed.h5").exists():
                self.sweepstake("verify", "killed.h5")  # may name torn tasks, must open
                now = int((sweep.statuses(self.folder / "killed.h5") == 1).sum())
                self.assertGreaterEqual(now, done, "finished tasks were lost")
                done = now
        self.sweepstake(*words, check=0)
        self.sweepstake("verify", "killed.h5", check=0)
        self.assert_same_store("whole.h5", "killed.h5")

    def test_one_process(self):
        self.kill_and_resume(1, KILLS // 2)

    def test_three_workers(self):
        self.kill_and_resume(3, KILLS - KILLS // 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
