"""What valgrind sees: a small run in one process has no invalid access, nothing uninitialised, no leak of ours; and
planning takes instructions in proportion to the tasks.

valgrind knows no AVX-512, so the kernels are those for AVX2; OpenBLAS picks by what valgrind's processor has."""
import pathlib
import re
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import sweep

OPTIONS = ("--quiet", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite")


@unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
class Valgrind(sweep.SweepTest):
    def test_a_small_run(self):
        self.write("tiny.yaml", sweep.tiny_grid(seeds="[1]", rounds=1, iterations=60, train=260))
        self.sweepstake("run", "tiny.yaml", "--workers", 1, "--store", "s.h5", check=0, timeout=600,
                        env={"SWEEPSTAKE_ISA": "avx2", "OPENBLAS_CORETYPE": "Haswell"}, launcher=("valgrind", *OPTIONS))
        for words in (("plan", "tiny.yaml"), ("verify", "s.h5"), ("status", "s.h5"), ("export", "s.h5")):
            self.sweepstake(*words, check=0, timeout=300, launcher=("valgrind", *OPTIONS))

    def instructions_to_plan(self, seeds):
        self.write("g.yaml", sweep.tiny_grid(seeds=f"1..{seeds}", rounds=9))
        # Simulated at a given speed: `plan` measures the machine's, and how often it simulates depends on that.
        plan = self.sweepstake("run", "g.yaml", "--simulate", "ranks=16,gflops=100", check=0, timeout=300,
                               launcher=("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"))
        return int(re.search(r"Collected : (\d+)", plan.stderr)[1])

    def test_planning_is_linear(self):
        few, twice, four_times = (self.instructions_to_plan(seeds) for seeds in (25, 50, 100))
        self.assertGreater(twice, few)
        # What does not grow cancels out: linear work doubles, quadratic work quadruples.
        self.assertLess((four_times - twice) / (twice - few), 2.2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
