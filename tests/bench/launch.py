"""Section `launch`: how soon a run trains, and what waiting costs.

Prints the seconds from `sweepstake run --workers 2` to the end of a run of one training step on 10,000 generated
examples (an upper bound of the time to the first step), and the share of a core that master, workers and mpirun
use while two workers train."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from common import PROGRAM, built

GRID = """\
name: launch
recipe: lenet-300-100
dataset: {name: digits, train: 10000, test: 100, validation: 100}
train: {iterations: %d, evaluate: {every: %d}}
prune: {rounds: 0}
axes: {seed: 1..2}
"""
TICK = os.sysconf("SC_CLK_TCK")


def start_seconds(program, folder):
    grid = folder / "start.yaml"
    grid.write_text(GRID % (1, 1))
    least = float("inf")
    for attempt in range(5):
        began = time.monotonic()
        subprocess.run([program, "run", grid, "--workers", "2", "--quiet", "--store", folder / f"{attempt}.h5"], check=True)
        least = min(least, time.monotonic() - began)
    return least


def family(pid):
    """The process and all its descendants, as (pid, command line, rank or None).

    A child is listed with the thread that started it: mpirun starts more than 32 ranks from several."""
    found, waiting = [], [pid]
    while waiting:
        pid = waiting.pop()
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            variables = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            lists = [path.read_text() for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children")]
        except OSError:
            continue
        ranks = [int(v.split(b"=")[1]) for v in variables if v.startswith(b"OMPI_COMM_WORLD_RANK=")]
        found.append((pid, words[0].decode(), ranks[0] if ranks else None))
        waiting += map(int, " ".join(lists).split())
    return found


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def shares(program, folder, seconds=5.0):
    grid = folder / "long.yaml"
    grid.write_text(GRID % (10**7, 10**6))
    run = subprocess.Popen([program, "run", grid, "--workers", "2", "--quiet", "--store", folder / "long.h5"])
    time.sleep(3)
    members = family(run.pid)
    before, began = {pid: cpu_seconds(pid) for pid, _, _ in members}, time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    lines = []
    for pid, command, rank in members:
        who = ("master" if rank == 0 else f"worker {rank}") if rank is not None else os.path.basename(command)
        lines.append((who if rank is not None or "mpirun" in who else "supervisor", (cpu_seconds(pid) - before[pid]) / took))
    run.send_signal(signal.SIGTERM)
    run.wait()
    return sorted(lines)


def run(report, options):
    program = built(PROGRAM)
    with tempfile.TemporaryDirectory(prefix="sweepstake-bench-") as name:
        folder = pathlib.Path(name)
        seconds = start_seconds(program, folder)
        print(f"start to end of one step, 2 workers, 10,000 examples: {seconds:.2f} s (least of 5)")
        report.record("launch", seconds=seconds)
        print("share of a core while two workers train:")
        for who, share in shares(program, folder):
            print(f"  {who:<11} {100 * share:6.1f}%")
            report.record("waiting", who=who, share=share)
