"""`verify` names what is damaged and what was made from it; `verify --repair` sets exactly that back, and the next
run makes the store what it was. Bytes are flipped at places drawn from SEED (default 1), FLIPS (default 3) of each kind."""
import os
import pathlib
import random
import shutil
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import h5py
import sweep
from damage import Place, flip, named

SEED = int(os.environ.get("SEED", "1"))
FLIPS = int(os.environ.get("FLIPS", "3"))
RUN = ("run", "tiny.yaml", "--workers", 1, "--store")


class Verify(sweep.SweepTest):
    def setUp(self):
        super().setUp()
        self.write("tiny.yaml", sweep.tiny_grid(iterations=60, train=400, seeds="[1]", rewind=20))
        self.sweepstake(*RUN, "whole.h5", check=0)

    def copy(self):
        shutil.copy(self.folder / "whole.h5", self.folder / "s.h5")
        return self.folder / "s.h5"

    def test_a_sound_store(self):
        done = self.sweepstake("verify", "whole.h5", check=0)
        self.assertIn("fits its lineage", done.stdout)
        before = (self.folder / "whole.h5").read_bytes()
        self.sweepstake("verify", "--repair", "whole.h5", check=0)
        self.assertEqual((self.folder / "whole.h5").read_bytes(), before)

    def repair_and_run(self, path, place):
        wrong = place.descendants()
        done = self.sweepstake("verify", "s.h5", check=1)
        self.assertEqual(set(named(done.stdout)), wrong)
        self.assertIn(f"{len(wrong)} of {len(place.parents)} tasks have to run again", done.stdout)
        self.assertEqual(named(self.sweepstake("verify", "--repair", "s.h5", check=1).stdout), named(done.stdout))
        self.assertEqual({row for row, status in enumerate(sweep.statuses(path)) if status == 0}, wrong)
        with h5py.File(path, "r") as file:
            self.assertEqual({row for row, tried in enumerate(file["attempts"][()]) if tried == 0}, wrong)
        self.sweepstake("verify", "s.h5", check=0)
        self.assertFalse((self.folder / "s.h5.lock").exists())
        self.sweepstake(*RUN, "s.h5", check=0)
        self.assert_same_store("whole.h5", "s.h5")

    def test_flipped_bytes(self):
        choice = random.Random(SEED)
        for kind in ("weights", "masks", "curves", "rows"):
            for _ in range(FLIPS):
                path = self.copy()
                place = Place(path, kind, choice)
                with self.subTest(kind=kind, task=place.task, byte=place.byte):
                    flip(path, place.offset)
                    self.repair_and_run(path, place)

    def test_a_status_that_is_none(self):
        path = self.copy()
        with h5py.File(path, "r") as file:
            offset = file["results"].id.get_offset() + 3 * 512
        flip(path, offset, 0x40)
        done = self.sweepstake("verify", "s.h5", check=1)
        self.assertEqual(named(done.stdout)[3], "its status 65 is none")

    def damage_tasks(self, column, row, value):
        path = self.copy()
        with h5py.File(path, "r+") as file:
            tasks = file["tasks"][()]
            tasks[column][row] = value
            file["tasks"][...] = tasks
        return self.sweepstake("verify", "s.h5", check=1).stdout

    def test_damaged_tasks(self):
        for column, row, value, say in (
                ("parent", 1, 5, "its parent's row 5 is not one before its own"),
                ("final_slot", 2, 9999, "a slot that does not exist"),
                ("network", 0, 7, "no such network"),
                ("root", 1, -2, "its root's row -2"),
                ("init_slot", 1, 1 << 40, "its init_slot"),
                ("curve_offset", 1, 1, "its part of /curves is task 0's too"),
                ("mask_slot", 3, 0, "its mask_slot is task")):
            with self.subTest(column=column):
                output = self.damage_tasks(column, row, value)
                self.assertIn(say, "\n".join(named(output).values()))
                self.assertIn("run the grid into another file", output)

    def test_who_else_would_write_is_refused(self):
        run = self.start("run", "tiny.yaml", "--workers", 1, "--store", "fake.h5",
                         env={"SWEEPSTAKE_FAKE": "seconds=60"})
        deadline = time.monotonic() + 30
        while not (self.folder / "fake.h5").exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.sweepstake("verify", "fake.h5", check=0)  # reading is allowed
        for words in (("verify", "--repair", "fake.h5"), ("run", "tiny.yaml", "--workers", 1, "--store", "fake.h5"),
                      ("run", "tiny.yaml", "--workers", 2, "--store", "fake.h5")):
            done = self.sweepstake(*words, check=2, env={"SWEEPSTAKE_FAKE": "seconds=0"})
            self.assertIn(f"fake.h5: another run has this store open: process {run.pid} on {os.uname().nodename}",
                          done.stderr)
        run.terminate()
        self.assertEqual(run.wait(timeout=20), 75)
        self.sweepstake("verify", "--repair", "fake.h5", check=0)

    def test_what_is_no_store(self):
        self.write("text.h5", "not a store")
        for words in (("verify", "text.h5"), ("verify", "--repair", "text.h5"), ("verify", "--repair", "missing.h5")):
            self.sweepstake(*words, check=2)
        self.assertEqual(self.listing(), ["text.h5", "tiny.yaml", "whole.h5"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
