"""What a run over two nodes, as a PBS job has them, survives: the loss of a node and of what runs on it; and other ways
to name the nodes. The nodes are two names for this
host, whose daemons mpirun starts through an agent that stays here; ranks talk over TCP. Real MPI, real store; the
tasks are the fake executor's."""
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import faults

# What mpirun calls in place of ssh: HOST COMMAND. Each node has temporary files of its own.
AGENT = """\
#!/bin/sh
export TMPDIR={folder}/$1
shift
exec sh -c "$*"
"""


class TwoNodes(faults.Base):
    def setUp(self):
        super().setUp()
        local = pathlib.Path(tempfile.mkdtemp(prefix="nodes-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, local, ignore_errors=True)
        for node in ("first", "second"):
            (local / node).mkdir()
        agent = self.write("agent.sh", AGENT.format(folder=local))
        agent.chmod(0o755)
        hosts = self.write("hosts", "first\nfirst\nsecond\nsecond\n")
        self.environment = {"OMPI_MCA_plm": "rsh", "OMPI_MCA_plm_rsh_agent": str(agent), "PBS_NODEFILE": str(hosts),
                            "OMPI_MCA_btl_tcp_if_include": "lo", "OMPI_MCA_oob_tcp_if_include": "lo",
                            "OMPI_MCA_btl": "self,tcp"}  # one host: no shared memory
        self.inputs = ["agent.sh", "hosts", "tiny.yaml"]

    def daemons(self):
        """The pids of mpirun's daemons that have ranks."""
        running = faults.processes(self.folder)
        daemons = [pid for pid, (_, words) in running.items() if words[0].endswith("orted")]
        return [pid for pid in daemons if any(parent == pid for parent, _ in running.values())]

    def test_all_tasks_are_done_on_both(self):
        self.launch(faults.LASTING)
        self.wait_for_results()
        self.assertEqual(len(self.daemons()), 2)
        self.finish(0)
        self.assert_all_done()

    def test_a_lost_node_ends_the_launch_and_not_the_grid(self):
        for lost in (0, 1):
            with self.subTest(lost=lost):
                (self.folder / "s.h5").unlink(missing_ok=True)
                self.launch(faults.LASTING, "--silence", "2")
                self.wait_for_results()
                os.kill(sorted(self.daemons())[lost], signal.SIGKILL)
                self.finish(0, timeout=90)
                self.assert_all_done()

    def test_a_stop_ends_both(self):
        self.launch("seconds=30")
        self.wait_for("no task was handed out", lambda: (self.folder / "s.h5").exists()
                      and self.table("attempts").any())
        self.run.terminate()
        self.finish(75, timeout=25)


    def test_an_lsf_job_uses_all_its_slots(self):
        self.environment["LSB_DJOB_HOSTFILE"] = self.environment.pop("PBS_NODEFILE")
        self.run = self.start("run", "tiny.yaml", "--store", "s.h5",
                              env={"SWEEPSTAKE_FAKE": faults.LASTING, **self.environment})
        self.wait_for_results()
        daemons = self.daemons()
        ranks = [pid for pid, (parent, _) in faults.processes(self.folder).items() if parent in daemons]
        self.assertEqual((len(daemons), len(ranks)), (2, 1 + 4))
        self.finish(0)

    def test_mpirun_with_a_file_of_hosts(self):
        hosts = self.environment.pop("PBS_NODEFILE")
        self.sweepstake("run", "tiny.yaml", "--store", "s.h5", "--quiet", check=0, env=self.environment,
                        launcher=("mpirun", "--hostfile", hosts, "-n", "4"))
        self.sweepstake("run", "tiny.yaml", "--store", "single.h5", "--workers", 1, "--quiet", check=0)
        self.assert_same_store("s.h5", "single.h5")

    def test_a_file_of_hosts_that_is_none(self):
        for content, what in ((None, "PBS_NODEFILE, the batch system's file of hosts"), ("\n \n", "names no host")):
            hosts = self.folder / "none"
            if content is not None:
                hosts.write_text(content)
            before = self.listing()
            for words in ((), ("--workers", 2)):
                refused = self.sweepstake("run", "tiny.yaml", *words, env={"PBS_NODEFILE": str(hosts)}, check=2)
                self.assertIn(what, refused.stderr)
            self.assertEqual(self.listing(), before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
