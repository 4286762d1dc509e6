"""A file system that fills up, runs over quota or fails in the middle of a run: it stops with status 75, says which
file and why, and hangs nowhere; the store verifies, and with space the same command ends in the bits of an
uninterrupted run. When it fails is drawn from SEED (default 1), ROUNDS (default 1) times for each kind and place."""
import os
import pathlib
import random
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import h5py
import sweep

SEED = int(os.environ.get("SEED", "1"))
ROUNDS = int(os.environ.get("ROUNDS", "1"))
REASONS = {"enospc": "No space left on device; free space on its file system",
           "edquot": "Disk quota exceeded; free some of your quota there",
           "eio": "Input/output error; see what is wrong with its file system",
           "short": "No space left on device; free space on its file system"}


class FullDisk(sweep.SweepTest):
    def setUp(self):
        super().setUp()
        self.module = os.environ["FAILING_DISK_MODULE"]
        self.moments = random.Random(SEED)
        self.write("tiny.yaml", sweep.tiny_grid(iterations=60, train=400, seeds="[1]"))
        self.sweepstake("run", "tiny.yaml", "--workers", 1, "--store", "whole.h5", check=0)

    def failing(self, kind, first, rank=None, **more):
        return {"LD_PRELOAD": self.module, "FAILING_DISK": f"{kind}:{first}",
                **({} if rank is None else {"FAILING_DISK_RANK": str(rank)}), **more}

    def assert_clean(self, stopped=False):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and (sweep.processes_of(self.folder) or self.leftovers()):
            time.sleep(0.05)
        self.assertEqual(sweep.processes_of(self.folder), [], "processes are alive after the run")
        self.assertEqual(self.leftovers(), [], "files are left")
        states = ["s.checkpoint.h5"] if stopped and (self.folder / "s.checkpoint.h5").exists() else []
        self.assertEqual(self.listing(), [*states, "s.h5", "tiny.yaml", "whole.h5"])

    def stop_and_resume(self, kind, workers, first, rank=None):
        words = ("run", "tiny.yaml", "--workers", workers, "--store", "s.h5", "--save-every", 0.01)
        for left in ("s.h5", "s.h5.lock", "s.checkpoint.h5"):
            (self.folder / left).unlink(missing_ok=True)
        done = self.sweepstake(*words, env=self.failing(kind, first, rank), timeout=60)
        said = f"{kind}:{first} rank {rank}\n{done.stdout}\n{done.stderr}"
        self.assertEqual(done.returncode, 75, said)
        self.assertIn(REASONS[kind], done.stderr, said)
        self.assertRegex(done.stderr, r"\bs(\.checkpoint)?\.h5: ", said)
        self.assertIn("the same command goes on where it stopped", done.stderr, said)
        self.assert_clean(stopped=True)
        # Half a row is what a short write can leave: named, and trained again.
        verified = self.sweepstake("verify", "s.h5")
        self.assertIn(verified.returncode, (0, 1) if kind == "short" else (0,), verified.stdout + said)
        self.assertLess((sweep.statuses(self.folder / "s.h5") == 1).sum(), 18)
        self.sweepstake(*words, check=0)
        self.assert_clean()
        self.assert_same_store("whole.h5", "s.h5")

    def each(self, workers, calls, rank=None):
        for kind in REASONS:
            for _ in range(ROUNDS):
                first = self.moments.randint(1, calls)
                with self.subTest(kind=kind, first=first):
                    self.stop_and_resume(kind, workers, first, rank)

    def test_one_process(self):
        self.each(1, 150)

    def test_the_master_of_two_workers(self):
        self.each(2, 50, rank=0)

    def test_one_of_two_workers(self):
        self.each(2, 50, rank=1)

    def test_all_of_two_workers(self):
        self.each(2, 50)

    def test_a_task_is_given_back(self):
        """A worker that cannot write costs no task an attempt."""
        self.sweepstake("run", "tiny.yaml", "--workers", 2, "--store", "s.h5", check=75,
                        env=self.failing("enospc", 5, rank=1), timeout=60)
        with h5py.File(self.folder / "s.h5", "r") as file:
            status, attempts = file["results"]["status"], file["attempts"][()]
        self.assertEqual(list(attempts), list(status == 1))

    def test_a_status_that_cannot_be_written(self):
        """The supervisor learns of the end another way, and waits for nothing."""
        for fake, status in (("seconds=0.01", 0), ("fail=1:99", 1)):
            self.sweepstake("run", "tiny.yaml", "--workers", 2, "--store", "s.h5", check=status, timeout=60,
                            env=self.failing("enospc", 1, FAILING_DISK_NAME=".h5.status", SWEEPSTAKE_FAKE=fake))
            self.assert_clean()
            (self.folder / "s.h5").unlink()

    def test_a_lock_that_cannot_be_written(self):
        for workers in (1, 2):
            done = self.sweepstake("run", "tiny.yaml", "--workers", workers, "--store", "s.h5", check=75, timeout=60,
                                   env=self.failing("enospc", 1, FAILING_DISK_NAME=".h5.lock"))
            self.assertIn("s.h5: its lock file cannot be written: " + REASONS["enospc"], done.stderr)
            self.assertEqual(self.listing(), ["tiny.yaml", "whole.h5"])

    # --- real file systems, where this process may mount them ---

    def on_small_disk(self, size, script, *words, **environment):
        """Runs a shell script in a mount namespace of its own, with a file system of so many bytes at ./small;
        "$@" is the program with these words."""
        (self.folder / "small").mkdir(exist_ok=True)
        mount = f"mount -t tmpfs -o size={size} none small || exit 99\n"
        done = subprocess.run(["unshare", "-m", "sh", "-c", mount + script, "sh", sweep.PROGRAM, *map(str, words)],
                              cwd=self.folder, env={**os.environ, **environment}, capture_output=True, text=True,
                              timeout=120)
        if done.returncode == 99 or "unshare failed" in done.stderr:
            self.skipTest("mounting a small file system needs root")
        return done

    def test_a_grid_that_will_not_fit(self):
        for workers in (1, 2):
            began = time.monotonic()
            done = self.on_small_disk("2m", '"$@"; status=$?; ls -A small; exit $status', "run", "tiny.yaml",
                                      "--workers", workers, "--store", "small/s.h5")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertRegex(done.stderr, r"small/s\.h5: needs .* and the folder small has .* free")
            self.assertEqual(done.stdout, "", "files are left")
            self.assertLess(time.monotonic() - began, 5)

    def test_a_disk_that_others_fill(self):
        """A store that could not be reserved (the module says so), and somebody else takes the space."""
        script = """
            "$@" >first.txt 2>&1 & run=$!
            until [ -e small/s.checkpoint.h5 ]; do sleep 0.01; done
            cat /dev/zero >small/junk 2>/dev/null
            wait $run; echo stopped $?
            "$1" verify small/s.h5; echo verified $?
            rm small/junk
            "$@" >second.txt 2>&1; echo ended $?
            ls -A small
            cp small/s.h5 s.h5"""
        for workers in (1, 2):
            with self.subTest(workers=workers):
                done = self.on_small_disk("12m", script, "run", "tiny.yaml", "--workers", workers, "--store",
                                          "small/s.h5", LD_PRELOAD=self.module)
                said = done.stdout + done.stderr + (self.folder / "first.txt").read_text()
                self.assertRegex(done.stdout, r"(?s)stopped 75\n.*verified 0\nended 0\ns\.h5\n$", said)
                self.assertIn(REASONS["enospc"], said)
                self.assert_same_store("whole.h5", "s.h5")


if __name__ == "__main__":
    unittest.main(verbosity=2)
