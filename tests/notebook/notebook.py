"""notebooks/sweepstake.py gives what the store holds: the sample of tests/unit/store_sample.h, whose contents are
functions of task, set and element."""
import doctest
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "notebooks"))
import h5py
import numpy
import sweepstake


def sample_weight(task, when, element):
    return numpy.float32(task + 1) + numpy.float32(when + 1) / 16 + element.astype(numpy.float32) / 4096


def sample_mask(task, element):
    return (element * 7 + task * 3) % 5 < 3


class Notebook(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def make(self, tasks=5):
        path = self.folder / "sample.h5"
        subprocess.run([os.environ["MAKE_SAMPLE"], path, str(tasks)], check=True)
        return sweepstake.open(path)

    def assert_refused(self, words, call, *arguments):
        with self.assertRaises(sweepstake.StoreError) as caught:
            call(*arguments)
        self.assertIn(words, str(caught.exception))

    def test_identity(self):
        store = self.make()
        self.assertEqual(store.attributes["name"], "sample")
        self.assertEqual(store.attributes["instruction_set"], "avx2")
        self.assertEqual(store.grid, "name: sample\nseed: 1..2 # \u00e4\n")

    def test_tables_are_decoded(self):
        store = self.make(tasks=3)
        self.assertEqual(list(store.experiments["name"]), ["tiny, Adam", "wide \u00e4"])
        self.assertEqual(list(store.tasks["key"]), ["dense", "level-1", "reinit-1", "wide", "wide-1"])
        results = store.results
        self.assertEqual(list(results["status"]), ["done"] * 3 + ["pending"] * 2)
        self.assertEqual(list(results["host"][:3]), ["node-0", "node-1", "node-2"])
        self.assertEqual(results.loc[1, "test_accuracy_final"], 0.5 + 2 / 8 + 1 / 16)
        self.assertTrue(results.loc[3:, "test_accuracy_final"].isna().all())
        self.assertEqual(list(results["weights_remaining"]), [1000, 999, 998, -1, -1])

    def test_points_are_joined(self):
        points = self.make().points
        self.assertEqual(len(points), 5)
        self.assertEqual(len(set(points.columns)), len(points.columns))
        reinit = points[points.control == "reinit"].iloc[0]
        self.assertEqual((reinit.task, reinit.key, reinit.status, reinit["name"], reinit.batch),
                         (2, "reinit-1", "done", "tiny, Adam", 60))
        self.assertEqual(list(points["task_level"]), list(points["level"]))
        self.assertEqual(points.loc[4, "learning_rate"], numpy.float32(0.1))

    def test_curves(self):
        curves = self.make(tasks=2).curves
        self.assertEqual(list(curves["task"]), [0] * 4 + [1] * 4)
        self.assertEqual(list(curves["iteration"]), [0, 10, 20, 30] * 2)
        self.assertEqual(curves.iloc[5]["validation_loss"], 101.5)
        self.assertTrue(numpy.isnan(curves.iloc[4]["train_loss"]))

    def test_nothing_is_done_yet(self):
        store = self.make(tasks=0)
        self.assertEqual(repr(store), "<sweepstake store 'sample': 0 of 5 tasks finished>")
        self.assertEqual(len(store.curves), 0)
        self.assertEqual(len(store.environment), 0)
        self.assertEqual(set(store.points["status"]), {"pending"})

    def test_masks(self):
        store = self.make()
        for task, name, shape, offset in ((1, "fc1.weight", (3, 5), 0), (2, "fc2.weight", (2, 3), 18),
                                          (4, "conv1.weight", (2, 2, 3, 3), 0)):
            mask = store.mask(task, name)
            expected = sample_mask(task, offset + numpy.arange(numpy.prod(shape))).reshape(shape)
            self.assertEqual(mask.dtype, bool)
            numpy.testing.assert_array_equal(mask, expected)
        self.assertTrue(store.mask(1, "fc1.bias").all())
        self.assertTrue(store.mask(0, "fc1.weight").all())

    def check_weights(self, array, task, when, offset, shape):
        expected = sample_weight(task, when, offset + numpy.arange(numpy.prod(shape))).reshape(shape)
        self.assertEqual(array.dtype, numpy.float32)
        numpy.testing.assert_array_equal(array, expected)

    def test_weights(self):
        store = self.make()
        self.check_weights(store.weights(1, "final")["fc1.weight"], 1, 4, 0, (3, 5))
        self.check_weights(store.weights(2, "init")["fc2.bias"], 2, 0, 24, (2,))
        self.check_weights(store.weights(1, "init", "fc1.weight"), 0, 0, 0, (3, 5))  # the lineage's
        self.check_weights(store.weights(1, "rewind", "fc1.weight"), 0, 2, 0, (3, 5))  # rewound to 10
        self.check_weights(store.weights(1, "rewind-5", "fc1.weight"), 0, 1, 0, (3, 5))
        self.check_weights(store.weights(0, "early-stop", "fc1.bias"), 0, 3, 15, (3,))
        self.check_weights(store.weights(4, "at-3", "conv1.weight"), 4, 1, 0, (2, 2, 3, 3))

    def test_tickets(self):
        store = self.make()
        ticket = store.ticket(1)
        numpy.testing.assert_array_equal(ticket["fc1.weight"], numpy.where(
            store.mask(1, "fc1.weight"), store.weights(0, "rewind-10", "fc1.weight"), 0))
        self.check_weights(ticket["fc1.bias"], 0, 2, 15, (3,))
        self.assertEqual(ticket["fc1.weight"].dtype, numpy.float32)
        numpy.testing.assert_array_equal(store.ticket(4)["conv1.weight"] != 0, store.mask(4, "conv1.weight"))

    def test_what_is_not_there(self):
        store = self.make(tasks=1)
        self.assert_refused("there is no task 5", store.mask, 5, "fc1.weight")
        self.assert_refused("there is no task -1", store.weights, -1, "final")
        self.assert_refused("there is no parameter 'fc9.weight'", store.mask, 0, "fc9.weight")
        self.assert_refused("fc1.weight", store.weights, 0, "final", "conv1.weight")
        self.assert_refused("task 1 is not done yet: it is pending", store.mask, 1, "fc1.weight")
        self.assert_refused("task 1 is not done yet: it is pending", store.weights, 1, "final")
        self.assert_refused("there are no weights 'last'", store.weights, 0, "last")
        self.assert_refused("'rewind-7' of task 0 were not kept", store.weights, 0, "rewind-7")
        self.assert_refused("'early-stop' of task 3 were not kept", store.weights, 3, "early-stop")
        self.assert_refused("several rewind points: ask for one of rewind-5, rewind-10", store.weights, 0, "rewind")
        self.check_weights(store.weights(1, "init", "fc1.weight"), 0, 0, 0, (3, 5))  # its root is done

    def test_wrong_files(self):
        with self.assertRaises(FileNotFoundError):
            sweepstake.open(self.folder / "nothing.h5")
        (self.folder / "text.h5").write_text("name: lenet\n")
        self.assert_refused("cannot be opened as HDF5", sweepstake.open, self.folder / "text.h5")
        with h5py.File(self.folder / "other.h5", "w") as file:
            file["x"] = 1
        self.assert_refused("of another program", sweepstake.open, self.folder / "other.h5")
        with h5py.File(self.folder / "other.h5", "a") as file:
            file.attrs["format"], file.attrs["format_version"] = "sweepstake", 9
        self.assert_refused("version 9; this module reads version 1", sweepstake.open, self.folder / "other.h5")

    def test_a_handle_of_plain_h5py_may_be_open(self):
        store = self.make()
        with h5py.File(store.path, "r") as held:
            self.assertEqual(len(store.points), len(held["points"]))
            self.check_weights(sweepstake.open(store.path).weights(1, "final")["fc1.weight"], 1, 4, 0, (3, 5))

    def test_the_example(self):
        self.make()
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        failed, tried = doctest.testmod(sweepstake)
        self.assertEqual(failed, 0)
        self.assertGreater(tried, 3)


if __name__ == "__main__":
    unittest.main()
