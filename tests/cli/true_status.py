"""Exit statuses tell the truth with 1 and with 3 workers, and nothing of a run is left behind."""
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import sweep

# Long enough to be interrupted for certain.
LONG = sweep.tiny_grid(iterations=200000, seeds="1..4", rounds=2)


class TrueStatus(sweep.SweepTest):
    def assert_nothing_left(self):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and (sweep.processes_of(self.folder) or self.leftovers()):
            time.sleep(0.05)
        self.assertEqual(sweep.processes_of(self.folder), [], "processes are alive after the run")
        self.assertEqual(self.leftovers(), [], "files are left")

    def test_complete_is_0(self):
        self.write("tiny.yaml", sweep.tiny_grid(seeds="[1]", rounds=1))
        for workers in (1, 3):
            self.sweepstake("run", "tiny.yaml", "--workers", workers, "--store", f"{workers}.h5", check=0)
            self.assert_nothing_left()
        self.assertEqual(self.listing(), ["1.h5", "3.h5", "tiny.yaml"])

    def test_a_failed_task_is_1_and_the_rest_completes(self):
        self.write("tiny.yaml", sweep.tiny_grid())
        for workers in (1, 3):
            # The fake executor fails task 1 for good; its descendants cannot be reached.
            self.sweepstake("run", "tiny.yaml", "--workers", workers, "--store", f"{workers}.h5", check=1,
                            env={"SWEEPSTAKE_FAKE": "seconds=0.005 fail=1:99"})
            found = sweep.statuses(self.folder / f"{workers}.h5")
            self.assertEqual(found[1], 3)
            self.assertEqual(set(found) - {1, 3, 5}, set())
            self.assertGreater((found == 1).sum(), 0)
            self.assert_nothing_left()

    def test_quiet_is_silent(self):
        self.write("tiny.yaml", sweep.tiny_grid(seeds="[1]", rounds=1, iterations=60))
        for workers in (1, 3):
            for _ in range(2):  # the second finds nothing to do
                done = self.sweepstake("run", "tiny.yaml", "--workers", workers, "--quiet", check=0)
                self.assertEqual(done.stdout + done.stderr, "")
        done = self.sweepstake("run", "tiny.yaml", check=0)
        self.assertIn("nothing to do", done.stderr)
        self.assertIn("P_m", done.stdout)

    def test_plain_mpirun_tells_the_end_once(self):
        self.write("tiny.yaml", sweep.tiny_grid(seeds="[1]", rounds=1, iterations=60))
        for ranks in (1, 3):
            launcher = ("mpirun", "--oversubscribe", "-n", str(ranks))
            words = ("run", "tiny.yaml", "--store", f"{ranks}.h5")
            self.assertEqual(self.sweepstake(*words, check=0, launcher=launcher).stdout.count("P_m"), 1)
            again = self.sweepstake(*words, check=0, launcher=launcher)
            self.assertEqual((again.stdout.count("P_m"), again.stderr.count("nothing to do")), (1, 1))
            self.assertEqual(self.sweepstake(*words, "--quiet", check=0, launcher=launcher).stdout, "")
            wrong = self.sweepstake("run", "missing.yaml", "--store", "no.h5", check=2, launcher=launcher)
            self.assertEqual(wrong.stderr.count("sweepstake: missing.yaml"), 1, wrong.stderr)
        hurt = self.sweepstake("run", "tiny.yaml", "--store", "hurt.h5",
                               env={"SWEEPSTAKE_FAKE": "seconds=0.05 crash=0:1"},
                               launcher=("mpirun", "--enable-recovery", "--oversubscribe", "-n", "3"))
        self.assertEqual(hurt.stdout.count("P_m"), 1)
        self.assertEqual(set(sweep.statuses(self.folder / "hurt.h5")), {1})
        self.assert_nothing_left()

    def test_wrong_input_is_2(self):
        for workers in (1, 3):
            self.sweepstake("run", "missing.yaml", "--workers", workers, check=2)
            self.assert_nothing_left()
        self.assertEqual(self.listing(), [])

    def test_signals_are_75_and_the_grid_goes_on(self):
        # Where these tests run under nohup, so would the program, and not end by SIGHUP.
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_DFL))
        self.write("long.yaml", LONG)
        for workers in (1, 3):
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGQUIT, signal.SIGHUP):
                with self.subTest(workers=workers, signal=number.name):
                    run = self.start("run", "long.yaml", "--workers", workers, "--store", f"{workers}.h5")
                    self.wait_for_training(workers)
                    run.send_signal(number)
                    self.assertEqual(run.wait(timeout=20), 75, self.output())
                    self.assert_nothing_left()
                    self.sweepstake("verify", f"{workers}.h5", check=0)

    def wait_for_training(self, workers):
        """Until the store stands and its workers run (three ranks and mpirun are five processes)."""
        deadline = time.monotonic() + 20
        while not (self.folder / f"{workers}.h5").exists():
            self.assertLess(time.monotonic(), deadline, self.output())
            time.sleep(0.02)
        time.sleep(0.8)

    def test_a_signal_during_start_is_75_or_finds_nothing_started(self):
        self.write("long.yaml", LONG)
        for pause in (0.01, 0.05, 0.2, 0.4):
            run = self.start("run", "long.yaml", "--workers", 3, "--store", "early.h5")
            time.sleep(pause)
            run.send_signal(signal.SIGTERM)
            self.assertIn(run.wait(timeout=20), (75, -signal.SIGTERM), self.output())
            self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main(verbosity=2)
