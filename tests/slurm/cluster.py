"""A SLURM of three virtual nodes on this host, from Debian's packages: munged, slurmctld and a slurmd for each on loopback,
all of it below one folder. Each slurmd has a host name of its own (a UTS namespace), so that Open MPI takes the nodes
for different hosts. Needs root and unshare(1); SkipTest says what is missing.

Partitions of the first two: low (preempted jobs are requeued), fleeting (preempted jobs are cancelled), high (preempts
both). The third is for what may take its time beside all that: partition apart."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "unshare", "mpirun")
NODES = ("n1", "n2", "n3")

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
# cred_expire also is how long a requeued job waits
AuthInfo=socket={folder}/munge.sock,cred_expire=5
# listen on what the own host name resolves to, not on any address
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
TmpFS={folder}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
FirstJobId={port}00
JobRequeue=1
KillWait=15
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
# a preempted job gets its --signal at the start of its grace time
SlurmctldParameters=preempt_send_user_signal
SlurmdParameters=config_overrides
NodeName=n[1-3] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=low Nodes=n[1-2] Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=20 MaxTime=INFINITE State=UP
PartitionName=fleeting Nodes=n[1-2] PriorityTier=1 PreemptMode=CANCEL GraceTime=20 MaxTime=INFINITE State=UP
PartitionName=high Nodes=n[1-2] PriorityTier=10 PreemptMode=OFF MaxTime=INFINITE State=UP
PartitionName=apart Nodes=n3 PreemptMode=OFF MaxTime=INFINITE State=UP
"""

# A private mount of /etc/hosts gives the nodes' names to loopback.
IN_NAMESPACE = """mount --bind "$1" /etc/hosts && { [ "$2" = - ] || hostname "$2"; } || exit 1
shift 2
exec "$@" """


def free_ports(count):
    """The first of so many consecutive free ports, below the ephemeral ones."""
    for first in range(17000 + os.getpid() % 500 * 20, 32000, 20):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
    raise RuntimeError("no free ports")


class Cluster:
    def __init__(self):
        missing = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
        if missing:
            raise unittest.SkipTest(f"no SLURM to test with: {', '.join(missing)} not found "
                                    "(`jobs/install-packages slurm`)")
        if os.geteuid() != 0 or subprocess.run(["unshare", "--uts", "--mount", "true"], check=False).returncode != 0:
            raise unittest.SkipTest("no SLURM to test with: it needs root and namespaces")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slurm-"))
        self.environment = {**os.environ, "PATH": PATH, "SLURM_CONF": str(self.folder / "slurm.conf")}
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self):
        port, host = free_ports(1 + len(NODES)), socket.gethostname().split(".")[0]
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir()
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost {host} {' '.join(NODES)}\n")
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(folder=self.folder, host=host, port=port, first=port + 1, last=port + len(NODES)))
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(128))
        self._spawn("-", "munged", "--force", f"--key-file={key}", f"--seed-file={self.folder}/munge.seed",
                    f"--log-file={self.folder}/munged.log", f"--socket={self.folder}/munge.sock",
                    f"--pid-file={self.folder}/munged.pid")
        self._spawn("-", "slurmctld")
        self.start_nodes(*NODES)

    def start_nodes(self, *nodes):
        for node in nodes:
            self._spawn(node, "slurmd", "-N", node)
        self.wait(lambda: set(nodes) <= set(self.ask("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split()),
                  60, "the nodes did not become idle")

    def lose_node(self, node):
        """SIGKILL to its slurmd; what that has started lives on. SLURM, which would notice after SlurmdTimeout, is told
        so that it gives the node up at once."""
        os.kill(int((self.folder / f"slurmd.{node}.pid").read_text()), signal.SIGKILL)
        self.ask("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=lost")

    def _spawn(self, name, *words):
        subprocess.run(["unshare", "--uts", "--mount", "--propagation", "slave", "sh", "-c", IN_NAMESPACE, "sh",
                        self.folder / "hosts", name, *words], env=self.environment, check=True,
                       stdin=subprocess.DEVNULL)

    def ask(self, *words):
        return subprocess.run(words, env=self.environment, check=False, timeout=30, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout

    def wait(self, condition, seconds, failure):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(failure + "\n" + self.ask("squeue") + self.ask("sinfo", "-N", "-l"))
            time.sleep(0.2)

    def jobs(self):
        """Those in the queue. A controller that is too busy to answer is asked again: it has not said that there are none."""
        for _ in range(10):
            asked = subprocess.run(["squeue", "-h", "-o", "%A"], env=self.environment, check=False, timeout=60,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if asked.returncode == 0:
                return asked.stdout.split()
            time.sleep(1)
        raise AssertionError("squeue: " + asked.stderr)

    def show(self, job):
        """What scontrol says of a job: {field: value}."""
        words = self.ask("scontrol", "show", "job", str(job)).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def stop(self):
        if (self.folder / "slurmctld.pid").exists():
            try:
                self._cancel_jobs()
            except AssertionError as failure:
                print(failure)
        for name in (*(f"slurmd.{node}" for node in NODES), "slurmctld", "munged"):
            self._end(self.folder / f"{name}.pid")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _cancel_jobs(self):
        jobs = self.jobs()
        if jobs:
            self.ask("scancel", *jobs)
            self.wait(lambda: not self.jobs(), 60, "jobs survive scancel")

    def _end(self, file):
        """Ends the daemon whose number the file holds, if it is one of this cluster's."""
        try:
            pid = int(file.read_text())
            ours = f"SLURM_CONF={self.folder}/slurm.conf".encode()
            for number in (signal.SIGTERM, signal.SIGKILL):
                for _ in range(100):
                    if ours not in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                        return
                    if _ == 0:
                        os.kill(pid, number)
                    time.sleep(0.1)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            pass
