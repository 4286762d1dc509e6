"""Section `scheduler`: empty tasks through the whole MPI path, on more ranks than there are cores.

For each number of workers: tasks a second from the start of `sweepstake run` to its end, less what the shortest of some
runs of the fewest seeds that start as many takes; and microseconds of the master's CPU time a task, attempts and rows
written durably among them. Ranks share the cores, so that tasks a second fall with them; the master's own time should
not rise. Then CPU seconds and memory of `sweepstake plan` for grids of a million tasks: nine tasks each of a hundred thousand
experiments, and as many experiments as tasks."""
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from common import PROGRAM, Table, built, environment
from launch import cpu_seconds, family

GRID = """\
name: empty
architecture: lenet-4-4
dataset: {name: digits, train: 100, test: 20, validation: 20}
train: {iterations: 10, batch: 10, evaluate: {every: 10}}
prune: {rounds: 9}
axes: {seed: 1..%d}
snapshots: [init]
"""
LEVELS = 10
WORKERS, QUICK_WORKERS = (2, 4, 8, 16, 32, 64), (2, 8)
SEEDS, QUICK_SEEDS = 400, 200
LAUNCHES = 3


class MasterWatch(threading.Thread):
    """The CPU time of rank 0, read until it is gone: what it had at the last look."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.last = pid, None

    def run(self):
        master = None
        while master is None and os.path.exists(f"/proc/{self.pid}"):
            time.sleep(0.02)
            master = next((pid for pid, _, rank in family(self.pid) if rank == 0), None)
        while master is not None:
            try:
                self.last = cpu_seconds(master)
            except (OSError, IndexError):
                return
            time.sleep(0.02)


def run_empty(program, folder, workers, seeds):
    """Seconds of a run, and the master's CPU seconds."""
    grid, store = folder / "grid.yaml", folder / "empty.h5"
    grid.write_text(GRID % seeds)
    began = time.monotonic()
    with subprocess.Popen([program, "run", grid, "--workers", str(workers), "--quiet", "--store", store],
                          env={**environment(), "SWEEPSTAKE_FAKE": "seconds=0"}) as run:
        watch = MasterWatch(run.pid)
        watch.start()
    seconds = time.monotonic() - began
    watch.join()
    if run.returncode != 0:
        raise subprocess.CalledProcessError(run.returncode, run.args)
    if watch.last is None:
        raise RuntimeError("the master was not found among the processes of the run")
    store.unlink()
    return seconds, watch.last


def millions():
    """Grids of a million tasks, by their numbers of experiments."""
    rates = ", ".join(f"{percent / 100}" for percent in range(5, 15))
    ladders = GRID % 1112 + f"zip: [{{prune.rate.fc: [{rates}]}}, {{prune.rate.output: [{rates}]}}]\n"
    return {111_200: ladders, 1_000_000: GRID.replace("rounds: 9", "rounds: 0") % 1_000_000}


# Runs a command and prints its CPU seconds and kilobytes. A process of its own: a child's peak begins with what its parent
# holds, and here that may be PyTorch.
MEASURE = """\
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""


def plan_seconds(program, folder, text):
    """CPU seconds and the most bytes of memory that planning a grid takes."""
    grid = folder / "million.yaml"
    grid.write_text(text)
    measured = subprocess.run([sys.executable, "-c", MEASURE, program, "plan", grid], env=environment(), check=True,
                              capture_output=True, text=True)
    seconds, kilobytes = measured.stdout.split()
    return float(seconds), 1024 * int(kilobytes)


def run(report, options):
    program = built(PROGRAM)
    seeds = QUICK_SEEDS if options.quick else SEEDS
    table = Table(("workers", ""), ("tasks", "d"), ("tasks/s", ".0f"), ("master us/task", ".0f"))
    with tempfile.TemporaryDirectory(prefix="sweepstake-bench-") as name:
        folder = pathlib.Path(name)
        for workers in QUICK_WORKERS if options.quick else WORKERS:
            # Launching and leaving cost the same with few tasks: what is left is the tasks'. A run starts no more
            # workers than it has tasks.
            fewest = -(-workers // LEVELS)
            least_seconds, least_cpu = min(run_empty(program, folder, workers, fewest) for _ in range(LAUNCHES))
            seconds, cpu = run_empty(program, folder, workers, seeds)
            tasks = LEVELS * (seeds - fewest)
            rate = tasks / (seconds - least_seconds)
            microseconds = 1e6 * (cpu - least_cpu) / tasks
            table.row(str(workers), tasks, rate, microseconds)
            report.record("scheduler", workers=workers, tasks=tasks, tasks_a_second=rate, master_microseconds=microseconds)
        for experiments, text in millions().items():
            seconds, memory = plan_seconds(program, folder, text)
            print(f"a million tasks of {experiments} experiments planned: {seconds:.1f} s of CPU, {memory / 2**20:.0f} MiB")
            report.record("plan", experiments=experiments, seconds=seconds, memory=memory)
