#!/usr/bin/python3
"""One fault a seed: a small real grid is run, and at one moment something fails: a process of some kind, memory, the
disk. All of it is drawn from the seed. Afterwards the store opens, verify passes or names the damage, the same command
completes, and the bits are those of an uninterrupted run; nothing stays alive, and no file is left.

SEEDS (17, 1..60 or 1,5,20..30; default 1..60) says which, JOBS (default: the cores) how many at a time. A seed that
fails says how to replay it; KEEP=FOLDER keeps its files there. Its moment is a number of finished tasks and a delay,
so that a replay comes near it on any machine."""
import collections
import concurrent.futures
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import h5py
import damage
import injected
import roles
import sweep

MODULE = pathlib.Path(sweep.PROGRAM).resolve().parents[2] / "tests/crash/failing_disk.so"
LONGEST = 90  # seconds that any command may take, whatever happens to it
SCRATCH_AGE = 60  # seconds; younger than 30, a scratch folder may not have its owner's lock yet

# Eight tasks of a tenth of a second, with late rewinding, dropout and every control.
GRID = sweep.tiny_grid(iterations=250, train=600, seeds="[1]", rounds=1, rewind=40)
TASKS = 8


def command(workers, store):
    return ("run", "tiny.yaml", "--workers", workers, "--store", store, "--save-every", "0.05", "--silence", "2")


class Seed(sweep.SweepTest):
    def __init__(self, number, whole):
        super().__init__("one_fault")
        self.number, self.whole = number, whole
        self.choice = random.Random(number)
        self.kind = injected.KINDS[number % len(injected.KINDS)]
        self.workers = self.choice.choice(self.kind.workers)
        self.front = self.disk = None
        self.launcher, self.environment, self.first_environment, self.first_options = (), {}, {}, []
        self.torn, self.torn_with_descendants = set(), set()  # tasks
        self.outcome, self.was_met, self.went_on, self.notes = "failed", False, False, []

    def setUp(self):
        super().setUp()
        self.place, self.store = self.folder, "s.h5"
        self.module = os.environ.get("FAILING_DISK_MODULE", str(MODULE))
        self.write("tiny.yaml", GRID)
        self.addCleanup(self.remove_leftovers)
        self.addCleanup(self.keep_if_failed)

    def keep_if_failed(self):
        keep = os.environ.get("KEEP")
        if keep and self.outcome == "failed":
            shutil.copytree(self.folder, pathlib.Path(keep) / f"seed-{self.number}", dirs_exist_ok=True)

    def remove_leftovers(self):
        sweep.kill_everything(self.folder)
        for path in self.leftovers():
            shutil.rmtree(path, ignore_errors=True)

    # --- what faults use ---

    def note(self, text):
        self.notes.append(text)

    def ends_within(self, seconds):
        try:
            self.front.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def hit(self, role, action):
        """Does it to one process of that kind, as soon as there is one; returns its pid, or None after the end."""
        deadline = time.monotonic() + LONGEST
        while self.front.poll() is None and time.monotonic() < deadline:
            pids = roles.roles(self.folder, self.front.pid, self.workers)[role]
            if pids:
                pid = self.choice.choice(pids)
                try:
                    action(pid)
                except ProcessLookupError:
                    continue
                self.note(f"{role} {pid}")
                return pid
            time.sleep(0.002)
        self.was_met = False
        return None

    # --- one seed ---

    def one_fault(self):
        if self.kind.prepare is not None:
            self.kind.prepare(self)
        self.front = self.start(*command(self.workers, self.store), *self.first_options, launcher=self.launcher,
                                env={**self.environment, **self.first_environment})
        self.wait_for_moment()
        self.was_met = self.front.poll() is None
        self.kind.strike(self)
        self.judge_launch()
        overlaps = self.kind.kills_front and not self.torn and self.choice.random() < 0.4
        if not overlaps:
            self.wait_for_silence(20 if self.kind.kills_front else 5)
            self.look_at_store()
        if self.front.returncode != injected.COMPLETE or self.torn:
            self.resume()
        self.judge_end()
        self.outcome = self.classify()

    def done(self):
        """Tasks that are done, -1 before there is a store."""
        path = self.place / "s.h5"
        return int((sweep.statuses(path) == damage.DONE).sum()) if path.exists() else -1

    def wait_for_moment(self):
        tasks = self.choice.randrange(-1, TASKS)  # -1: while it starts
        delay = self.choice.uniform(0, 0.4 if tasks < 0 else 0.15)
        self.note(f"{delay:.3f} s after " + ("the start" if tasks < 0 else f"{tasks} tasks"))
        deadline = time.monotonic() + LONGEST
        while self.front.poll() is None and self.done() < tasks:
            self.assertLess(time.monotonic(), deadline, "the run stands still before its fault")
            time.sleep(0.005)
        time.sleep(delay)

    def judge_launch(self):
        self.assertTrue(self.ends_within(LONGEST), "the run hangs")
        alone = self.kind.statuses_alone if self.workers == 1 else ()
        self.assertIn(self.front.returncode, (injected.COMPLETE, *self.kind.statuses, *alone), "exit status")
        if self.front.returncode == injected.COMPLETE:
            self.assertEqual(self.done(), TASKS, "exit status 0, and tasks are not done")

    def wait_for_silence(self, seconds):
        deadline = time.monotonic() + seconds
        while sweep.processes_of(self.folder):
            self.assertLess(time.monotonic(), deadline, f"alive: {roles.processes(self.folder)}")
            time.sleep(0.02)

    def look_at_store(self):
        """It opens, and verify passes or names what was torn."""
        if not (self.place / "s.h5").exists():
            return
        with h5py.File(self.place / "s.h5", "r") as file:
            file.visititems(lambda _, item: item[()] if isinstance(item, h5py.Dataset) else None)
        verified = self.command("verify", self.store, check=1 if self.torn else 0)
        wrong = set(damage.named(verified.stdout))
        self.assertLessEqual(self.torn, wrong, "verify does not name what is damaged")
        self.assertLessEqual(wrong, self.torn_with_descendants, "verify names what is sound")

    def command(self, *words, check):
        done = self.sweepstake(*words, launcher=self.launcher, env=self.environment, timeout=LONGEST)
        with open(self.folder / "output.txt", "a") as output:
            output.write(f"--- {' '.join(map(str, words))}\n{done.stderr}{done.stdout}")
        self.assertEqual(done.returncode, check, f"exit status of {words}")
        return done

    def resume(self):
        if self.torn and self.choice.random() < 0.5:
            self.command("verify", "--repair", self.store, check=1)
            self.command("verify", self.store, check=0)
        self.age_leftovers()
        ended = self.command(*command(self.workers, self.store), check=0)
        self.went_on = re.search(r"\d tasks? go(es)? on from where", ended.stderr) is not None
        self.assertEqual(self.done(), TASKS)

    def age_leftovers(self):
        """As if time had passed since the supervisor was killed."""
        for path in self.leftovers():
            with contextlib.suppress(FileNotFoundError):  # whoever outlived it may leave only now
                os.utime(path, (time.time() - SCRATCH_AGE,) * 2)

    def judge_end(self):
        self.wait_for_silence(5)
        self.command("verify", self.store, check=0)
        self.assertEqual(sweep.compare_stores(self.whole, self.place / "s.h5"), [], "other bits")
        self.assertEqual(self.place_listing(), ["s.h5"])
        if self.kind.kills_front and self.leftovers():
            self.remove_by_next_run()
        self.assertEqual(self.leftovers(), [], "files are left")

    def place_listing(self):
        ours = ("output.txt", "tiny.yaml", "small")
        return sorted(path.name for path in self.place.iterdir() if path.name not in ours)

    def remove_by_next_run(self):
        """Ranks that outlived their supervisor may have touched its folder after it was aged, and a run that found
        all done looked for nothing."""
        self.age_leftovers()
        self.sweepstake("run", "tiny.yaml", "--workers", 2, "--store", "other.h5", check=0,
                        env={"SWEEPSTAKE_FAKE": "seconds=0"})

    def classify(self):
        if self.torn:
            return "repaired"
        if self.front.returncode != injected.COMPLETE:
            return "resumed"
        return "by itself" if self.was_met else "ended before"

    def says(self):
        return f"seed {self.number}: {self.kind.name}, {self.workers} worker{'s' * (self.workers > 1)}"


