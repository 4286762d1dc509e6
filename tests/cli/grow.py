"""A changed grid on a store that is there: what is new is added, what is equal is kept to the bit, nothing is
deleted. What comes out is what a fresh run of the new grid gives."""
import json
import os
import pathlib
import shutil
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "notebooks"))
import h5py
import sweep
import sweepstake

SNAPSHOTS = "snapshots: [init, rewind, early-stop, final]"


def grid(**changes):
    return sweep.tiny_grid(**{**dict(iterations=60, train=600, seeds="[1]", rounds=2), **changes})


class Grow(sweep.SweepTest):
    def run_grid(self, text, store, *words, workers=1, check=0, **more):
        self.write("grid.yaml", text)
        return self.sweepstake("run", "grid.yaml", "--store", store, "--workers", workers, *words, check=check, **more)

    def bytes_of(self, store):
        return (self.folder / store).read_bytes()

    def attributes(self, store):
        with h5py.File(self.folder / store, "r") as file:
            return dict(file.attrs)

    def seconds(self, store):
        """How long each task took, by key: a task that is run again takes another time."""
        with h5py.File(self.folder / store, "r") as file:
            return dict(zip(file["tasks"]["key"], file["results"]["seconds"]))

    def orphans(self, store):
        with h5py.File(self.folder / store, "r") as file:
            return int((file["tasks"]["orphan"] == 1).sum())

    def grow(self, old, new, workers=1):
        """Runs one grid, then the other on its store, and the other afresh; all of them must hold together."""
        self.run_grid(old, "old.h5")
        shutil.copy(self.folder / "old.h5", self.folder / "grown.h5")
        done = self.run_grid(new, "grown.h5", workers=workers)
        self.run_grid(new, "fresh.h5")
        self.sweepstake("verify", "grown.h5", check=0)
        self.assert_holds("grown.h5", "fresh.h5")
        self.assert_holds("grown.h5", "old.h5")
        return done

    def assert_kept(self, again=0):
        before, after = self.seconds("old.h5"), self.seconds("grown.h5")
        self.assertEqual(sum(after[key] != seconds for key, seconds in before.items()), again)

    def test_by_seeds(self):
        for workers in (1, 3):
            with self.subTest(workers=workers):
                done = self.grow(grid(), grid(seeds="1..2"), workers)
                self.assertIn("13 of the grid's tasks are there", done.stderr)
                self.assert_kept()
                self.assertEqual(sweep.compare_stores(self.folder / "grown.h5", self.folder / "fresh.h5"), ["grid"])
                (self.folder / "fresh.h5").unlink()
                (self.folder / "old.h5").unlink()

    def test_by_rounds(self):
        self.grow(grid(), grid(rounds=4))
        self.assert_kept()
        self.assertEqual(self.orphans("grown.h5"), 0)

    def test_by_a_control(self):
        self.grow(grid().replace("- {kind: random-mask}\n", ""), grid())
        self.assert_kept()

    def test_a_second_network_and_rewind_point(self):
        self.grow(grid(rewind=40), grid(rewind="20").replace("axes: {", "axes: {architecture: [lenet-30-10, lenet-40-20], "))
        # the dense run is run again for its weights at 20; what came from those at 40 is an orphan
        self.assertEqual(self.orphans("grown.h5"), 12)
        with h5py.File(self.folder / "grown.h5", "r") as file:
            whens = [when.decode() for network in file["parameters"].values() for when in network.attrs["whens"]]
        self.assertIn("rewind-40", whens)
        self.assertIn("rewind-20", whens)

    def test_shrink_and_grow_back(self):
        whole, part = grid(seeds="1..2", rounds=3), grid(seeds="[2]", rounds=1)
        self.run_grid(whole, "old.h5")
        shutil.copy(self.folder / "old.h5", self.folder / "grown.h5")
        done = self.run_grid(part, "grown.h5")
        self.assertIn("nothing to do", done.stderr)
        self.assert_holds("grown.h5", "old.h5")
        self.assertEqual(self.orphans("grown.h5"), 28)
        self.assertIn("8 of 8 tasks finished", self.sweepstake("status", "grown.h5", check=0).stdout)
        self.assertIn("28 orphans", self.sweepstake("status", "grown.h5", check=0).stdout)
        self.assertEqual(self.sweepstake("export", "grown.h5", check=0).stdout.count("\n"), 9)
        self.assertIn("every finished task of 36", self.sweepstake("verify", "grown.h5", check=0).stdout)
        store = sweepstake.open(self.folder / "grown.h5")
        self.assertEqual((len(store.points), len(store.tasks), len(store.results), len(store.orphans)), (8, 8, 8, 28))
        self.assertEqual(len(set(store.experiments["seed.init"])), 1)
        ticket = store.orphans[store.orphans["level"] == 3].index[0]
        self.assertLess(store.mask(ticket, "fc1.weight").mean(), 0.2)
        self.assertIn("8 of 8 tasks finished, and 28 of an earlier grid", repr(store))
        done = self.run_grid(whole, "grown.h5", workers=3)
        self.assertIn("nothing to do", done.stderr)
        self.assert_kept()
        self.assertEqual(sweep.compare_stores(self.folder / "grown.h5", self.folder / "old.h5"), ["grid"])

    def test_the_parents_of_orphans_stay(self):
        """No task in common: a grid beside the other."""
        self.run_grid(grid(), "grown.h5")
        self.run_grid(grid(iterations=80), "grown.h5")
        with h5py.File(self.folder / "grown.h5", "r") as file:
            tasks, points, experiments = (file[name][()] for name in ("tasks", "points", "experiments"))
        orphans = tasks[tasks["orphan"] == 1]
        self.assertEqual(len(orphans), 13)
        self.assertEqual(set(orphans["iterations"]), {60})
        for row, task in enumerate(tasks):
            if task["parent"] >= 0:
                self.assertLess(task["parent"], row)
                self.assertEqual(tasks[task["parent"]]["iterations"], task["iterations"])
        for point in points[points["orphan"] == 1]:
            self.assertEqual(experiments[point["experiment"]]["train.iterations"], 60)
            self.assertEqual(tasks[point["task"]]["iterations"], 60)
            self.assertEqual(tasks[point["dense_task"]]["level"], 0)

    def test_what_was_not_kept_is_run_again(self):
        small = grid().replace(SNAPSHOTS, "snapshots: [final]").replace("test: every", "test: summary")
        done = self.grow(small, grid())
        self.assertIn("13 are run again", done.stderr)
        figures = json.loads(self.sweepstake("plan", "grid.yaml", "--store", "old.h5", "--format", "json", check=0).stdout)
        self.assertEqual([figures[name] for name in ("kept", "again", "new", "to_run", "done")], [13, 13, 0, 13, 0])
        text = self.sweepstake("plan", "grid.yaml", "--store", "old.h5", check=0).stdout
        self.assertIn("13 finished tasks run again for what was not kept", text)
        self.assertNotIn("otherwise", done.stderr)
        self.assert_kept(again=13)

    def test_what_is_no_longer_asked_for_stays(self):
        small = grid().replace(SNAPSHOTS, "snapshots: []").replace("test: every", "test: summary")
        self.grow(grid(), small)
        self.assert_kept()
        # a task that has to be run again leaves what it left, not what the grid asks for
        for workers in (1, 3):
            with h5py.File(self.folder / "grown.h5", "r+") as file:
                rows = file["results"][:]
                rows["percent_remaining"][:] = 50
                file["results"][:] = rows
            done = self.run_grid(small, "grown.h5", workers=workers)
            self.assertIn("13 results do not match", done.stderr)
            self.assert_holds("grown.h5", "old.h5")
        done = self.run_grid(grid(), "grown.h5")
        self.assertIn("nothing to do", done.stderr)
        self.assert_holds("grown.h5", "old.h5")

    def test_a_result_that_does_not_repeat_is_named(self):
        """The store is extended, but its launch fails; then what stood there is changed."""
        self.run_grid(grid(rounds=1).replace(SNAPSHOTS, "snapshots: [final]"), "s.h5")
        self.write("bin/mpirun", "#!/bin/sh\nexit 1\n").chmod(0o755)
        self.run_grid(grid(rounds=1), "s.h5", workers=2, check=1,
                      env={"PATH": f"{self.folder}/bin:{os.environ['PATH']}"})
        self.assertEqual(set(sweep.statuses(self.folder / "s.h5")), {0})
        with h5py.File(self.folder / "s.h5", "r+") as file:
            rows = file["results"][:]
            self.assertTrue((rows["weights_remaining"] > 0).all(), "what was there is no longer known")
            rows["validation_loss_final"][3] += 1
            file["results"][:] = rows
        done = self.run_grid(grid(rounds=1), "s.h5")
        self.assertIn("task 3 was run again and came out otherwise", done.stderr)
        self.assertEqual(done.stderr.count("otherwise"), 1, done.stderr)

    def test_the_store_stays_the_one_that_was_begun(self):
        self.run_grid(grid(), "s.h5", "--kernels", "dense")
        before, bytes_before = self.attributes("s.h5"), self.bytes_of("s.h5")
        refused = self.run_grid(grid(rounds=3), "s.h5", "--kernels", "auto", check=2)
        self.assertIn("--kernels dense", refused.stderr)
        refused = self.run_grid(grid(rounds=3), "s.h5", check=2, env={"SWEEPSTAKE_FAKE": "seconds=0"})
        self.assertIn("real results", refused.stderr)
        self.assertEqual(self.bytes_of("s.h5"), bytes_before)
        os.chmod(self.folder / "s.h5", 0o640)
        os.symlink("s.h5", self.folder / "link.h5")
        self.run_grid(grid(rounds=3), "link.h5")
        self.assertTrue((self.folder / "link.h5").is_symlink())
        self.assertEqual((self.folder / "s.h5").stat().st_mode & 0o777, 0o640)
        after = self.attributes("s.h5")
        self.assertEqual({name for name in after if after[name] != before[name]}, {"plan_hash"})
        self.assertEqual(self.listing(), ["grid.yaml", "link.h5", "s.h5"])

    def test_a_disk_too_small_leaves_all_as_it_was(self):
        self.run_grid(grid(), "s.h5")
        before = self.bytes_of("s.h5")
        huge = grid(seeds="1..300", rounds=8).replace("lenet-40-20", "lenet-9000-9000")
        for workers in (1, 2):
            refused = self.run_grid(huge, "s.h5", workers=workers, check=2)
            self.assertIn("free", refused.stderr)
        self.assertEqual(self.bytes_of("s.h5"), before)
        self.assertEqual(self.listing(), ["grid.yaml", "s.h5"])

    def test_a_reader_keeps_the_old_file(self):
        self.run_grid(grid(), "s.h5")
        with h5py.File(self.folder / "s.h5", "r") as reader:
            before = reader["results"][:]
            self.run_grid(grid(seeds="[2]"), "s.h5")
            self.assertEqual(reader["results"][:].tobytes(), before.tobytes())

    def test_stopped_while_extending(self):
        big = dict(seeds="1..2", rounds=6)
        self.run_grid(grid(**big).replace("lenet-40-20", "lenet-300-100"), "s.h5")
        self.write("grid.yaml", grid(**{**big, "rounds": 7}).replace("lenet-40-20", "lenet-300-100"))
        run = self.start("run", "grid.yaml", "--store", "s.h5", "--workers", 1)
        while not (self.folder / "s.h5.new").exists() and run.poll() is None:
            time.sleep(0.0005)
        run.send_signal(signal.SIGTERM)
        self.assertEqual(run.wait(60), 75, self.output())
        self.assertEqual(self.listing(), ["grid.yaml", "output.txt", "s.h5"])
        self.sweepstake("verify", "s.h5", check=0)
        self.sweepstake("run", "grid.yaml", "--store", "s.h5", "--workers", 1, check=0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
