"""Two stores become one: what both hold, each task once, as a run of the whole grid would have it."""
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import h5py
import sweep


def grid(**changes):
    return sweep.tiny_grid(**{**dict(iterations=60, train=600, seeds="[1]", rounds=2), **changes})


class Merge(sweep.SweepTest):
    def run_grid(self, text, store, *words, workers=1, check=0, **more):
        self.write("grid.yaml", text)
        return self.sweepstake("run", "grid.yaml", "--store", store, "--workers", workers, *words, check=check, **more)

    def merge(self, one="a.h5", other="b.h5", into="c.h5", check=0):
        return self.sweepstake("merge", one, other, "--into", into, check=check)

    def change_attribute(self, store, name, value):
        with h5py.File(self.folder / store, "r+") as file:
            file.attrs.modify(name, value.encode())

    def rows(self, store, table):
        with h5py.File(self.folder / store, "r") as file:
            return file[table][()]

    def assert_refused(self, say, *stores):
        listing = self.listing()
        refused = self.merge(*stores, check=2)
        for word in say:
            self.assertIn(word, refused.stderr)
        self.assertEqual(self.listing(), listing)

    def test_two_halves_are_the_whole(self):
        self.run_grid(grid(seeds="1..2"), "a.h5")
        self.run_grid(grid(seeds="2..3", rounds=3), "b.h5", workers=3)
        sources = [(self.folder / name).read_bytes() for name in ("a.h5", "b.h5")]
        self.merge()
        self.assertEqual([(self.folder / name).read_bytes() for name in ("a.h5", "b.h5")], sources)
        self.assert_holds("c.h5", "a.h5")
        self.assert_holds("c.h5", "b.h5")
        tasks = self.rows("c.h5", "tasks")
        self.assertEqual(len(tasks), 13 + 18 + 18)
        self.assertEqual(len(set(tasks["key"])), len(tasks))
        self.assertFalse(tasks["orphan"].any())
        self.assertIn("every finished task of 49", self.sweepstake("verify", "c.h5", check=0).stdout)
        self.assertIn("49 of 49 tasks finished", self.sweepstake("status", "c.h5", check=0).stdout)
        # every point of both; what both ask for in the same words is there once
        points = self.sweepstake("export", "c.h5", check=0).stdout.count("\n") - 1
        self.assertEqual(points, len(self.rows("a.h5", "points")) + len(self.rows("b.h5", "points")))
        with h5py.File(self.folder / "c.h5", "r") as file:
            texts = [text.decode() for text in file["grid"][()]]
        self.assertEqual(texts, [grid(seeds="1..2"), grid(seeds="2..3", rounds=3)])
        self.run_grid(grid(seeds="1..3", rounds=3), "c.h5")
        self.run_grid(grid(seeds="1..3", rounds=3), "whole.h5")
        self.assertEqual(sweep.compare_stores(self.folder / "c.h5", self.folder / "whole.h5"), ["grid"])

    def test_equal_points_are_one(self):
        self.run_grid(grid(seeds="1..2"), "a.h5")
        self.run_grid(grid(seeds="[2]"), "b.h5")
        self.merge()
        for table in ("experiments", "points", "tasks"):
            self.assertEqual(len(self.rows("c.h5", table)), len(self.rows("a.h5", table)), table)
        self.assertEqual(len(set(self.rows("c.h5", "results")["environment"])), 1)

    def test_either_grid_goes_on(self):
        self.run_grid(grid(), "a.h5")
        self.run_grid(grid(seeds="[2]"), "b.h5")
        self.merge()
        for seeds in ("[1]", "[2]", "1..2"):
            done = self.run_grid(grid(seeds=seeds), "c.h5")
            self.assertIn("nothing to do", done.stderr)
            self.assertEqual(int((self.rows("c.h5", "tasks")["orphan"] == 1).sum()), 0 if ".." in seeds else 13)
        self.assert_holds("c.h5", "a.h5")
        self.assert_holds("c.h5", "b.h5")
        self.merge("c.h5", "a.h5", "d.h5")
        self.assertEqual(len(self.rows("d.h5", "tasks")), 26)

    def test_orphans_come_last(self):
        self.run_grid(grid(seeds="1..2"), "a.h5")
        self.run_grid(grid(seeds="[1]"), "a.h5")  # seed 2: orphans
        self.run_grid(grid(seeds="[3]"), "b.h5")
        self.merge()
        orphan = list(self.rows("c.h5", "tasks")["orphan"])
        self.assertEqual(orphan, [0] * 26 + [1] * 13)
        self.assertEqual(list(self.rows("c.h5", "points")["orphan"]), orphan)
        self.merge("a.h5", "c.h5", "d.h5")
        self.assertEqual(list(self.rows("d.h5", "tasks")["orphan"]), orphan)
        self.run_grid(grid(seeds="[2]"), "b2.h5")
        self.merge("a.h5", "b2.h5", "e.h5")  # asked for by one is asked for
        self.assertEqual(list(self.rows("e.h5", "tasks")["orphan"]), [0] * 26)

    def test_done_in_one_and_pending_in_the_other_is_done(self):
        fails = {"SWEEPSTAKE_FAKE": "seconds=0 fail=0:99"}
        self.run_grid(grid(), "a.h5", "--attempts", 1, check=1, env=fails)
        self.run_grid(grid(), "b.h5", env={"SWEEPSTAKE_FAKE": "seconds=0"})
        self.assertIn(3, self.rows("a.h5", "results")["status"])
        for one, other, into in (("a.h5", "b.h5", "c.h5"), ("b.h5", "a.h5", "d.h5")):
            self.merge(one, other, into)
            self.assertEqual(set(sweep.statuses(self.folder / into)), {1})
            self.sweepstake("verify", into, check=0)

    def test_each_keeps_what_it_kept(self):
        snapshots = "snapshots: [init, rewind, early-stop, final]"
        self.run_grid(grid().replace(snapshots, "snapshots: [early-stop]").replace("test: every", "test: summary"), "a.h5")
        self.run_grid(grid().replace(snapshots, "snapshots: [init, final]"), "b.h5")
        for one, other, into in (("a.h5", "b.h5", "c.h5"), ("b.h5", "a.h5", "d.h5")):
            self.merge(one, other, into)
            self.assertEqual(set(sweep.statuses(self.folder / into)), {1})
            self.assert_holds(into, "a.h5")
            self.assert_holds(into, "b.h5")
        done = self.run_grid(grid(), "c.h5")
        self.assertIn("nothing to do", done.stderr)

    def test_rewind_points_and_networks_of_both(self):
        """The dense run keeps other iterations in each, whose sets of weights are numbered otherwise."""
        def both(rewinds, networks):
            return grid(rounds=1).replace("rewind: {to: 20}\n", "").replace(
                "axes: {", f"axes: {{rewind.to: {rewinds}, prune.at: [end, 30], architecture: {networks}, ")
        self.run_grid(both([20, 40], ["lenet-40-20", "lenet-9-9"]), "a.h5")
        self.run_grid(both([10, 20], ["lenet-8-8", "lenet-40-20"]), "b.h5")
        for one, other, into in (("a.h5", "b.h5", "c.h5"), ("b.h5", "a.h5", "d.h5")):
            self.merge(one, other, into)
            self.sweepstake("verify", into, check=0)
            self.assert_holds(into, "a.h5")
            self.assert_holds(into, "b.h5")
        whole = both([10, 20, 40], ["lenet-40-20", "lenet-8-8", "lenet-9-9"])
        self.run_grid(whole, "c.h5", workers=3)
        self.run_grid(whole, "fresh.h5")
        self.assert_holds("c.h5", "fresh.h5")
        self.sweepstake("verify", "c.h5", check=0)

    def test_what_is_done_stays_done_though_the_other_wants_more(self):
        self.run_grid(grid().replace("early-stop, final]", "final]"), "a.h5")
        self.write("bin/mpirun", "#!/bin/sh\nexit 1\n").chmod(0o755)  # nothing but the store is made
        self.run_grid(grid(seeds="1..2"), "b.h5", workers=2, check=1,
                      env={"PATH": f"{self.folder}/bin:{os.environ['PATH']}"})
        self.assertEqual(set(sweep.statuses(self.folder / "b.h5")), {0})
        for one, other, into in (("a.h5", "b.h5", "c.h5"), ("b.h5", "a.h5", "d.h5")):
            self.merge(one, other, into)
            self.assertEqual(sorted(sweep.statuses(self.folder / into)), [0] * 13 + [1] * 13)
            self.assert_holds(into, "a.h5")

    def test_other_results_of_one_task_are_refused(self):
        self.run_grid(grid(), "a.h5", "--kernels", "auto")
        self.run_grid(grid(seeds="1..2"), "b.h5", "--kernels", "sparse")
        with h5py.File(self.folder / "a.h5", "r") as file:
            mode = file.attrs["kernel_mode"].decode()
        self.assert_refused(["kernel mode", mode.replace("auto", "sparse"), mode])
        self.change_attribute("b.h5", "kernel_mode", mode)
        self.assert_refused(["of a.h5 and task ", "different results"])

    def test_what_rounds_differently_is_refused(self):
        self.run_grid(grid(), "a.h5")
        self.run_grid(grid(seeds="[2]"), "b.h5")
        for name, value, say in (("instruction_set", "portable", "instruction set"), ("blas_core", "Other", "Other")):
            (self.folder / "x.h5").write_bytes((self.folder / "b.h5").read_bytes())
            self.change_attribute("x.h5", name, value)
            self.assert_refused([say], "a.h5", "x.h5")
        with h5py.File(self.folder / "x.h5", "r+") as file:
            file.attrs.modify("format_version", 999)
        self.assert_refused(["x.h5", "999"], "a.h5", "x.h5")
        self.assert_refused(["missing.h5"], "a.h5", "missing.h5")
        self.assert_refused(["exists already"], "a.h5", "b.h5", "a.h5")
        refused = self.sweepstake("merge", "a.h5", "b.h5", check=2)
        self.assertIn("--into", refused.stderr)
        self.sweepstake("merge", "a.h5", "--into", "c.h5", check=2)

    def test_a_torn_result_of_one_is_taken_from_the_other(self):
        self.run_grid(grid(), "a.h5")
        (self.folder / "b.h5").write_bytes((self.folder / "a.h5").read_bytes())
        with h5py.File(self.folder / "b.h5", "r+") as file:
            curves = file["curves"][:]
            curves["validation_loss"] += 1
            file["curves"][:] = curves
        self.merge("b.h5", "a.h5")
        self.assert_holds("c.h5", "a.h5")
        self.sweepstake("verify", "c.h5", check=0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
