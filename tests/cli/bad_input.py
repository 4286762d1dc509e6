"""What bad input gets: a message with the place, exit status 2, and nothing written."""
import gzip
import os
import pathlib
import signal
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import h5py
import sweep

# name: (the grid's text, where, what the message must say)
GRIDS = {
    "unknown key": ("recipe: lenet-300-100\ntrain: {iteratons: 5}\n", "2:9", "iterations"),
    "duplicate key": ("recipe: lenet-300-100\nseed: 1\nseed: 2\n", "3:1", "seed"),
    "wrong type": ("recipe: lenet-300-100\ntrain: {batch: many}\n", "2:16", "batch"),
    "all rates 0": ("recipe: lenet-300-100\nprune: {rate: 0}\n", "2:", "rate"),
    "rate of 1": ("recipe: lenet-300-100\nprune: {rate: {fc: 1.0}}\n", "2:20", "rate.fc"),
    "rate above 1": ("recipe: lenet-300-100\nprune: {rate: {fc: 1.5}}\n", "2:20", "rate.fc"),
    "negative iterations": ("recipe: lenet-300-100\ntrain: {iterations: -5}\n", "2:21", "iterations"),
    "batch larger than the data": ("recipe: lenet-300-100\ndataset: {name: digits, train: 100, test: 10, validation: 10}\n"
                                   "train:\n  batch: 91\n", "4:10", "batch"),
    "rounds that leave nothing": ("recipe: lenet-300-100\ndataset: {name: digits, train: 500, test: 10, validation: 10}\n"
                                  "prune:\n  rate: 0.9\n  rounds: 60\n", "5:11", "rounds"),
    "empty axis": ("recipe: lenet-300-100\naxes:\n  seed: []\n", "3:9", "seed"),
    "tab": ("recipe: lenet-300-100\ntrain:\n\tbatch: 5\n", "3:1", "tab"),
    "alias bomb": ("a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)), "7:4", "alias"),
    "criterion to come": ("recipe: lenet-300-100\nprune: {criterion: snip}\n", "2:20", "not there yet"),
    "path in axes and zip": ("recipe: lenet-300-100\naxes: {seed: [1]}\nzip:\n- {seed: [2]}\n", "4:4", "seed"),
    "uneven zip": ("recipe: lenet-300-100\nzip:\n- {seed: [2, 3], train.batch: [5]}\n", "3:", "zip"),
    "empty file": ("", "", "empty"),
    "not a map": ("- a\n- b\n", "1:1", "map"),
    "rewind after the end": ("recipe: lenet-300-100\ndataset: {name: digits, train: 500, test: 10, validation: 10}\n"
                             "train: {iterations: 50}\nrewind: {to: 51}\n", "4:14", "rewind.to"),
}

SMALL = "name: small\nrecipe: lenet-300-100\narchitecture: lenet-8-6\n" \
        "dataset: {name: DATA, validation: 4}\ntrain: {iterations: 5, batch: 4, evaluate: {every: 5}}\nprune: {rounds: 1}\n"


def idx_images(count, magic=2051, rows=28, columns=28):
    return struct.pack(">IIII", magic, count, rows, columns) + bytes(i % 251 for i in range(count * rows * columns))


def idx_labels(count, magic=2049, classes=10):
    return struct.pack(">II", magic, count) + bytes(i % classes for i in range(count))


class BadInput(sweep.SweepTest):
    def assert_refused(self, words, *must_say, listing=None, env=None):
        before = self.listing() if listing is None else listing
        done = self.sweepstake(*words, timeout=60, env=env)
        self.assertEqual(done.returncode, 2, f"{words}\n{done.stdout}{done.stderr}")
        for part in must_say:
            self.assertIn(part.lower(), done.stderr.lower())
        self.assertEqual(done.stderr.count("\n"), done.stderr.rstrip("\n").count("\n") + 1)
        self.assertEqual(self.listing(), before, "something was written")
        return done.stderr

    # --- command line ---

    def test_command_line(self):
        for words, say in ((("rum",), "run"), (("run",), "GRID"), (("run", "a", "b"), "GRID"),
                           (("run", "--wokers", "2", "a"), "--workers"), (("run", "--workers", "none", "a"), "whole number"),
                           (("run", "--workers", "0", "a"), "--workers"), (("export", "--format", "xml", "a"), "jsonl")):
            with self.subTest(words=words):
                self.assert_refused(words, say)

    # --- the environment ---

    def test_environment(self):
        self.write("a.yaml", sweep.tiny_grid(seeds="[1]", rounds=1, iterations=60))
        for name, value, say in (("SWEEPSTAKE_ISA", "sse9", ("SWEEPSTAKE_ISA", "sse9", "portable")),
                                 ("SWEEPSTAKE_FAKE", "nonsense=1", ("SWEEPSTAKE_FAKE", "nonsense=1", "seconds=S"))):
            for workers in (1, 2):
                with self.subTest(value, workers=workers):
                    self.assert_refused(("run", "a.yaml", "--workers", workers), *say, env={name: value})
        self.assert_refused(("run", "a.yaml", "--workers", 2), "mpirun", "--workers 1", env={"PATH": "/nowhere"})

    # --- grids ---

    def test_grids(self):
        for name, (text, place, say) in GRIDS.items():
            with self.subTest(name):
                self.write("bad.yaml", text)
                for words in (("plan", "bad.yaml"), ("run", "bad.yaml", "--workers", 2)):
                    message = self.assert_refused(words, say)
                    self.assertIn("bad.yaml" + (":" + place if place else ""), message)

    def test_files_that_are_no_grids(self):
        self.write("latin.yaml", b"recipe: lenet-300-100\nname: caf\xe9\n")
        self.assert_refused(("plan", "latin.yaml"), "latin.yaml", "UTF-8")
        with open(self.folder / "huge.yaml", "wb") as huge:
            huge.truncate(200_000_000)
        self.assert_refused(("plan", "huge.yaml"), "huge.yaml", "large")
        self.assert_refused(("plan", "missing.yaml"), "missing.yaml")
        (self.folder / "folder.yaml").mkdir()
        self.assert_refused(("plan", "folder.yaml"), "folder.yaml")

    # --- datasets ---

    def test_idx_files(self):
        good = {"train-images-idx3-ubyte": idx_images(20), "train-labels-idx1-ubyte": idx_labels(20),
                "t10k-images-idx3-ubyte": idx_images(8), "t10k-labels-idx1-ubyte": idx_labels(8)}
        first, labels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
        wrong = {
            "missing": (first, None, first),
            "truncated": (first, good[first][:-5], first),
            "too long": (first, good[first] + b"x", first),
            "mislabelled": (first, idx_labels(20), "labels"),
            "wrong magic": (first, idx_images(20, magic=1234), "magic"),
            "counts differ": (labels, idx_labels(19), "19"),
            "label 10": (labels, idx_labels(20, classes=11), "label"),
            "empty": (labels, b"", labels),
            "bad gzip": (labels + ".gz", gzip.compress(good[labels])[:-9], labels),
        }
        self.write("small.yaml", SMALL.replace("DATA", "mine"))
        for name, (file, content, say) in wrong.items():
            with self.subTest(name):
                files = dict(good)
                files.pop(file.removesuffix(".gz"))
                for old in (self.folder / "data").glob("mine/*"):
                    old.unlink()
                if content is not None:
                    files[file] = content
                for path, bytes_ in files.items():
                    self.write("data/mine/" + path, bytes_)
                self.assert_refused(("run", "small.yaml", "--data", "data", "--workers", 1), say)
        for path, bytes_ in good.items():
            self.write("data/mine/" + path, bytes_)
        for old in (self.folder / "data/mine").glob("*.gz"):
            old.unlink()
        self.sweepstake("run", "small.yaml", "--data", "data", "--workers", 1, check=0)

    def test_no_data_folder(self):
        self.write("small.yaml", SMALL.replace("DATA", "mnist"))
        self.assert_refused(("run", "small.yaml", "--data", "nowhere"), "nowhere")
        done = self.sweepstake("run", "small.yaml", env={"SWEEPSTAKE_DATA": ""})
        self.assertEqual(done.returncode, 2)
        self.assertIn("--data", done.stderr)

    # --- stores ---

    def test_stores(self):
        self.write("a.yaml", sweep.tiny_grid(seeds="[1]", rounds=1, iterations=60, rewind=0))
        self.write("b.yaml", sweep.tiny_grid(seeds="[1]", rounds=2, iterations=60, rewind=0))
        self.sweepstake("run", "a.yaml", "--workers", 1, "--store", "good.h5", check=0)
        good = (self.folder / "good.h5").read_bytes()
        self.write("text.h5", "this is not HDF5\n" * 100)
        self.write("cut.h5", good[:len(good) // 2])
        self.write("empty.h5", "")
        with h5py.File(self.folder / "other.h5", "w") as other:
            other["x"] = [1, 2, 3]
        self.write("version.h5", good)
        with h5py.File(self.folder / "version.h5", "r+") as file:
            file.attrs.modify("format_version", 999)
        for name, say in (("text.h5", "HDF5"), ("cut.h5", "trunc"), ("empty.h5", "empty"), ("other.h5", "sweepstake"),
                          ("version.h5", "999"), (".", "folder")):
            with self.subTest(name):
                self.assert_refused(("run", "a.yaml", "--store", name, "--workers", 1), say)
                self.assert_refused(("run", "a.yaml", "--store", name, "--workers", 2), say)
                self.assert_refused(("verify", name), say)
                self.assert_refused(("export", name), say)
                self.assert_refused(("status", name), say)
        for words in (("verify", "missing.h5"), ("run", "a.yaml", "--store", "no/such/folder/s.h5", "--workers", 1)):
            self.assert_refused(words, "no")
        self.assertEqual((self.folder / "good.h5").read_bytes(), good, "the good store was touched")

    def test_a_store_of_the_fake_executor_is_no_result(self):
        self.write("a.yaml", sweep.tiny_grid(seeds="[1]", rounds=1, iterations=60))
        fake = {"SWEEPSTAKE_FAKE": "seconds=0"}
        self.sweepstake("run", "a.yaml", "--workers", 1, "--store", "real.h5", check=0)
        done = self.sweepstake("run", "a.yaml", "--workers", 2, "--store", "fake.h5", check=0, env=fake)
        self.assertEqual(done.stderr.count("SWEEPSTAKE_FAKE"), 1, done.stderr)
        with h5py.File(self.folder / "fake.h5", "r") as file:
            self.assertIn(file.attrs["kernel_mode"], (b"fake", "fake"))
        for workers in (1, 2):
            self.assert_refused(("run", "a.yaml", "--workers", workers, "--store", "fake.h5"), "fake.h5", "trained")
            self.assert_refused(("run", "a.yaml", "--workers", workers, "--store", "real.h5"), "real.h5", env=fake)

    def test_read_only_store(self):
        """As root permissions do not bind; a read-only mount of a folder of its own does."""
        self.write("a.yaml", sweep.tiny_grid(seeds="[1]", rounds=1, iterations=60))
        self.sweepstake("run", "a.yaml", "--workers", 1, "--store", "good.h5", check=0)
        mount = self.mount_tmpfs("size=64m")
        (mount / "s.h5").write_bytes((self.folder / "good.h5").read_bytes())
        subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
        # Nothing is to be done, so reading is enough; a second grid needs to write.
        self.sweepstake("verify", mount / "s.h5", check=0)
        self.assert_refused(("run", "a.yaml", "--store", mount / "new.h5", "--workers", 1), "read-only")

    def test_full_disk(self):
        self.write("a.yaml", sweep.tiny_grid(seeds="1..5"))
        mount = self.mount_tmpfs("size=1m")
        for workers in (1, 2):
            done = self.sweepstake("run", "a.yaml", "--workers", workers, "--store", mount / "s.h5")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("free", done.stderr)
            self.assertEqual(list(mount.iterdir()), [])

    def mount_tmpfs(self, options):
        mount = self.folder / "mount"
        mount.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(mount)], capture_output=True).returncode:
            self.skipTest("mounting a tmpfs needs root")
        self.addCleanup(subprocess.run, ["umount", str(mount)])
        return mount

    def test_a_store_in_use_says_by_whom(self):
        self.write("long.yaml", sweep.tiny_grid(iterations=100000))
        for workers in (1, 2):
            run = self.start("run", "long.yaml", "--workers", workers, "--store", "s.h5")
            try:
                deadline = time.monotonic() + 20
                while not (self.folder / "s.h5.lock").exists():
                    self.assertLess(time.monotonic(), deadline, self.output())
                    time.sleep(0.02)
                done = self.sweepstake("run", "long.yaml", "--workers", workers, "--store", "s.h5")
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(str(run.pid), done.stderr)
                self.assertIn(os.uname().nodename, done.stderr)
            finally:
                run.send_signal(signal.SIGTERM)
                self.assertEqual(run.wait(timeout=20), 75)


if __name__ == "__main__":
    unittest.main(verbosity=2)
