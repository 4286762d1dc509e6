"""Section `sweep`: the paper's LeNet grid, 20 rounds of iterative pruning with one seed, as a user runs it: with
`--kernels auto` and `--kernels dense`, and as a script in PyTorch with dense masks. One process each, by turns, from its
start to its end. A turn takes minutes, in which other work on a machine comes and goes: so each level's shortest time of
the turns counts, and the shortest of what the process does beside, all by the clock."""
import csv
import importlib.util
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from common import PROGRAM, Table, built, environment, json_lines

ITERATIONS, ROUNDS = 5000, 20
TURNS, QUICK_TURNS = 2, 1
# With --quick the sweep is run with these numbers of iterations, and the line through both says how long 5,000 take.
# Rounds cost us less and less, so all are run; they cost PyTorch the same, so that the dense level and one stand for all.
QUICK_ITERATIONS, QUICK_TORCH_ROUNDS = (200, 700), 1
GRID = """\
recipe: lenet-300-100
dataset: {{name: {dataset}, train: 60000, test: 10000, validation: 5000}}
train: {{iterations: {iterations}, evaluate: {{every: 100}}}}
prune: {{rate: {{fc: 0.2, output: 0.1}}, rounds: {rounds}}}
axes: {{seed: 1..1}}
"""
MOST_OF_DENSE, LEAST_TIMES_TORCH = .35, 8


def timed(call):
    """Seconds by the clock, and what the call returns."""
    begin = time.monotonic()
    returned = call()
    return time.monotonic() - begin, returned


def own_seconds(folder, kernels, isa, data, iterations):
    """Of each level, and in the end of all else in a run, from reading the data to the last bytes of the store."""
    grid = folder / "grid.yaml"
    store = folder / "sweep.h5"
    store.unlink(missing_ok=True)
    grid.write_text(GRID.format(dataset="mnist" if data else "digits", iterations=iterations, rounds=ROUNDS))
    command = [built(PROGRAM), "run", grid, "--workers", "1", "--quiet", "--kernels", kernels,
               "--store", store, *(["--data", data] if data else [])]
    whole, _ = timed(lambda: subprocess.run(command, env=environment(isa), check=True))
    points = subprocess.run([built(PROGRAM), "export", store], stdout=subprocess.PIPE, text=True, check=True).stdout
    levels = [float(point["seconds"]) for point in csv.DictReader(points.splitlines())]
    return [*levels, whole - sum(levels)]


def torch_seconds(data, iterations, rounds):
    """The same of the script, for ROUNDS rounds: those that are not run count as the last that is."""
    script = pathlib.Path(__file__).with_name("sweep_torch.py")
    command = [sys.executable, script, "--iterations", iterations, "--rounds", rounds, *(["--data", data] if data else [])]
    whole, (line,) = timed(lambda: list(json_lines(command)))
    levels = [level["seconds"] for level in line["levels"]]
    return [*levels, *levels[-1:] * (ROUNDS - rounds), whole - sum(levels)]


def sweep_seconds(measure, quick):
    """Of the sweep's parts; `measure` gives the seconds of a number of iterations."""
    if not quick:
        return measure(ITERATIONS)
    (few, more), (short, longer) = QUICK_ITERATIONS, map(measure, QUICK_ITERATIONS)
    return [a + (b - a) * (ITERATIONS - few) / (more - few) for a, b in zip(short, longer)]


def rivals(folder, options, data):
    """{whose: what measures the parts of their sweep}."""
    measures = {(isa, kernels): lambda n, isa=isa, kernels=kernels: own_seconds(folder, kernels, isa, data, n)
                for isa, kernels in itertools.product(options.isa, ("auto", "dense"))}
    if importlib.util.find_spec("torch"):
        measures["", "PyTorch"] = lambda n: torch_seconds(data, n, QUICK_TORCH_ROUNDS if options.quick else ROUNDS)
    else:
        print("PyTorch is not installed for this Python: without its row")
    return measures


def shortest_of_turns(measures, quick):
    """{whose: seconds}; tells how far it is."""
    shortest = {}
    for turn in range(1, 1 + (QUICK_TURNS if quick else TURNS)):
        for whose, measure in measures.items():
            parts = sweep_seconds(measure, quick)
            print(f"turn {turn}: {' '.join(filter(None, whose))} {sum(parts):.1f} s", file=sys.stderr, flush=True)
            shortest[whose] = [min(pair) for pair in zip(parts, shortest.get(whose, parts))]
    return {whose: sum(parts) for whose, parts in shortest.items()}


def print_verdict(seconds, isa, torch):
    share = seconds[isa, "auto"] / seconds[isa, "dense"]
    print(f"auto over dense: {share:.3f}, {'within' if share <= MOST_OF_DENSE else 'NOT within'} {MOST_OF_DENSE}", end="")
    if torch:
        times = torch / seconds[isa, "auto"]
        print(f"; PyTorch over auto: {times:.2f}, {'at least' if times >= LEAST_TIMES_TORCH else 'NOT at least'} "
              f"{LEAST_TIMES_TORCH}", end="")
    print()


def print_head(data, quick):
    print(f"{'MNIST' if data else 'generated digits (PyTorch: noise of their shape)'}, {ROUNDS} rounds of {ITERATIONS} "
          "iterations, seconds of one process each, by the clock")
    if quick:
        print(f"EXTRAPOLATED from runs of {' and '.join(map(str, QUICK_ITERATIONS))} iterations; for PyTorch also from "
              f"{QUICK_TORCH_ROUNDS} of {ROUNDS} rounds, the others counted as if they took as long")


def run(report, options):
    data = options.data or os.environ.get("SWEEPSTAKE_DATA")
    print_head(data, options.quick)
    with tempfile.TemporaryDirectory(prefix="sweepstake-bench-") as name:
        seconds = shortest_of_turns(rivals(pathlib.Path(name), options, data), options.quick)
    table = Table(("kernels", ""), ("how", ""), ("seconds", ".1f"))
    for (isa, how), taken in seconds.items():
        table.row("the CPU's best" if isa is None else isa, how, taken)
    torch = seconds.get(("", "PyTorch"))
    for isa in options.isa:
        print_verdict(seconds, isa, torch)
        report.record("sweep", isa=isa, iterations=ITERATIONS, rounds=ROUNDS, data="mnist" if data else "digits",
                      auto_seconds=seconds[isa, "auto"], dense_seconds=seconds[isa, "dense"], pytorch_seconds=torch,
                      extrapolated=options.quick)
