"""What the command-line and crash tests share: running sweepstake, comparing stores bit for bit, and looking
for what a run left behind. Needs Debian's python3-h5py (run with /usr/bin/python3).

SWEEPSTAKE names the program under test (set by meson)."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import h5py
    import numpy
except ImportError as missing:
    sys.exit(f"{missing}: these tests need Debian's python3-h5py; run them with /usr/bin/python3")

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SWEEPSTAKE", str(SOURCE / "build/src/cli/sweepstake"))

# As root, mpirun wants to be told twice.
MPIRUN_AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

# What may differ between runs that mean the same (design: "Results mean one thing").
FREE_COLUMNS = {"seconds", "host", "environment", "attempts_used"}


def tiny_grid(**changes):
    """A grid of seconds that uses every kind of task: iterative tickets, dense and sparse layers, late
    rewinding, all controls, dropout."""
    values = dict(iterations=120, train=1500, seeds="1..2", rounds=3, rewind=20, dropout=0.2, name="tiny", extra="")
    values.update(changes)
    return """\
name: {name}
recipe: lenet-300-100
architecture: lenet-40-20
dataset: {{name: digits, train: {train}, test: 300, validation: 200}}
train: {{iterations: {iterations}, dropout: {dropout}, evaluate: {{every: 20, at: [50], test: every}}}}
prune: {{rounds: {rounds}, rate: {{fc: 0.5, output: half}}}}
rewind: {{to: {rewind}}}
axes: {{seed: {seeds}}}
controls:
- {{kind: reinit, draws: 2}}
- {{kind: random-mask}}
- {{kind: fork, draws: 1, levels: [0, 1]}}
- {{kind: same, set: {{dataset.seed: 7}}}}
snapshots: [init, rewind, early-stop, final]
{extra}""".format(**values)


class SweepTest(unittest.TestCase):
    """A folder of its own for each test; `self.sweepstake(...)` runs the program in it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sweepstake-test-"))
        self.shared = pathlib.Path(tempfile.mkdtemp(prefix="sweepstake-test-", dir="/dev/shm"))  # for datasets
        self.pids = set()  # of all that the test started
        for folder in self.folder, self.shared:
            self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.addCleanup(kill_everything, self.folder)  # what a test that failed left behind

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def environment_of(self, more):
        return {**os.environ, "SWEEPSTAKE_SHARED": str(self.shared), **(more or {})}

    def sweepstake(self, *words, timeout=240, env=None, check=None, launcher=()):
        environment = self.environment_of({**(MPIRUN_AS_ROOT if launcher else {}), **(env or {})})
        with subprocess.Popen([*launcher, PROGRAM, *map(str, words)], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", env=environment) as run:
            self.pids.add(run.pid)
            try:
                output = run.communicate(timeout=timeout)
            except BaseException:
                run.kill()
                raise
        done = subprocess.CompletedProcess(run.args, run.returncode, *output)
        if check is not None:
            self.assertEqual(done.returncode, check, f"{words}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, *words, env=None, launcher=()):
        """Starts the program as the leader of a session of its own; its output goes to output.txt."""
        with open(self.folder / "output.txt", "ab") as output:
            run = subprocess.Popen([*launcher, PROGRAM, *map(str, words)], cwd=self.folder, stdout=output, stderr=output,
                                   start_new_session=True, env=self.environment_of(env))
        self.pids.add(run.pid)
        return run

    def leftovers(self):
        """What the test's runs left of datasets, and in the shared temporary folders: a supervisor's
        sweepstake.PID.XXXXXX, which takes in what its mpirun makes, or a plain mpirun's session."""
        patterns = ("sweepstake.{}.*", "ompi.*/pid.{}", "*vader*.{}.*", "pmix*.{}")
        found = [path for folder in ("/tmp", "/dev/shm") for pid in self.pids for pattern in patterns
                 for path in pathlib.Path(folder).glob(pattern.format(pid))]
        return sorted(map(str, [*found, *self.shared.iterdir()]))

    def output(self):
        return (self.folder / "output.txt").read_text(errors="replace")

    def listing(self):
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*"))

    def assert_holds(self, store, other):
        """What the other's grid left is in `store`, task by task, to the bit."""
        differences = compare_tasks(self.folder / store, self.folder / other)
        self.assertEqual(differences, [], f"{store} does not hold what {other} does")

    def assert_same_store(self, one, other):
        differences = compare_stores(self.folder / one, self.folder / other)
        self.assertEqual(differences, [], f"{one} and {other} differ")


def _dataset_names(file):
    names = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


def _lasting(array):
    if array.dtype.names is None:
        return array
    return array[[name for name in array.dtype.names if name not in FREE_COLUMNS]]


def _bytes_of(array):
    if array.dtype.names is None:
        return array.tobytes()
    return b"".join(numpy.ascontiguousarray(array[name]).tobytes() for name in array.dtype.names)


def compare_stores(one, other):
    """Names of the datasets whose bits differ (all but what may)."""
    with h5py.File(one, "r") as a, h5py.File(other, "r") as b:
        names = _dataset_names(a)
        if names != _dataset_names(b):
            return ["the two do not hold the same datasets"]
        return [name for name in names if name not in ("environment", "attempts")
                and _bytes_of(_lasting(a[name][()])) != _bytes_of(_lasting(b[name][()]))]


def tasks_of(path):
    """Everything finished tasks left, by key: {what: bytes}. What may differ between equal runs is left out, and
    so is the checksum, which covers all that a store keeps of a task."""
    with h5py.File(path, "r") as file:
        tasks, results, curves = file["tasks"][()], _lasting(file["results"][()]), file["curves"][()]
        names = [name for name in results.dtype.names if name != "checksum"]
        networks = {int(table.attrs["index"]): name for name, table in file["parameters"].items()}
        finished = numpy.isin(results["status"], (1, 2))
        return {task["key"]: {"result": _bytes_of(result[names].reshape(1)), **_curve_of(task, curves),
                              **_blocks_of(file, networks[int(task["network"])], task)}
                for task, result, done in zip(tasks, results, finished) if done}


def _curve_of(task, curves):
    curve = curves[task["curve_offset"]:task["curve_offset"] + task["curve_count"]]
    test = [name for name in curve.dtype.names if name.startswith("test_")]
    own = [name for name in curve.dtype.names if name not in test]
    return {"curve": _bytes_of(curve[own]), **({"test curve": _bytes_of(curve[test])} if task["test_curve"] else {})}


def _blocks_of(file, network, task):
    """Masks and sets of weights that the task wrote itself."""
    whens = [name.decode() for name in file[f"parameters/{network}"].attrs.get("whens", [])]
    slots = {when: task[when.replace("-", "_") + "_slot"] for when in ("init", "early-stop", "final")
             if task["writes_" + when.replace("-", "_")] == 1}
    for family in ("rewind", "at"):
        members = [when for when in whens if when.startswith(family + "-")]
        slots.update({when: task[family + "_slot"] for bit, when in enumerate(members)
                      if int(task[family + "_set"]) >> bit & 1})
    blocks = {f"{name} {when}": file[f"weights/{network}/{name}/{when}"][slot].tobytes()
              for when, slot in slots.items() for name in file[f"weights/{network}"]}
    if task["writes_mask"] == 1:
        blocks.update({f"{name} mask": dataset[task["mask_slot"]].tobytes()
                       for name, dataset in file[f"masks/{network}"].items()})
    return blocks


def compare_tasks(store, other):
    """What `store` lacks of the finished tasks of `other`, or has otherwise; it may hold more."""
    ours, theirs = tasks_of(store), tasks_of(other)
    return [f"{key.decode()}: {what}" for key, parts in theirs.items() for what, part in parts.items()
            if ours.get(key, {}).get(what) != part]


def statuses(path):
    """Result statuses by task (0 = pending, 1 = done, ...)."""
    with h5py.File(path, "r") as file:
        return file["results"]["status"]


def processes_of(folder):
    """Pids whose command line or working folder names the test's folder, this process left out."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if os.readlink(entry / "cwd").startswith(str(folder)):
                found.append(int(entry.name))
        except OSError:
            pass  # gone meanwhile
    return found


def is_alive(pid):
    """Whether there is such a process and it has not ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill_everything(folder):
    """SIGKILL to every process that runs in the folder, again until none is left. One that waits for a disk
    ends when the disk has answered, on a loaded machine seconds later."""
    deadline = time.monotonic() + 120
    while pids := processes_of(folder):
        if time.monotonic() > deadline:
            raise AssertionError(f"processes survive SIGKILL: {pids}")
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: sweep.py STORE STORE    compares two stores bit for bit")
    different = compare_stores(*sys.argv[1:])
    print("same bits" if not different else "different: " + ", ".join(different))
    sys.exit(bool(different))
