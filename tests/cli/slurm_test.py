#!/usr/bin/env python3
"""Workers that a real Slurm starts: munged, slurmctld and slurmd of Debian's slurm-wlm as ordinary processes in a folder of
their own, on this machine alone.

  slurm_test.py PROGRAM     `micius submit --slurm --array=0-3` does infrawise and arc_easy: four workers of an array job, and the
                            reports are the bytes of SQLite in one process

Exit 4: skipped, with the reason.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

from workers_test import Place, check, check_reports, require_data

TASKS = "infrawise,arc_easy"
CONFIGURATION = """ClusterName=micius
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
# What needs neither control groups nor an accounting database.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SchedulerParameters=sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
# Four workers at once, however few cores there are.
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def skip(reason):
    print("skipped: " + reason)
    sys.exit(4)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Slurm:
    PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "squeue", "sinfo")

    @staticmethod
    def require():
        missing = [name for name in Slurm.PROGRAMS if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")]
        if missing:
            skip(f"no {', '.join(missing)} on this machine (Debian's package slurm-wlm)")
        if os.geteuid() != 0:
            skip("slurmd needs root, which starts jobs for others")

    def __init__(self, folder):
        folder.mkdir(mode=0o755)
        for name in ("state", "spool"):
            (folder / name).mkdir(mode=0o755)
        self.folder = folder
        self.host = socket.gethostname().split(".")[0]
        self.processes = []
        self.environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin", "SLURM_CONF": str(folder / "slurm.conf")}
        (folder / "slurm.conf").write_text(
            CONFIGURATION.format(host=self.host, folder=folder, ports=free_ports(2), user="root"), encoding="utf-8")

    def start(self):
        key = self.folder / "munge.key"
        self.run("mungekey", "--create", f"--keyfile={key}")
        self.daemon("munged", "--foreground", f"--key-file={key}", f"--socket={self.folder}/munge.socket",
                    f"--pid-file={self.folder}/munged.pid", f"--seed-file={self.folder}/munge.seed",
                    f"--log-file={self.folder}/munged.log")
        self.wait("munged", lambda: (self.folder / "munge.socket").exists())
        self.daemon("slurmctld", "-D", "-i")
        self.daemon("slurmd", "-D")
        self.wait("a node", lambda: "idle" in self.run("sinfo", "--noheader", "--format=%T", ignore_failure=True))

    def daemon(self, name, *words):
        log = open(self.folder / f"{name}.out", "ab")
        program = shutil.which(name, path=self.environment["PATH"])
        self.processes.append(subprocess.Popen([program, *words], env=self.environment, stdout=log, stderr=log, cwd="/"))

    def run(self, *words, ignore_failure=False):
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0 and not ignore_failure:
            sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def wait(self, what, holds, seconds=60):
        end = time.time() + seconds
        while not holds():
            dead = [process.args[0] for process in self.processes if process.poll() is not None]
            if dead or time.time() > end:
                logs = "\n".join(f"{log.name}: {log.read_text(errors='replace')[-3000:]}" for log in self.folder.glob("*.out"))
                sys.exit(f"no {what} after {seconds} s, ended: {dead}\n{logs}")
            time.sleep(0.2)

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def main():
    Slurm.require()
    place = Place()
    slurm = Slurm(place.folder / "slurm")
    try:
        require_data(place, TASKS)
        slurm.start()
        place.environment |= {name: slurm.environment[name] for name in ("PATH", "SLURM_CONF")}
        runs = ["run", TASKS, "--model", "reference", "--db"]
        place.run(*runs, "calm.db", "-q", "--progress", "none")
        start = time.time()
        print(place.run("submit", "--slurm", "--array=0-3 --cpus-per-task=1", "--max-idle", 3, "--", *runs, place.server.url,
                        "--lease-tokens", 8000).strip())
        slurm.wait("end of the job", lambda: not slurm.run("squeue", "--noheader").strip(), seconds=240)
        outputs = sorted(place.folder.glob("slurm-*_*.out"))
        print("".join(output.read_text() for output in outputs).strip())
        psql = place.server.psql
        check(len(outputs) == 4, f"four tasks of the array: {outputs}")
        check(psql("SELECT count(*) FROM workers") == "4", "four workers")
        check(psql("SELECT count(*) FROM runs WHERE status = 'complete'") == "2", "both runs are complete")
        check_reports(place)
        version = slurm.run("sbatch", "--version").strip()
        print(f"{version}: {psql('SELECT sum(records) FROM workers')} samples by 4 tasks of an array job in {time.time() - start:.1f} s "
              "with 3 s of waiting: the reports in five formats are those of one process")
    finally:
        slurm.close()
        place.close()


if __name__ == "__main__":
    main()
