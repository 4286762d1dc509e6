"""What a run loses of the tasks at hand when it is stopped or killed: nothing since the last save. Seen from
outside: the checkpoint file, where the next run goes on, and its bits."""
import os
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import h5py
import sweep

# Two tasks of some seconds, and what follows from them.
GRID = """\
name: long
recipe: lenet-300-100
architecture: lenet-40-20
dataset: {name: digits, train: 1200, test: 200, validation: 200}
train: {iterations: 15000, dropout: 0.1, evaluate: {every: 2500}}
prune: {rounds: 1}
rewind: {to: 200}
axes: {seed: [1, 2]}
"""


class InFlight(sweep.SweepTest):
    whole = None  # the bytes of the uninterrupted run's store

    def setUp(self):
        super().setUp()
        self.write("long.yaml", GRID)
        self.words = ("run", "long.yaml", "--store", "s.h5", "--verbose")

    def saved(self):
        """Iterations by task key of what the checkpoint file holds."""
        with h5py.File(self.folder / "s.checkpoint.h5", "r") as file:
            records = file["records"][()]
        return {record["key"]: int(record["iteration"]) for record in sorted(records, key=lambda r: r["iteration"])
                if record["bytes"] > 0}

    def wait_for_task(self, deadline=60):
        """Until tasks have been at hand for half a second."""
        end = time.monotonic() + deadline
        while not (self.folder / "s.h5").exists() or not self.attempts().any():
            self.assertLess(time.monotonic(), end, self.output())
            time.sleep(0.05)
        time.sleep(0.5)

    def attempts(self):
        with h5py.File(self.folder / "s.h5", "r") as file:
            return file["attempts"][()]

    def wait_until_saved(self, least, deadline=60):
        """Until each task at hand was saved at iteration `least` or later."""
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            if (self.folder / "s.checkpoint.h5").exists():
                saved = self.saved()
                if saved and min(saved.values()) >= least:
                    return
            time.sleep(0.05)
        self.fail("no state was saved\n" + self.output())

    def assert_goes_on(self, run, saved):
        """A run that went on at the iterations that were saved, and ended in the same bits."""
        went_on = sorted(map(int, re.findall(r"goes on at iteration (\d+)", run.stderr)))
        self.assertEqual(went_on, sorted(saved.values()))
        self.assertFalse((self.folder / "s.checkpoint.h5").exists(), "the grid is complete")
        if InFlight.whole is None:
            self.sweepstake("run", "long.yaml", "--store", "whole.h5", "--save-every", 0, check=0)
            InFlight.whole = (self.folder / "whole.h5").read_bytes()
        self.write("whole.h5", InFlight.whole)
        self.assert_same_store("s.h5", "whole.h5")

    def test_a_killed_run_goes_on_from_the_last_save(self):
        run = self.start(*self.words, "--workers", 1, "--save-every", 0.1)
        self.wait_until_saved(300)
        sweep.kill_everything(self.folder)
        run.wait()
        saved = self.saved()
        self.assert_goes_on(self.sweepstake(*self.words, "--workers", 2, check=0), saved)

    def test_a_stopped_run_saves_at_once(self):
        for workers, then in ((2, 1), (1, 3)):
            with self.subTest(workers=workers):
                (self.folder / "s.h5").unlink(missing_ok=True)
                run = self.start(*self.words, "--workers", workers)  # saves every five minutes
                self.wait_for_task()
                run.terminate()
                self.assertEqual(run.wait(timeout=30), 75, self.output())
                saved = self.saved()
                self.assertEqual(len(saved), workers, "a state for each task at hand")
                self.assert_goes_on(self.sweepstake(*self.words, "--workers", then, check=0), saved)

    def test_the_end_of_an_allocation_is_met_in_time(self):
        start = time.monotonic()
        run = self.sweepstake(*self.words, "--workers", 2, "--time-limit", 4, check=75)
        self.assertLess(time.monotonic() - start, 4)
        saved = self.saved()
        self.assertEqual(len(saved), 2, run.stderr)
        self.assert_goes_on(self.sweepstake(*self.words, "--workers", 2, check=0), saved)

    def test_a_lost_state_costs_nothing_but_time(self):
        run = self.start(*self.words, "--workers", 1, "--save-every", 0.1)
        self.wait_until_saved(200)
        sweep.kill_everything(self.folder)
        run.wait()
        with open(self.folder / "s.checkpoint.h5", "r+b") as file:
            size = os.fstat(file.fileno()).st_size
            for place in range(8192, size, 1000):  # both copies
                file.seek(place)
                file.write(b"\xff")
        self.assert_goes_on(self.sweepstake(*self.words, "--workers", 1, check=0), {})


if __name__ == "__main__":
    unittest.main(verbosity=2)
