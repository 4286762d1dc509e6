"""The kinds of fault that seeds.py does to a run. Each entry of KINDS says to whom it can be done, which exit statuses
of the launch it hits are true ones, and how it is done; a launch that ended before is no fault at all.

What a function here is given (`seed`) is the test of one seed: its processes, its random numbers, its folder."""
import dataclasses
import os
import resource
import signal

import damage
import h5py
import small_disk
import sweep

KILLED, COMPLETE, SOME_FAILED, USAGE, RESUMABLE = -signal.SIGKILL, 0, 1, 2, 75
SOON, SILENT = 0.8, 3.5  # seconds: less and more than the silence after which somebody is given up
STOPPING = 60  # seconds that a run may take to see that its disk is full


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    strike: object  # function of the seed
    statuses: tuple  # that the launch may end with
    workers: tuple = (1, 2, 3)
    prepare: object = None  # function of the seed, before the launch
    kills_front: bool = False
    statuses_alone: tuple = ()  # more of them with one worker, where nobody can take its place


def signal_to(role, number):
    def strike(seed):
        seed.hit(role, lambda pid: os.kill(pid, number))
    return strike


def stop(role):
    """SIGSTOP, and after a while SIGCONT, or never."""
    def strike(seed):
        pid = seed.hit(role, lambda pid: os.kill(pid, signal.SIGSTOP))
        away = seed.choice.choice((SOON, SILENT, None))
        if pid == seed.front.pid and away is None:
            away = SILENT  # nobody is there to give up the only process of a run
        seed.note("for ever" if away is None else f"for {away} s")
        if away is not None and not seed.ends_within(away) and pid in sweep.processes_of(seed.folder):
            os.kill(pid, signal.SIGCONT)
    return strike


def kill_all(seed):
    sweep.kill_everything(seed.folder)


def limit_task_memory(seed):
    seed.first_options += ["--task-memory", seed.choice.choice((0.01, 0.02, 0.05))]


def take_memory(seed):
    """No more memory for a trainer from now on; it keeps what it has."""
    seed.hit("trainer", lambda pid: resource.prlimit(pid, resource.RLIMIT_DATA, (1 << 20, 1 << 20)))


# --- disks ---

def provide_disk(seed):
    """A file system just large enough, on which space cannot be reserved; or one that only the module fills."""
    seed.environment["LD_PRELOAD"] = seed.module
    disk = small_disk.SmallDisk(seed.folder, f"{seed.whole.stat().st_size // 1024 * 2 + 8192}k")
    seed.addCleanup(disk.close)
    if disk.is_mounted:
        seed.disk = disk
        seed.place, seed.launcher, seed.store = disk.path, disk.launcher, "small/s.h5"
    else:
        seed.first_environment["FAILING_DISK"] = f"enospc:{seed.choice.randint(1, 150)}"


def fill_disk(seed):
    if seed.disk is None:
        return
    seed.disk.fill()
    seed.ends_within(STOPPING)
    seed.disk.free()


# --- torn writes ---

def tear(seed):
    """All are killed, and what was written last did not come to the disk as it was."""
    kill_all(seed)
    store, checkpoint = seed.place / "s.h5", seed.place / "s.checkpoint.h5"
    if store.exists() and (sweep.statuses(store) == damage.DONE).any():
        for _ in range(seed.choice.randint(1, 3)):
            place = damage.Place(store, seed.choice.choice(damage.kinds_in(store)), seed.choice)
            damage.flip(store, place.offset, count=1 + seed.choice.randint(0, min(place.follow, 4096)))
            seed.note(f"task {place.task} was damaged at byte {place.offset}")
            seed.torn.add(place.task)
            seed.torn_with_descendants |= place.descendants()
    if checkpoint.exists() and seed.choice.random() < 0.7:
        tear_states(checkpoint, seed.choice)


def tear_states(path, choice):
    with h5py.File(path, "r") as file:
        places = [(file[name].id.get_offset(), file[name].id.get_storage_size()) for name in ("records", "states")]
    for offset, size in places:
        for _ in range(choice.randint(0, 4)):
            damage.flip(path, offset + choice.randrange(size))


KINDS = (
    Kind("SIGKILL to all", kill_all, (KILLED,), kills_front=True),
    Kind("SIGKILL to the front", signal_to("front", signal.SIGKILL), (KILLED,), kills_front=True),
    Kind("SIGKILL to mpirun", signal_to("mpirun", signal.SIGKILL), (COMPLETE,), workers=(2, 3)),
    Kind("SIGKILL to the master", signal_to("master", signal.SIGKILL), (COMPLETE,), workers=(2, 3)),
    Kind("SIGKILL to a worker", signal_to("worker", signal.SIGKILL), (COMPLETE,), workers=(2, 3)),
    Kind("SIGKILL to a keeper", signal_to("keeper", signal.SIGKILL), (COMPLETE,), statuses_alone=(RESUMABLE,)),
    Kind("SIGKILL to a trainer", signal_to("trainer", signal.SIGKILL), (COMPLETE,)),
    Kind("SIGSEGV to a trainer", signal_to("trainer", signal.SIGSEGV), (COMPLETE,)),
    Kind("SIGSTOP to the master", stop("master"), (COMPLETE,), workers=(2, 3)),
    Kind("SIGSTOP to a worker", stop("worker"), (COMPLETE,)),
    Kind("SIGSTOP to a trainer", stop("trainer"), (COMPLETE,)),
    Kind("SIGTERM to the front", signal_to("front", signal.SIGTERM), (RESUMABLE, -signal.SIGTERM)),
    # With several workers, without OpenBLAS's threads and their buffers, these tasks need less than the least limit.
    Kind("--task-memory too small", lambda seed: None, (SOME_FAILED,), workers=(1,), prepare=limit_task_memory),
    Kind("memory taken from a trainer", take_memory, (COMPLETE, SOME_FAILED)),
    Kind("full disk", fill_disk, (RESUMABLE, USAGE), prepare=provide_disk),
    Kind("torn write", tear, (KILLED,), kills_front=True),
)