# --- all seeds ---

def read_seeds(text):
    numbers = []
    for part in text.split(","):
        first, _, last = part.partition("..")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def make_whole(folder):
    """The store of an uninterrupted run."""
    (folder / "tiny.yaml").write_text(GRID)
    subprocess.run([sweep.PROGRAM, *map(str, command(1, "whole.h5"))], cwd=folder, check=True, capture_output=True)
    return folder / "whole.h5"


class Table:
    """What happened, by kind of fault."""
    OUTCOMES = ("by itself", "resumed", "repaired", "ended before", "failed")

    def __init__(self):
        self.counts = collections.defaultdict(collections.Counter)

    def add(self, seed):
        self.counts[seed.kind.name].update([seed.outcome, *(["went on"] if seed.went_on else [])])

    def total(self, outcome):
        return sum(counts[outcome] for counts in self.counts.values())

    def line(self, name, counts):
        numbers = [sum(counts[outcome] for outcome in self.OUTCOMES), *(counts[what] for what in self.OUTCOMES),
                   counts["went on"]]
        return f"{name:28}" + "".join(f"{number:>13}" for number in numbers)

    def print(self):
        print(f"{'fault':28}" + "".join(f"{what:>13}" for what in ("runs", *self.OUTCOMES, "from states")))
        for kind in injected.KINDS:
            print(self.line(kind.name, self.counts[kind.name]))
        print(self.line("all", sum(self.counts.values(), collections.Counter())), flush=True)


def run_seed(number, whole):
    seed, result = Seed(number, whole), unittest.TestResult()
    seed.run(result)
    for _, trace in result.failures + result.errors:
        seed.outcome = "failed"
        print(f"FAILED {seed.says()} ({', '.join(seed.notes)})\n  replay: SEEDS={number} {sys.argv[0]}\n"
              + re.sub("^", "  ", trace.rstrip(), flags=re.M), flush=True)
    return seed


def run_seeds(numbers, jobs):
    table = Table()
    with tempfile.TemporaryDirectory(prefix="sweepstake-test-") as folder:
        whole = make_whole(pathlib.Path(folder))
        pool = concurrent.futures.ThreadPoolExecutor(jobs)
        try:
            for seed in pool.map(lambda number: run_seed(number, whole), numbers):
                table.add(seed)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
    table.print()
    return table.total("failed")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(1 if run_seeds(read_seeds(os.environ.get("SEEDS", "1..60")),
                            int(os.environ.get("JOBS", str(len(os.sched_getaffinity(0)))))) else 0)
