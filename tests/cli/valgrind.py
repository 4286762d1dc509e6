"""A small run in one process is clean under valgrind: no invalid access, nothing uninitialised, no leak of ours.

valgrind knows no AVX-512, so the kernels are those for AVX2; OpenBLAS picks by what valgrind's processor has."""
import pathlib
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
