"""Convolutional grids as a user meets them: CIFAR-10's files, the paper's ladders, networks of the grid's own, and the
same bits however many workers there are."""
import gzip
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "notebooks"))
import sweep
import sweepstake

# Everything that has a state or a stream of its own: batch norm, augmentation, dropout, reinit, fork.
EVERYTHING = """\
name: everything
networks:
  mine:
  - {conv: {outputs: 8, stride: 2, bias: false}}
  - batch-norm
  - relu
  - residual: [{conv: {outputs: 16, stride: 2, bias: false}}, batch-norm, relu, {conv: {outputs: 16}}]
  - relu
  - max-pool
  - {fc: 24}
  - relu
  - {dropout: 0.3}
architecture: mine
dataset: {name: shapes, train: 400, test: 100, validation: 100, augment: flip-crop, preprocessing: standardize}
init: {name: kaiming-normal}
train:
  iterations: 40
  batch: 30
  optimizer: {name: sgd, learning_rate: 0.05, momentum: 0.9, weight_decay: 1.0e-4}
  schedule: {name: step, drops: [30]}
  evaluate: {every: 10, test: every}
prune: {scope: global, rate: {conv: 0.3, fc: 0.3, output: 0}, rounds: 2}
rewind: {to: 8}
axes: {seed: 1..2}
controls: [{kind: reinit}, {kind: random-mask}, {kind: fork, levels: [0, 1]}]
snapshots: [init, rewind, early-stop, final]
"""

# paper.md section 1: round -> percent of weights remaining.
LADDERS = {"conv-2": {11: 8.81, 14: 4.57}, "resnet-18": {4: 41.66, 6: 27.09, 7: 21.91, 10: 11.79}}


def cifar(records, first=0):
    """Records of CIFAR-10's binary version."""
    return b"".join(bytes([(first + i) % 10]) + bytes((first + i + j) % 256 for j in range(3072)) for i in range(records))


