"""The memory `sweepstake plan` tells is what a run takes, within a tenth; the workers of a node keep data once."""
import json
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import sweep

GRID = """\
name: memory
recipe: {network}
dataset: {{name: {dataset}, train: 400, test: 60, validation: 60}}
train: {{batch: 64, iterations: 6, evaluate: {{every: 6, at: []}}}}
prune: {{rounds: 1, rate: {{conv: {rate}, fc: {rate}, output: {rate}}}}}
"""

SIXTEEN = """\
name: sixteen
recipe: lenet-300-100
dataset: {{name: digits, train: {train}, test: 100, validation: 1000}}
train: {{iterations: 1, evaluate: {{every: 1, at: []}}}}
prune: {{rounds: 0}}
axes: {{seed: 1..16}}
"""


def kilobytes(pid):
    """What a process takes of its own (of what several of a run share, its part), and of files: programs and
    libraries, which other runs may map, too."""
    try:
        rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0  # gone meanwhile
    own = sum(int(number) for number in re.findall(r"^Pss_(?:Anon|Shmem): *(\d+) kB", rollup, re.M))
    return own, sum(int(number) for number in re.findall(r"^RssFile:\s*(\d+) kB", status, re.M))


def taken(pids):
    """Kilobytes of processes together, files counted once."""
    each = [kilobytes(pid) for pid in pids] or [(0, 0)]
    return sum(own for own, _ in each) + max(files for _, files in each)


def is_sanitized():
    return b"__asan_init" in pathlib.Path(sweep.PROGRAM).read_bytes()


@unittest.skipIf(is_sanitized(), "sanitizers take memory of their own")
class Memory(sweep.SweepTest):
    def ratio(self, network, rate, kernels="auto", dataset="shapes"):
        """What is told, of what is taken."""
        self.write("g.yaml", GRID.format(network=network, rate=rate, dataset=dataset))
        plan = self.sweepstake("plan", "g.yaml", "--format", "json", "--kernels", kernels, check=0)
        peak = self.peak("g.yaml", "--workers", 1, "--kernels", kernels, "--store", f"{network}-{rate}-{kernels}.h5")
        told = json.loads(plan.stdout)
        return (told["memory_bytes"] + told["data_bytes"]) / peak

    def peak(self, *words):
        """The bytes that all processes of a run take together."""
        run = self.start("run", *words, "--quiet", env={"MALLOC_PERTURB_": "0"})  # it touches what is unused
        peak = 0
        while run.poll() is None:
            peak = max(peak, taken(sweep.processes_of(self.folder)))
            time.sleep(0.002)
        self.assertEqual(run.returncode, 0, self.output())
        return 1024 * peak

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

    def test_sixteen_workers_keep_one_copy(self):
        """More data take that much more memory, not sixteen times as much."""
        peaks, example = {}, 28 * 28 + 1
        for train in 2000, 60000:
            self.write(f"{train}.yaml", SIXTEEN.format(train=train))
            peaks[train] = self.peak(f"{train}.yaml", "--workers", 16, "--store", f"{train}.h5")
        self.assertLess(peaks[60000] - peaks[2000], 2 * 58000 * example, peaks)
        self.assertEqual(self.leftovers(), [])

    def test_unknown_kernels_are_refused(self):
        self.write("g.yaml", GRID.format(network="conv-2", rate=0.5, dataset="shapes"))
        refused = self.sweepstake("plan", "g.yaml", "--kernels", "fast", check=2)
        self.assertIn("--kernels is auto, dense or sparse, not 'fast'", refused.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
