"""SIGKILL to a supervisor and its mpirun while the master stands still (SIGSTOP), then the same command again at
once: the new run goes on without the old master, and whenever that wakes up it writes nothing."""
import os
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import h5py
import sweep
from roles import rank_of

DONE = 1
WORDS = ("run", "tiny.yaml", "--workers", 2, "--store", "s.h5")


class Replaced(sweep.SweepTest):
    def setUp(self):
        super().setUp()
        self.write("tiny.yaml", sweep.tiny_grid(seeds="[1]"))

    def launch(self, seconds):
        return self.start(*WORDS, env={"SWEEPSTAKE_FAKE": f"seconds={seconds}"})

    def table(self, name):
        with h5py.File(self.folder / "s.h5", "r") as file:
            return file[name][()]

    def wait_for(self, what, condition, seconds=40):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"{what}\n{self.output()}")
            time.sleep(0.02)

    def orphan_master(self):
        """Leaves nothing of a run in the middle but its master, which stands still. A master that has seen its
        workers leave before it could be stopped is gone: then all begins anew."""
        for _ in range(10):
            run = self.launch(0.2)
            self.wait_for("no results", lambda: (self.folder / "s.h5").exists()
                          and (self.table("results")["status"] == DONE).sum() >= 2)
            master = next(pid for pid in sweep.processes_of(self.folder) if rank_of(pid) == 0)
            mpirun = int(pathlib.Path(f"/proc/{master}/stat").read_text().rsplit(")", 1)[1].split()[1])
            os.kill(mpirun, signal.SIGKILL)
            run.kill()
            while sweep.is_alive(mpirun):
                pass
            # Not before: what stands still when its group is orphaned is sent SIGHUP and SIGCONT.
            os.kill(master, signal.SIGSTOP)
            run.wait()
            self.wait_for("workers outlive their mpirun", lambda: sweep.processes_of(self.folder) in ([master], []))
            if sweep.is_alive(master):
                return master
            for name in ("s.h5", "s.h5.lock", "s.h5.status", "output.txt"):
                (self.folder / name).unlink(missing_ok=True)
        self.fail("no master could be stopped")

    def wake(self, master):
        os.kill(master, signal.SIGCONT)
        self.wait_for("the old master stays", lambda: master not in sweep.processes_of(self.folder), 20)

    def assert_right(self, run, before):
        """Each task that was left was handed out once more, and all are done."""
        self.assertEqual(run.wait(timeout=60), 0, self.output())
        results, attempts = self.table("results"), self.table("attempts")
        self.assertEqual(set(results["status"]), {DONE})
        left = before["status"] != DONE
        self.assertEqual(list(attempts), list(before["attempts"] + left), self.output())
        # Rows say which run wrote them.
        self.assertEqual(set(results["environment"][left]), {1}, "a row is the old master's")
        kept = [row for row, is_left in enumerate(left) if not is_left]
        self.assertEqual(results[kept].tobytes(), before["rows"][kept].tobytes())
        self.assertEqual(self.listing(), ["output.txt", "s.h5", "tiny.yaml"])
        self.sweepstake("verify", "s.h5", check=0)

    def snapshot(self):
        rows = self.table("results")
        return {"rows": rows, "status": rows["status"], "attempts": self.table("attempts")}

    def test_it_wakes_while_the_new_run_waits_for_it(self):
        master = self.orphan_master()
        before = self.snapshot()
        run = self.launch(0.05)
        self.wait_for("it does not wait", lambda: "a process of the run before still lives" in self.output())
        self.wake(master)
        self.assert_right(run, before)
        self.assertNotIn("it stands still", self.output())

    def test_it_wakes_while_the_new_run_goes_on(self):
        master = self.orphan_master()
        before = self.snapshot()
        run = self.launch(0.2)
        self.wait_for("it waits for ever", lambda: "it stands still: going on" in self.output())
        done = (before["status"] == DONE).sum()
        self.wait_for("no new results", lambda: (self.table("results")["status"] == DONE).sum() > done)
        self.wake(master)
        self.assertIsNone(run.poll(), self.output())
        self.assert_right(run, before)

    def test_it_wakes_after_the_new_run(self):
        master = self.orphan_master()
        before = self.snapshot()
        run = self.launch(0)
        self.assert_right(run, before)
        whole = (self.folder / "s.h5").read_bytes()
        self.wake(master)
        self.assertEqual((self.folder / "s.h5").read_bytes(), whole)
        self.assertEqual(self.listing(), ["output.txt", "s.h5", "tiny.yaml"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
