"""What a run over two nodes survives: the loss of a node and of what runs on it. The nodes are two names for this
host, whose daemons mpirun starts through an agent that stays here; ranks talk over TCP. Real MPI, real store; the
tasks are the fake executor's."""
import os
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import faults

# What mpirun calls in place of ssh: HOST COMMAND.
AGENT = '#!/bin/sh\nshift\nexec sh -c "$*"\n'


class TwoNodes(faults.Base):
    def setUp(self):
        super().setUp()
        agent = self.write("agent.sh", AGENT)
        agent.chmod(0o755)
        hosts = self.write("hosts", "first slots=2\nsecond slots=2\n")
        self.environment = {"OMPI_MCA_plm": "rsh", "OMPI_MCA_plm_rsh_agent": str(agent),
                            "OMPI_MCA_orte_default_hostfile": str(hosts), "OMPI_MCA_btl_tcp_if_include": "lo",
                            "OMPI_MCA_oob_tcp_if_include": "lo", "OMPI_MCA_btl": "self,tcp"}  # one host: no shared memory
        self.inputs = ["agent.sh", "hosts", "tiny.yaml"]

    def daemons(self):
        """The pids of mpirun's daemons that have ranks."""
        running = faults.processes(self.folder)
        daemons = [pid for pid, (_, words) in running.items() if words[0].endswith("orted")]
        return [pid for pid in daemons if any(parent == pid for parent, _ in running.values())]

    def test_all_tasks_are_done_on_both(self):
        self.launch("seconds=0.05")
        self.wait_for_results()
        self.assertEqual(len(self.daemons()), 2)
        self.finish(0)
        self.assert_all_done()

    def test_a_lost_node_ends_the_launch_and_not_the_grid(self):
        for lost in (0, 1):
            with self.subTest(lost=lost):
                (self.folder / "s.h5").unlink(missing_ok=True)
                self.launch("seconds=0.1", "--silence", "2")
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
