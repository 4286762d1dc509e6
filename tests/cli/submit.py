"""sweepstake submit without a cluster: what it refuses, what the batch script says, and what the script does when
signals and ends of time come. Small programs stand in for SLURM's commands and note what they are asked; tests/slurm
has the real ones."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import sweep

# What stands in for each command: it notes its words, and answers from a file NAME.answer.
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >>"{folder}/asked"
[ "$(basename "$0")" != sbatch ] || cat >"{folder}/script"
[ ! -e "$0.answer" ] || cat "$0.answer"
[ ! -e "$0.fails" ]
"""

# In place of sweepstake in the script: `run` notes its words and does what the test wants; `status` tells the
# figures in a file.
PROGRAM = """#!/bin/bash
if [ "$1" = status ]; then cat "{folder}/figures"; exit; fi
echo "$*" >>"{folder}/runs"
{body}
"""


class SubmitTest(sweep.SweepTest):
    def setUp(self):
        super().setUp()
        self.bin = self.folder / "bin"
        for name in ("sbatch", "squeue", "scontrol"):
            self.write(f"bin/{name}", STAND_IN.format(folder=self.folder)).chmod(0o755)
        self.answer("sbatch", "4711;cluster\n")
        self.environment = {"PATH": f"{self.bin}:{os.environ['PATH']}", "SLURM_JOB_ID": "4711"}
        self.write("g.yaml", sweep.tiny_grid())
        self.write("job.yaml", "grid: g.yaml\nworkers: 3\n")

    def answer(self, name, text):
        self.write(f"bin/{name}.answer", text)

    def asked(self, name):
        path = self.folder / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(name)]

    def submit(self, *words, check=None):
        return self.sweepstake("submit", *words, env=self.environment, check=check)

    # --- the command ---

    def test_submits_once(self):
        done = self.submit("job.yaml", check=0)
        self.assertIn("job 4711: ", done.stdout)
        self.assertIn("sweepstake status 'tiny.h5' --follow", done.stdout)
        self.assertEqual(self.asked("sbatch"), ["sbatch --parsable"])
        script = (self.folder / "script").read_text()
        self.assertEqual(script, self.submit("job.yaml", "--dry-run", check=0).stdout)
        self.answer("squeue", "12 RUNNING other\n4711 RUNNING sweepstake-tiny\n")
        again = self.submit("job.yaml", check=2)
        self.assertIn("job 4711 is at it already (RUNNING)", again.stderr)
        self.answer("squeue", "12 RUNNING other\n4711 RUNNING sweepstake-another\n")  # its number given anew
        self.submit("job.yaml", check=0)
        self.assertEqual(len(self.asked("sbatch")), 2)

    def test_dry_run_leaves_nothing(self):
        before = self.listing()
        script = self.submit("job.yaml", "--dry-run", check=0).stdout
        self.assertEqual(self.listing(), before)
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        for line in ("#SBATCH --ntasks=3", '#SBATCH --output="tiny.h5.%j.log"', "#SBATCH --requeue",
                     "#SBATCH --job-name=sweepstake-tiny"):
            self.assertIn(line + "\n", script)

    def test_asks_for_what_the_job_file_says(self):
        self.write("slurm/site.yaml", "ranks_per_node: 4\npartition: cpu\nmodules: [openmpi/4.1]\n")
        self.write("job.yaml", "grid: g.yaml\ncluster: site\nworkers: 6\ncores_per_rank: 2\nmemory: 2G\n"
                   "wall_time: 0-12:00:30\naccount: a\nqos: q\nmail: m@example.org\npreemption: cancel\n"
                   "environment: {A: b c}\ndata: my data\n")
        (self.folder / "my data").mkdir()
        script = self.submit("job.yaml", "--dry-run", check=0).stdout
        for line in ("nodes=2", "ntasks=6", "ntasks-per-node=4", "cpus-per-task=2", "mem-per-cpu=954M", "time=721",
                     "partition=cpu", "account=a", "qos=q", "mail-user=m@example.org", "no-requeue",
                     "signal=B:USR1@120"):
            self.assertIn(f"#SBATCH --{line}\n", script)
        for line in ("module load 'openmpi/4.1' || exit 2", "export A='b c'", "preemption='cancel'"):
            self.assertIn(line, script)
        self.assertIn("--workers 6 --threads 2 --data 'my data')", script)

    def test_chooses_workers_and_wall_time(self):
        self.write("job.yaml", "grid: g.yaml\n")
        script = self.submit("job.yaml", "--dry-run", check=0).stdout
        workers = int(script.split("--ntasks=")[1].split()[0])
        self.assertTrue(2 <= workers <= 64, workers)  # a grid of 60 small tasks, two at first
        self.assertTrue(10 <= int(script.split("--time=")[1].split()[0]) <= 24 * 60)

    def test_ranks_share_the_memory_of_data(self):
        """Where each node is sure to have eight of them; else one may have to keep all alone."""
        self.write("g.yaml", sweep.tiny_grid(train=100000))
        told = json.loads(self.sweepstake("plan", "g.yaml", "--format", "json", check=0).stdout)
        share = 1 + (told["memory_bytes"] + 160_000_000 // 8) // 1_000_000
        self.assertGreater(told["data_bytes"], 156_000_000)
        for layout, status in (("nodes: 2\nranks_per_node: 8\n", 0), ("workers: 16\nranks_per_node: 8\n", 2)):
            self.write("job.yaml", f"grid: g.yaml\nmemory: {share}M\n{layout}")
            self.submit("job.yaml", "--dry-run", check=status)

    def test_refuses_what_cannot_work(self):
        def refused(text, what):
            self.write("job.yaml", text)
            before = self.listing()
            self.assertIn(what, self.submit("job.yaml", check=2).stderr)
            self.assertEqual(self.listing(), before)
        refused("grid: missing.yaml\n", "missing.yaml")
        refused("grid: g.yaml\nstore: nowhere/g.h5\n", "store: nothing can be written into nowhere")
        refused("grid: g.yaml\nmemory: 1M\n", "memory: 1M is too little")
        refused("grid: g.yaml\ncores_per_rank: 2000\n", "cores_per_rank: a rank can use 1024 cores at most")
        refused("grid: g.yaml\nworkesr: 2\n", "job.yaml:2:1: workesr: unknown key; did you mean workers?")
        for value in ("x; rm -rf .", "$(rm -rf .)", "x\\nrm -rf ."):
            for key in ("grid", "store", "data", "partition", "account", "qos", "mail", "memory", "wall_time",
                        "cluster"):
                refused(f'grid: g.yaml\n{key}: "{value}"\n' if key != "grid" else f'grid: "{value}"\n', "job.yaml:")
        self.assertEqual(self.asked("sbatch"), [])

    def test_folders_are_quoted(self):
        """Of a folder's name sbatch and the script's shell see nothing but a name."""
        folder = self.folder / "a'b; touch hurt; $(touch hurt) #"
        folder.mkdir()
        (folder / "g.yaml").write_text(sweep.tiny_grid())
        (folder / "job.yaml").write_text("grid: g.yaml\n")
        script = subprocess.run([sweep.PROGRAM, "submit", "job.yaml", "--dry-run"], cwd=folder, check=True, text=True,
                                stdout=subprocess.PIPE).stdout
        program = self.write("program", "#!/bin/sh\npwd >\"$PROOF\"\nexit 0\n")
        program.chmod(0o755)
        self.run_script(script.replace(f"sweepstake='{sweep.PROGRAM}'", f"sweepstake='{program}'"),
                        env={"PROOF": str(self.folder / "proof")})
        self.assertEqual((self.folder / "proof").read_text(), f"{folder}\n")
        self.assertEqual(list(self.folder.rglob("hurt")), [])

    def test_says_what_sbatch_says(self):
        (self.bin / "sbatch").unlink()
        self.environment["PATH"] = str(self.bin)
        self.assertIn("there is no program sbatch in PATH", self.submit("job.yaml", check=2).stderr)
        self.write("bin/sbatch", "#!/bin/sh\necho 'sbatch: error: invalid partition' >&2\nexit 1\n").chmod(0o755)
        self.environment["PATH"] = f"{self.bin}:{os.environ['PATH']}"
        refused = self.submit("job.yaml", check=1).stderr
        self.assertIn("invalid partition", refused)
        self.assertIn("sbatch failed (exit status 1)", refused)
        self.assertNotIn("tiny.h5.job", self.listing())

    # --- an array ---

    def submit_array(self):
        """Two parts, whose scripts come as script.1 and script.2 and whose jobs have these numbers."""
        self.write("bin/sbatch", '#!/bin/bash\ncd "$0.d" && n=$(ls | wc -l) && cat >script.$((n + 1)) && '
                   "echo $((n + 1))\n").chmod(0o755)
        (self.folder / "bin/sbatch.d").mkdir(exist_ok=True)
        self.write("g.yaml", sweep.tiny_grid(iterations=60, train=600, rounds=1))
        self.write("job.yaml", "grid: g.yaml\nworkers: 1\n")
        return self.submit("job.yaml", "--array", 2, check=0).stdout

    def run_part(self, number):
        return self.run_script((self.folder / f"bin/sbatch.d/script.{number}").read_text())

    def test_array_is_a_job_a_part(self):
        said = self.submit_array()
        for number in (1, 2):
            script = (self.folder / f"bin/sbatch.d/script.{number}").read_text()
            self.assertIn(f"--workers 1 --part {number}/2)", script)
            self.assertIn(f"#SBATCH --job-name=sweepstake-tiny.{number}-of-2\n", script)
            self.assertIn(f"job {number}: part {number}/2, ", said)
            self.assertEqual((self.folder / f"tiny.{number}-of-2.h5.job").read_text(), f"{number} 0 0 0\n")
        self.answer("squeue", "2 PENDING sweepstake-tiny.2-of-2\n")
        self.assertIn("tiny.2-of-2.h5: job 2 is at it already", self.submit("job.yaml", "--array", 2, check=2).stderr)
        self.assertEqual(len(list((self.folder / "bin/sbatch.d").iterdir())), 2)

    def test_array_ends_with_the_whole(self):
        self.submit_array()
        self.assertEqual(self.run_part(2)[0], 0)
        self.assertNotIn("tiny.h5", self.listing())
        again = self.submit("job.yaml", "--array", 2, check=0).stdout  # part 1 alone, as job 3
        self.assertIn("job 3: part 1/2", again)
        self.assertNotIn("part 2/2", again)
        self.assertIn("joined all parts into tiny.h5", self.run_part(3)[1])
        self.sweepstake("run", "g.yaml", "--store", "single.h5", "--workers", 1, "--quiet", check=0)
        self.assert_same_store("tiny.h5", "single.h5")
        self.assertIn("tiny.h5 is there already", self.submit("job.yaml", "--array", 2, check=2).stderr)
        self.assertIn("is complete", self.submit("job.yaml", check=0).stdout)
        (self.folder / "tiny.h5").unlink()
        said = self.submit("job.yaml", "--array", 2, check=0).stdout
        joined = said.split("\n")[1].replace("sweepstake", str(sweep.PROGRAM))
        subprocess.run(["bash", "-c", joined], cwd=self.folder, check=True)
        self.assert_same_store("tiny.h5", "single.h5")

    def test_array_of_too_many_parts(self):
        before = self.listing()
        self.assertIn("give at most 2", self.submit("job.yaml", "--array", 3, check=2).stderr)
        self.assertIn("--array '1'", self.submit("job.yaml", "--array", 1, check=2).stderr)
        self.assertEqual(self.listing(), before)

    # --- the script ---

    def script(self, body, figures=(0, 0), preemption="requeue"):
        """The rendered script, running a program that does `body` in place of sweepstake."""
        self.write("program", PROGRAM.format(folder=self.folder, body=body)).chmod(0o755)
        self.tell_figures(*figures)
        self.write("job.yaml", f"grid: g.yaml\nworkers: 2\npreemption: {preemption}\n")
        script = self.submit("job.yaml", "--dry-run", check=0).stdout
        return script.replace(f"sweepstake='{sweep.PROGRAM}'", f"sweepstake='{self.folder}/program'")

    def tell_figures(self, finished, saved):
        self.write("figures", f'{{"tasks": 9, "finished": {finished}, "done": 0, "saved_iterations": {saved}}}\n')

    def start_script(self, script, env=None):
        """As SLURM does: from a copy, in the job's folder."""
        path = self.write("spool/script", script)
        return subprocess.Popen(["bash", path], cwd=self.folder, env={**os.environ, **self.environment, **(env or {})},
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def run_script(self, script, env=None):
        run = self.start_script(script, env)
        said = run.communicate(timeout=60)[1]
        return run.returncode, said

    def runs(self):
        path = self.folder / "runs"
        return path.read_text().splitlines() if path.exists() else []

    def wait_for(self, condition):
        end = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), end, "waited for too long")
            time.sleep(0.02)

    def test_time_left_is_passed_on(self):
        script = self.script("exit 0")
        for left, seconds in (("1-02:03:04", 93784), ("10:00:08", 36008), ("08:09", 489), ("0:00", 1),
                              ("UNLIMITED", None), ("INVALID", None), ("", None)):
            (self.folder / "runs").unlink(missing_ok=True)
            self.answer("squeue", left + "\n")
            self.assertEqual(self.run_script(script)[0], 0)
            limit = f" --time-limit {seconds}" if seconds is not None else ""
            self.assertEqual(self.runs(), ["run g.yaml --store tiny.h5 --workers 2" + limit])

    def test_exit_statuses_end_the_job(self):
        for status in (0, 1, 2, 3, 127, 137):
            for finished in (9, 8):
                self.write("tiny.h5.job", "4711 0 0 0\n")
                self.assertEqual(self.run_script(self.script(f"exit {status}", figures=(finished, 0)))[0], status)
                self.assertEqual("tiny.h5.job" in self.listing(), status != 0 and finished < 9)  # more to run
        self.assertEqual(self.asked("scontrol") + self.asked("sbatch"), [])

    def test_comes_back_as_long_as_there_is_progress(self):
        script = self.script("exit 75")
        for figures, requeued in (((0, 10), 1), ((0, 20), 2), ((1, 0), 3), ((1, 0), 4), ((1, 0), 5), ((1, 1), 6),
                                  ((1, 1), 7), ((0, 5), 8), ((1, 1), 8)):
            self.tell_figures(*figures)
            self.assertEqual(self.run_script(script)[0], 75)
            self.assertEqual(len(self.asked("scontrol requeue 4711")), requeued, figures)

    def test_figures_that_cannot_be_read_are_no_progress(self):
        script = self.script("exit 75", figures=(2, 0))
        self.run_script(script)
        (self.folder / "figures").unlink()
        for fruitless in (1, 2):
            self.assertEqual(self.run_script(script)[0], 75)
            self.assertEqual((self.folder / "tiny.h5.job").read_text(), f"4711 {fruitless} 2 0\n")  # the furthest stays
        self.tell_figures(2, 0)  # as far as before: the third time
        self.assertIn("3 times in a row there was no progress", self.run_script(script)[1])
        self.assertEqual(len(self.asked("scontrol requeue")), 3)

    def test_what_slurm_requeued_itself_is_left_alone(self):
        """A node was given up, and what runs there still ends later than SLURM put the job back."""
        self.write("bin/squeue", '#!/bin/sh\n[ "$5" != RestartCnt ] || echo "1     "\n').chmod(0o755)
        for status in (75, 1):
            script = self.script(f"exit {status}", figures=(9, 0))
            self.write("tiny.h5.job", "4711 0 0 0\n")
            self.assertIn("back into the queue already", self.run_script(script)[1])
            self.assertEqual((self.folder / "tiny.h5.job").read_text(), "4711 0 0 0\n")
        self.assertEqual(self.asked("scontrol") + self.asked("sbatch"), [])
        self.run_script(self.script("exit 75", figures=(1, 0)), env={"SLURM_RESTART_COUNT": "1"})
        self.assertEqual(self.asked("scontrol"), ["scontrol requeue 4711"])

    def test_a_damaged_note_is_no_program(self):
        script = self.script("exit 75", figures=(1, 0))
        self.write("tiny.h5.job", "4711 a[$(touch hurt)] 0 0\n")
        self.run_script(script)
        self.assertNotIn("hurt", self.listing())
        self.assertEqual((self.folder / "tiny.h5.job").read_text(), "4711 0 1 0\n")

    def test_a_follow_up_where_nothing_is_requeued(self):
        script = self.script("exit 75", figures=(1, 0), preemption="cancel")
        self.answer("sbatch", "4712\n")
        said = self.run_script(script)[1]
        self.assertIn("job 4712 goes on", said)
        self.assertEqual((self.folder / "tiny.h5.job").read_text(), "4712 0 1 0\n")
        self.assertEqual(self.asked("sbatch"),
                         [f"sbatch --parsable --dependency=afterany:4711 {self.folder}/spool/script"])
        self.assertEqual(self.asked("scontrol"), [])
        script = self.script("exit 75", figures=(2, 0))
        self.write("bin/scontrol.fails", "")
        self.assertIn("job 4712 goes on", self.run_script(script)[1])
        (self.bin / "scontrol").unlink()
        self.tell_figures(3, 0)
        self.assertIn("job 4712 goes on", self.run_script(script)[1])

    def test_cancelled_jobs_stay_away(self):
        script = self.script("exit 75", figures=(1, 0))
        for answer, back in (("COMPLETING 10:00 N/A", 0), ("COMPLETING 0:00 N/A", 1), ("RUNNING 10:00 N/A", 2),
                             ("COMPLETING 10:00 2026-01-01T00:00:00", 3)):
            self.answer("squeue", answer + "\n")
            self.assertEqual(self.run_script(script)[0], 75)
            self.assertEqual(len(self.asked("scontrol requeue")), back, answer)

    SAVES = "trap 'sleep 0.5; echo saved >>runs; exit 75' USR1\necho ready >>runs\nwhile :; do sleep 0.01; done"

    def test_warnings_during_the_run_and_the_save(self):
        script = self.script(self.SAVES, figures=(1, 0))
        for signals in ((signal.SIGUSR1,), (signal.SIGTERM,), (signal.SIGUSR1,) * 2,
                        (signal.SIGUSR1, signal.SIGTERM, signal.SIGTERM)):
            (self.folder / "runs").unlink(missing_ok=True)
            (self.folder / "tiny.h5.job").unlink(missing_ok=True)
            before = len(self.asked("scontrol requeue"))
            run = self.start_script(script)
            self.wait_for(lambda: "ready" in self.runs())
            for number in signals:
                run.send_signal(number)
                time.sleep(0.1)
            said = run.communicate(timeout=30)[1]
            self.assertEqual((run.returncode, self.runs()[-1]), (75, "saved"), said)
            self.assertEqual(len(self.asked("scontrol requeue")), before + 1)

    def test_warnings_before_the_run_is_ready(self):
        """From the trap on, at any moment: the program is not started, or killed by the signal before it has a handler
        of its own, or saves; each time the job comes back."""
        script = self.script(self.SAVES, figures=(1, 0)).replace("trap ask USR1 TERM\n",
                                                                 "trap ask USR1 TERM\ntouch trapped\n")
        for delay in range(0, 40, 4):
            for name in ("trapped", "tiny.h5.job"):
                (self.folder / name).unlink(missing_ok=True)
            before = len(self.asked("scontrol requeue"))
            run = self.start_script(script)
            self.wait_for(lambda: "trapped" in self.listing())
            time.sleep(delay / 1000)
            run.send_signal(signal.SIGUSR1)
            said = run.communicate(timeout=30)[1]
            self.assertEqual(run.returncode, 75, said)
            self.assertEqual(len(self.asked("scontrol requeue")), before + 1)


if __name__ == "__main__":
    unittest.main()