class Images(sweep.SweepTest):
    def test_same_bits_on_any_number_of_workers(self):
        self.write("everything.yaml", EVERYTHING)
        for workers in (1, 2, 3):
            self.sweepstake("run", "everything.yaml", "--workers", workers, "--store", f"w{workers}.h5", check=0)
            self.assertTrue((sweep.statuses(self.folder / f"w{workers}.h5") == 1).all())
            self.sweepstake("verify", f"w{workers}.h5", check=0)  # lineage holds for every kind of task
        self.assert_same_store("w1.h5", "w2.h5")
        self.assert_same_store("w1.h5", "w3.h5")
        points = sweepstake.open(self.folder / "w1.h5").points
        self.assertEqual(set(points["control"]), {"ticket", "reinit", "random-mask", "fork"})

    def test_pytorchs_names_and_shapes(self):
        self.write("everything.yaml", EVERYTHING.replace("1..2", "[1]").replace("rounds: 2", "rounds: 1"))
        self.sweepstake("run", "everything.yaml", "--workers", 2, "--store", "s.h5", check=0)
        store = sweepstake.open(self.folder / "s.h5")
        weights = store.weights(0, "final")
        shapes = {name: weights[name].shape for name in weights}
        self.assertEqual(shapes["conv2.weight"], (16, 8, 3, 3))
        self.assertEqual(shapes["shortcut1.weight"], (16, 8, 1, 1))
        self.assertEqual(shapes["bn1.running_var"], (8,))
        self.assertEqual(shapes["fc1.weight"], (24, 16 * 4 * 4))
        self.assertTrue((weights["bn1.running_var"] != 1).all(), "running statistics were not kept")

    def test_percent_remaining_is_the_papers_ladder(self):
        for recipe, ladder in LADDERS.items():
            self.write("ladder.yaml", f"recipe: {recipe}\nprune: {{rounds: {max(ladder)}}}\nsnapshots: []\n"
                       "dataset: {name: shapes, train: 24, test: 4, validation: 4}\n"
                       "train: {iterations: 1, batch: 4, schedule: {name: constant, drops: []}, evaluate: {every: 1}}\n")
            self.sweepstake("run", "ladder.yaml", "--workers", 1, "--store", f"{recipe}.h5", check=0)
            points = sweepstake.open(self.folder / f"{recipe}.h5").points.set_index("level")
            for level, percent in ladder.items():
                self.assertAlmostEqual(points.loc[level, "percent_remaining"], percent, delta=0.006)

    # --- CIFAR-10 ---

    GRID = "name: c\nrecipe: lenet-300-100\narchitecture: lenet-8-6\ndataset: {name: cifar10, validation: 4}\n" \
           "train: {iterations: 5, batch: 4, evaluate: {every: 5}}\nprune: {rounds: 1}\n"
    FILES = {"data_batch_1.bin": cifar(12), "data_batch_2.bin": cifar(6, first=3), "test_batch.bin": cifar(8, first=5)}

    def put(self, files):
        for old in (self.folder / "data").glob("cifar10/*"):
            old.unlink()
        for name, content in files.items():
            self.write("data/cifar10/" + name, content)

    def test_bad_cifar_files(self):
        first = self.FILES["data_batch_1.bin"]
        wrong = {
            "truncated": ({"data_batch_1.bin": first[:-5]}, "data_batch_1.bin: wrong length"),
            "too long": ({"test_batch.bin": cifar(8) + b"x"}, "test_batch.bin: wrong length"),
            "empty": ({"data_batch_1.bin": b""}, "data_batch_1.bin: wrong length"),
            "label 10": ({"data_batch_2.bin": b"\x0a" + self.FILES["data_batch_2.bin"][1:]},
                         "data_batch_2.bin: label 10 of record 0"),
            "first missing": ({"data_batch_1.bin": None}, "data_batch_1.bin"),
            "a gap": ({"data_batch_2.bin": None, "data_batch_3.bin": first}, "data_batch_2.bin"),
            "test missing": ({"test_batch.bin": None}, "test_batch.bin"),
            "cut gzip": ({"data_batch_1.bin": None, "data_batch_1.bin.gz": gzip.compress(first)[:-30]},
                         "data_batch_1.bin.gz: truncated"),
            "bad gzip": ({"data_batch_1.bin": None,
                          "data_batch_1.bin.gz": gzip.compress(first)[:-8] + b"1234" + gzip.compress(first)[-4:]},
                         "data_batch_1.bin.gz: corrupt gzip data"),
        }
        self.write("c.yaml", self.GRID)
        for name, (changes, say) in wrong.items():
            with self.subTest(name):
                self.put({file: content for file, content in {**self.FILES, **changes}.items() if content is not None})
                before = self.listing()
                for words in (("plan", "c.yaml"), ("run", "c.yaml", "--workers", 1)):
                    done = self.sweepstake(*words, "--data", "data", timeout=60)
                    self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                    self.assertIn(say, done.stderr)
                    self.assertIn("c.yaml:4:", done.stderr)
                self.assertEqual(self.listing(), before, "something was written")

    def test_raw_and_gzip_are_the_same_tasks(self):
        self.write("c.yaml", self.GRID)
        self.put(self.FILES)
        self.sweepstake("run", "c.yaml", "--data", "data", "--workers", 1, "--store", "raw.h5", check=0)
        self.put({name + ".gz": gzip.compress(content) for name, content in self.FILES.items()})
        self.sweepstake("run", "c.yaml", "--data", "data", "--workers", 1, "--store", "gz.h5", check=0)
        self.assert_same_store("raw.h5", "gz.h5")

    # --- networks that do not fit ---

    def test_networks_that_do_not_fit(self):
        for layers, say in (("[{max-pool: 33}]", "networks.mine"), ("[{conv: 0}]", "out of range"),
                            ("[{conf: 8}]", "did you mean conv?"), ("[{residual: [{max-pool: 3}]}]", "networks.mine")):
            with self.subTest(layers):
                self.write("own.yaml", "name: own\ndataset: {name: shapes, train: 100, test: 10, validation: 10}\n"
                           f"networks:\n  mine: {layers}\narchitecture: mine\ntrain: {{batch: 10, iterations: 10}}\n")
                done = self.sweepstake("plan", "own.yaml")
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn("own.yaml:4:", done.stderr)
                self.assertIn(say, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
