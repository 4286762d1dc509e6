"""Stores that earlier programs left (tests/data/stores) are opened, verified, exported and gone on with.

    before-sparse-layers   /results has no column sparse_layers, no table a column orphan; kernels of generation 1
    fake-unfinished        the same program's, of the fake executor: done, failed and unreachable tasks
    grown                  with orphans; kernels of generation 2
    grown-3                the same grid's; kernels of generation 3
    grown-4                the same grid's; kernels of generation 4

They are never made anew: a change of the format adds one. To do so, build the program as it is before the change and
run tests/data/stores/frozen.yaml with it (the last: and then with `rounds: 1`) with one worker, SWEEPSTAKE_ISA=portable
and OPENBLAS_CORETYPE=Nehalem, so that it can be gone on with anywhere (fake-unfinished: SWEEPSTAKE_FAKE="seconds=0
fail=1:9"). Then give the file to this script, which puts it there without the host's name, compressed:

    tests/cli/frozen_stores.py STORE.h5 NAME
"""
import gzip
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import h5py
import numpy
import sweep

DATA = pathlib.Path(__file__).parents[1] / "data/stores"
OURS = {"SWEEPSTAKE_ISA": "portable", "OPENBLAS_CORETYPE": "Nehalem"}
FAKE = {**OURS, "SWEEPSTAKE_FAKE": "seconds=0"}
NAMES = ("before-sparse-layers", "fake-unfinished", "grown", "grown-3", "grown-4")


def freeze(store, name):
    with h5py.File(store, "r+") as file:
        for table, columns in (("results", ("host",)), ("environment", ("host", "cpu"))):
            rows = file[table][:]
            for column in columns:
                rows[column][rows[column] != b""] = b"example"
            file[table][:] = rows
    DATA.joinpath(name + ".h5.gz").write_bytes(gzip.compress(pathlib.Path(store).read_bytes(), 9, mtime=0))


class FrozenStores(sweep.SweepTest):
    def setUp(self):
        super().setUp()
        for name in NAMES:
            self.write(name + ".h5", gzip.decompress(DATA.joinpath(name + ".h5.gz").read_bytes()))
        self.grid = DATA.joinpath("frozen.yaml").read_text()

    def run_grid(self, name, env, check=0, **changes):
        text = self.grid
        for old, new in changes.values():
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.write("grid.yaml", text)
        return self.sweepstake("run", "grid.yaml", "--store", name + ".h5", "--workers", 1, check=check, env=env)

    def counts(self, name):
        return numpy.bincount(sweep.statuses(self.folder / (name + ".h5")), minlength=6).tolist()

    def test_each_is_read(self):
        for name, tasks, verified in (("before-sparse-layers", 5, 5), ("fake-unfinished", 5, 5), ("grown", 3, 5),
                                      ("grown-3", 3, 5), ("grown-4", 3, 5)):
            with self.subTest(name):
                done = self.sweepstake("verify", name + ".h5", check=0)
                self.assertIn(f"every finished task of {verified} holds", done.stdout)
                self.assertIn(f" of {tasks} tasks finished", self.sweepstake("status", name + ".h5", check=0).stdout)
                lines = self.sweepstake("export", name + ".h5", check=0).stdout.splitlines()
                self.assertEqual(len(lines), 1 + tasks)
                lines = self.sweepstake("export", "--curves", name + ".h5", check=0).stdout.splitlines()
                self.assertGreater(len(lines), 1)

    def test_damage_is_still_seen(self):
        for name in NAMES:
            with h5py.File(self.folder / (name + ".h5"), "r+") as file:
                rows = file["results"][:]
                rows["percent_remaining"][0] = 50
                file["results"][:] = rows
            done = self.sweepstake("verify", name + ".h5", check=1)
            self.assertIn("task 0", done.stdout)

    def test_an_unfinished_one_is_resumed(self):
        self.assertEqual(self.counts("fake-unfinished"), [0, 2, 0, 1, 0, 2])
        self.run_grid("fake-unfinished", FAKE)
        self.assertEqual(self.counts("fake-unfinished"), [0, 5, 0, 0, 0, 0])
        self.sweepstake("verify", "fake-unfinished.h5", check=0)

    def test_an_old_one_is_extended(self):
        done = self.run_grid("fake-unfinished", FAKE, more=("rounds: 2", "rounds: 3"))
        self.assertIn("5 of the grid's tasks are there (0 are run again for what was not kept), 2 are new", done.stderr)
        self.assertEqual(self.counts("fake-unfinished"), [0, 7, 0, 0, 0, 0])
        self.sweepstake("verify", "fake-unfinished.h5", check=0)
        with h5py.File(self.folder / "fake-unfinished.h5", "r") as file:
            self.assertIn("sparse_layers", file["results"].dtype.names)

    def test_kernels_of_another_generation_are_refused_unharmed(self):
        orphans_asked_for = ("controls", "axes: {seed: [0, 1]}\ncontrols")
        for name, generation, more in (("before-sparse-layers", 1, ("rounds: 2", "rounds: 3")),
                                       ("grown", 2, orphans_asked_for), ("grown-3", 3, orphans_asked_for)):
            before = (self.folder / (name + ".h5")).read_bytes()
            for changes in ({}, {"more": more}):
                refused = self.run_grid(name, OURS, check=2, **changes)
                self.assertIn(f"generation {generation}", refused.stderr)
            self.assertEqual((self.folder / (name + ".h5")).read_bytes(), before)
        refused = self.sweepstake("merge", "before-sparse-layers.h5", "grown.h5", "--into", "m.h5", check=2)
        self.assertIn("kernel mode '1' in the one", refused.stderr)

    def test_old_ones_are_merged(self):
        self.sweepstake("merge", "before-sparse-layers.h5", "before-sparse-layers.h5", "--into", "m.h5", check=0)
        self.assertIn("every finished task of 5", self.sweepstake("verify", "m.h5", check=0).stdout)
        self.assertEqual(set(sweep.tasks_of(self.folder / "m.h5")), set(sweep.tasks_of(self.folder / "before-sparse-layers.h5")))

    def test_the_orphans_of_the_grown_one_come_back(self):
        (self.folder / "before.h5").write_bytes((self.folder / "grown-4.h5").read_bytes())
        done = self.run_grid("grown-4", OURS, seeds=("controls", "axes: {seed: [0, 1]}\ncontrols"))
        self.assertIn("5 of the grid's tasks are there", done.stderr)
        self.assertEqual(self.counts("grown-4"), [0, 10, 0, 0, 0, 0])
        self.sweepstake("verify", "grown-4.h5", check=0)
        self.assert_holds("grown-4.h5", "before.h5")
        with h5py.File(self.folder / "grown-4.h5", "r") as file:
            self.assertFalse(file["tasks"]["orphan"].any())


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1].endswith(".h5"):
        freeze(*sys.argv[1:])
    else:
        unittest.main(verbosity=2)
