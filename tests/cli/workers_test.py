#!/usr/bin/env python3
"""Workers on one PostgreSQL server, started here as an ordinary process.

  workers_test.py PROGRAM storm [SECONDS]   8 workers, one killed every second and every twentieth of the work, the server
                                            restarted twice, 2,000 samples for each of SECONDS: every sample is
                                            recorded exactly once, and the report is that of one process
  workers_test.py PROGRAM same              4 workers finish infrawise and arc_easy (where its data is): the same bytes as from
                                            SQLite in one process
  workers_test.py PROGRAM rate [SAMPLES]    leases and records a second of 4 workers with the model `reference`, beside SQLite
                                            in one process

Exit 4: skipped, with the reason.
"""
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM = pathlib.Path(sys.argv[1]).resolve()


def require_libpq():
    """Ends the test where the program cannot reach a server."""
    asked = subprocess.run([PROGRAM, "status", "--db", "postgresql://127.0.0.1:1/none"], capture_output=True, timeout=60,
                           check=False)
    if b"built without libpq" in asked.stderr:
        print("skipped: micius was built without libpq")
        sys.exit(4)


class Server:
    """Debian's PostgreSQL in a folder of its own; as `postgres` where we are root, as whom it refuses to run."""

    def __init__(self, folder, durable):
        require_libpq()
        versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not versions:
            print("skipped: no PostgreSQL server on this machine (Debian's package postgresql)")
            sys.exit(4)
        self.bin, self.folder = versions[-1].parent, folder
        self.log = open(folder / "log", "ab")
        self.user = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(folder, entry.pw_uid, entry.pw_gid)
            self.user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        settings = ("listen_addresses=", f"fsync={'on' if durable else 'off'}", "max_connections=60", "track_commit_timestamp=on")
        self.settings = [word for setting in settings for word in ("-c", setting)]
        subprocess.run([self.bin / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale",
                        "--no-sync"], check=True, stdout=self.log, stderr=self.log, cwd="/", **self.user)
        self.start()
        self.psql("CREATE DATABASE runs", database="postgres")
        self.url = f"postgresql://postgres@/runs?host={folder}"

    def start(self):
        self.process = subprocess.Popen([self.bin / "postgres", "-D", self.folder / "data", "-k", self.folder, *self.settings],
                                        stdout=self.log, stderr=self.log, cwd="/", **self.user)
        for _ in range(600):
            ready = subprocess.run([self.bin / "pg_isready", "-q", "-h", self.folder], check=False).returncode == 0
            if ready:
                return
            time.sleep(0.1)
        sys.exit("postgres does not start: " + (self.folder / "log").read_text())

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def psql(self, sql, database="runs"):
        words = [self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "postgres", "-d", database, "-c", sql]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


