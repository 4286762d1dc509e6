"""The memory `sweepstake plan` tells is what a run takes, within a tenth."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import sweep

GRID = """\
name: memory
recipe: {network}
dataset: {{name: {dataset}, train: 1000, test: 100, validation: 100}}
train: {{batch: 64, iterations: 3, evaluate: {{every: 3, at: []}}}}
prune: {{rounds: 1, rate: {{conv: {rate}, fc: {rate}, output: {rate}}}}}
"""
# Runs its words; prints the peak KiB of the largest process below it, whichever of them trains.
PEAK = """\
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


def is_sanitized():
    return b"__asan_init" in pathlib.Path(sweep.PROGRAM).read_bytes()


@unittest.skipIf(is_sanitized(), "sanitizers take memory of their own")
class Memory(sweep.SweepTest):
    def ratio(self, network, rate, kernels="auto", dataset="shapes"):
        """What is told, of what is taken."""
        self.write("g.yaml", GRID.format(network=network, rate=rate, dataset=dataset))
        plan = self.sweepstake("plan", "g.yaml", "--format", "json", "--kernels", kernels, check=0)
        run = self.sweepstake("run", "g.yaml", "--workers", 1, "--quiet", "--kernels", kernels, "--store",
                              f"{network}-{rate}-{kernels}.h5", check=0, launcher=(sys.executable, "-c", PEAK))
        return json.loads(plan.stdout)["memory_bytes"] / (int(run.stdout.split()[-1]) * 1024)

    def assert_told(self, *arguments, **options):
        ratio = self.ratio(*arguments, **options)
        self.assertGreater(ratio, 0.9, arguments)
        self.assertLess(ratio, 1.1, arguments)

    def test_few_pruned_and_nearly_all(self):
        self.assert_told("conv-4", 0.01)
        self.assert_told("conv-4", 0.97)

    def test_survivors_alone(self):
        self.assert_told("conv-2", 0.01, kernels="sparse")
        self.assert_told("conv-2", 0.01, kernels="dense")

    def test_a_small_network(self):
        self.assert_told("lenet-300-100", 0.5, dataset="digits")

    def test_unknown_kernels_are_refused(self):
        self.write("g.yaml", GRID.format(network="conv-2", rate=0.5, dataset="shapes"))
        refused = self.sweepstake("plan", "g.yaml", "--kernels", "fast", check=2)
        self.assertIn("--kernels is auto, dense or sparse, not 'fast'", refused.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
