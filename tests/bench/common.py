"""What the sections of tests/bench/run share: building, running the compiled benchmarks, tables and JSON lines."""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SWEEPSTAKE_BENCH_BUILD", ROOT / "build-bench"))
PROGRAM = "src/cli/sweepstake"
OPENBLAS_CORES = {"SkylakeX": {"avx512f", "avx512bw", "avx512dq", "avx512vl"}, "Haswell": {"avx2", "fma"}}


class Report:
    """Where measurements go: each is a row of a printed table, and a line of JSON if a file was asked for."""

    def __init__(self, path=None):
        self.file = open(path, "w") if path else None

    def record(self, section, **values):
        if self.file:
            print(json.dumps({"section": section, **values}), file=self.file, flush=True)


class Table:
    """Prints rows below a head as they come. `columns`: for each its name and the format of its values."""

    def __init__(self, *columns):
        self.formats = [form for _, form in columns]
        self.widths = [max(len(name), 7) for name, _ in columns]
        self.widths[0] = max(self.widths[0], 14)
        self._print(name for name, _ in columns)

    def row(self, *values):
        """None stands for what was not measured."""
        self._print("-" if value is None else format(value, form) for value, form in zip(values, self.formats))

    def _print(self, cells):
        first, *others = cells
        print(f"{first:<{self.widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(others, self.widths[1:])), flush=True)


def built(target):
    """The path of a program, built in release mode; without the tests, so that nothing but the libraries is needed."""
    quiet = {"check": True, "stdout": sys.stderr}
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", "--buildtype=release", BUILD, ROOT], **quiet)
    subprocess.run(["ninja", "-C", BUILD, "--quiet", target], **quiet)
    return BUILD / target


def environment(isa=None):
    """Of a measured program: one thread of OpenBLAS from its start on, and the kernels of `isa`."""
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", **({"SWEEPSTAKE_ISA": isa} if isa else {})}


def let_openblas_use_the_cpu():
    """OpenBLAS takes a CPU that is newer than itself for one of 2004. Here it, and PyTorch through it, shall use the widest
    vectors there are. Before a process loads OpenBLAS; a choice of the user's stands. Returns the name of the kernels."""
    flags = set(cpu_fact("flags").split())
    widest = next((core for core, needed in OPENBLAS_CORES.items() if needed <= flags), None)
    return os.environ.setdefault("OPENBLAS_CORETYPE", widest) if widest else "OpenBLAS's choice"


def json_lines(command, isa=None):
    """What a program prints, a line of JSON at a time, as soon as it is there."""
    with subprocess.Popen(list(map(str, command)), env=environment(isa), stdout=subprocess.PIPE, text=True) as process:
        yield from map(json.loads, process.stdout)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)


def cpu_fact(name):
    """Of the first core, as Linux tells it."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "unknown")


def ratio(dividend, divisor):
    """None where either was not measured."""
    return dividend / divisor if dividend and divisor else None
