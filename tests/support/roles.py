"""Who is who among the processes of a run. With one worker the front is the worker, too; with several it supervises
mpirun, whose children are the master (rank 0) and the workers. Each worker has a keeper, each keeper a trainer."""
import pathlib

import sweep


def processes(folder):
    """pid -> (parent, command line words) of what runs in the folder."""
    found = {}
    for pid in sweep.processes_of(folder):
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
            state, parent = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found[pid] = (int(parent), words)
    return found


def rank_of(pid):
    """A process's number in its launch; None where it has none or is gone."""
    try:
        variables = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next((int(variable.split(b"=")[1]) for variable in variables
                 if variable.startswith(b"OMPI_COMM_WORLD_RANK=")), None)


def roles(folder, front, workers):
    """role -> pids, for the run whose first process is `front`. What has not been started yet is missing."""
    running = processes(folder)

    def children(parents):
        return sorted(pid for pid, (parent, _) in running.items() if parent in parents)

    found = {"front": [front] if front in running else []}
    found["mpirun"] = [pid for pid in children([front]) if running[pid][1][:1] == ["mpirun"]]
    ranks = {pid: rank_of(pid) for pid in children(found["mpirun"])}
    found["master"] = [pid for pid, rank in ranks.items() if rank == 0]
    found["worker"] = found["front"] if workers == 1 else [pid for pid, rank in ranks.items() if rank]
    found["keeper"] = children(found["worker"])
    found["trainer"] = children(found["keeper"])
    return found