class Place:
    def __init__(self, durable=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="micius-workers-", dir="/tmp"))
        (self.folder / "server").mkdir()
        os.chmod(self.folder, 0o755)
        kept = {name: value for name, value in os.environ.items() if name not in ("MICIUS_DB", "XDG_CACHE_HOME")}
        self.environment = {**kept, "MICIUS_CACHE_DIR": str(self.folder)}
        self.server = Server(self.folder / "server", durable)
        self.workers = []

    def close(self):
        for worker in self.workers:
            worker.kill()
        if self.server.process.poll() is None:
            self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words):
        done = subprocess.run([PROGRAM, *map(str, words)], cwd=self.folder, env=self.environment, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def worker(self, *words):
        worker = subprocess.Popen([PROGRAM, "worker", "--db", self.server.url, *map(str, words)], cwd=self.folder,
                                  env=self.environment, stderr=open(self.folder / "workers.log", "ab"))
        self.workers.append(worker)
        return worker

    def report(self, database, runs):
        return self.run("report", runs, "--db", database, "--format", "json", "--stable")

    def number_task(self, samples):
        with open(self.folder / "even.jsonl", "w", encoding="utf-8") as out:
            for i in range(samples):
                out.write(json.dumps({"q": f"Is {i} even?", "a": "no" if i % 2 else "yes"}) + "\n")
        task = {"micius_task": 1, "name": "even", "version": 1,
                "dataset": {"loader": "jsonl", "path": "even.jsonl", "input": "q", "targets": "a"},
                "prompt": {"user": "{{input}}\nAnswer yes or no:"}, "generate": {"max_tokens": 4},
                "scorer": {"name": "exact"}, "metrics": ["acc"]}
        (self.folder / "even.json").write_text(json.dumps(task), encoding="utf-8")


def check(holds, what):
    if not holds:
        sys.exit("FAILED: " + what)


def storm(place, seconds):
    samples = 2000 * seconds
    place.number_task(samples)
    runs = ["run", "./even.json", "--model", "reference", "--model", "random"]
    place.run(*runs, "--db", "calm.db", "-q", "--progress", "none")
    place.run(*runs, "--db", place.server.url, "--enqueue")
    chance = random.Random(1)
    begun, strays = 0, 0  # workers; those that may have found no server as they began, and ended

    def begin():
        nonlocal begun
        begun += 1
        return place.worker("--lease", 2, "--max-idle", 600, "-q")

    def without_ended():
        nonlocal strays
        running = [worker for worker in workers if worker.poll() is None]
        strays -= len(workers) - len(running)
        check(strays >= 0, "a worker ended by itself: " + (place.folder / "workers.log").read_text())
        return running

    workers = [begin() for _ in range(8)]
    # By the work that is done, since nobody knows how fast a machine is; a kill every second besides.
    restarts, kill_at, kills, start = [0.25, 0.5], 0.05, 0, time.time()
    last_kill = start
    while place.server.psql("SELECT count(*) FROM runs WHERE status <> 'complete'") != "0":
        check(time.time() - start < 20 * seconds, "the runs do not end: " + place.server.psql("SELECT * FROM leases LIMIT 5"))
        time.sleep(0.05)
        done = int(place.server.psql("SELECT count(*) FROM records")) / (2 * samples)
        if restarts and done >= restarts[0]:
            restarts.pop(0)
            strays += begun - int(place.server.psql("SELECT count(*) FROM workers"))
            place.server.stop()
            time.sleep(0.5)
            place.server.start()
        if done < 0.95 and (done >= kill_at or time.time() - last_kill >= 1):
            kill_at, last_kill = max(kill_at, done) + 0.05, time.time()
            workers = without_ended()
            workers.pop(chance.randrange(len(workers))).kill()
            kills += 1
            workers += [begin() for _ in range(8 - len(workers))]
    wall = time.time() - start
    check(kills > 0 and not restarts, "the runs ended before the storm")
    workers = without_ended()
    for worker in workers:
        worker.terminate()
    check({worker.wait() for worker in workers} == {130}, "a worker did not leave cleanly")
    psql = place.server.psql
    check(psql("SELECT count(*) FROM records") == str(2 * samples), "a record a sample")
    check(psql("SELECT count(*) FROM (SELECT DISTINCT run_id, sample_id, repeat FROM records) AS r") == str(2 * samples), "once")
    check(psql("SELECT count(*) FROM turns") == str(2 * samples), "a turn a record")
    check(psql("SELECT count(*) FROM leases") == "0" and psql("SELECT count(*) FROM queued_runs") == "0", "nothing is left")
    check(place.report(place.server.url, "1,2") == place.report("calm.db", "1,2"), "the report of one process")
    late = psql("SELECT sum(late) FROM workers")
    print(f"{2 * samples} samples in {wall:.0f} s, {kills} kills, 2 restarts of the server: each recorded once, {late} late results "
          "dropped, the report is that of one process")


def require_data(place, tasks):
    """Ends the test where the data of a task is not there."""
    there = subprocess.run([PROGRAM, "run", tasks, "--model", "reference", "--dry-run"], env=place.environment, capture_output=True,
                           check=False)
    if there.returncode != 0:
        print("skipped: " + there.stderr.decode().strip())
        place.close()
        sys.exit(4)


def check_reports(place):
    """Runs 1 and 2 of the server and of calm.db have the same bytes in every format."""
    for form in ("json", "text", "md", "html", "csv"):
        reports = [place.run("report", "1,2", "--db", db, "--format", form, "--stable", "-o", "report") or
                   (place.folder / "report").read_bytes() for db in (place.server.url, "calm.db")]
        check(reports[0] == reports[1], f"the {form} report differs")


def same(place):
    tasks = "infrawise,arc_easy"
    require_data(place, tasks)
    runs = ["run", tasks, "--model", "reference"]
    place.run(*runs, "--db", "calm.db", "-q", "--progress", "none")
    place.run(*runs, "--db", place.server.url, "--enqueue")
    start = time.time()
    workers = [place.worker("--max-idle", 2) for _ in range(4)]
    check([worker.wait() for worker in workers] == [0] * 4, (place.folder / "workers.log").read_text())
    check_reports(place)
    print((place.folder / "workers.log").read_text().strip())
    print(f"4 workers, {time.time() - start:.1f} s with 2 s of waiting: the reports in five formats are those of one process")


def rate(place, samples):
    place.number_task(samples)
    runs = ["run", "./even.json", "--model", "reference", "--progress", "none", "-q"]

    def alone(database, samples):
        place.run(*runs, "--db", database, "--limit", samples)
        row = json.loads(place.run("list", "runs", "--db", database, "--format", "json"))["runs"][-1]
        return samples / (row["wall_ns"] / 1e9)

    sqlite, postgres = alone("calm.db", samples), alone(place.server.url, samples // 8)
    place.run(*runs, "--db", place.server.url, "--enqueue", "--fresh", "--lease-tokens", 1000)
    leases = int(place.server.psql("SELECT count(*) FROM leases"))
    workers = [place.worker("--max-idle", 0) for _ in range(4)]
    check([worker.wait() for worker in workers] == [0] * 4, (place.folder / "workers.log").read_text())
    # From the first commit of records to the last: loading the task is no work of the queue.
    window = float(place.server.psql("SELECT extract(epoch FROM max(t) - min(t)) FROM (SELECT pg_xact_commit_timestamp(xmin) AS t "
                                     "FROM records WHERE run_id = 2) AS r"))
    print((place.folder / "workers.log").read_text().strip())
    print(f"SQLite, one process: {sqlite:.0f} records/s\n"
          f"PostgreSQL, one process: {postgres:.0f} records/s\n"
          f"PostgreSQL, 4 workers: {samples} records and {leases} leases in {window:.2f} s, {(samples + leases) / window:.0f} "
          f"leases+records/s, {sqlite / (samples / window):.2f} times SQLite's time a record")


def main():
    mode, number = sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None
    place = Place(durable=mode == "rate")
    try:
        if mode == "storm":
            storm(place, number or 20)
        elif mode == "same":
            same(place)
        else:
            rate(place, number or 40000)
    finally:
        place.close()


if __name__ == "__main__":
    main()
