#!/usr/bin/env python3
"""What workers on one PostgreSQL server cost, and how far that goes.

  scaling.py PROGRAM [-o costs.json]     measures on this machine: CPU time of server and workers for a record and for a
                                         transaction, the time of a flush, and records a second of 1, 2, 4 and 8 workers beside
                                         what the simulation says of them
  scaling.py --costs costs.json          simulates up to 1,000 workers and 10 million samples with these costs

The model: a worker takes a lease, and for each batch of up to 64 records works, then waits for one transaction, which takes
round trips, a core of the server, and a flush of its log that all share who wait for it. No row is shared but for moments. Every five
seconds it says that it lives. Bottleneck: what is in use for more than three quarters of the time.
"""
import argparse
import heapq
import json
import os
import pathlib
import re
import subprocess
import sys

BATCH = 64
TRIPS_KEEP, TRIPS_TAKE = 12, 5
LEASE = 83  # samples
BEAT_S = 5


# The simulation.

class Cores:
    """First come, first served."""

    def __init__(self, count):
        self.free = [0.0] * count
        self.busy = 0.0

    def serve(self, now, seconds):
        start = max(now, heapq.heappop(self.free))
        heapq.heappush(self.free, start + seconds)
        self.busy += seconds
        return start + seconds


class Log:
    """A flush takes all with it that has come before it begins."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.begin, self.end, self.busy = -seconds, 0.0, 0.0

    def flush(self, now):
        if now <= self.begin:  # the next flush, which has not begun
            return self.end
        self.begin = max(now, self.end)
        self.end = self.begin + self.seconds
        self.busy += self.seconds
        return self.end


def simulate(costs, workers, samples, *, cores, lease=LEASE, runs=1, model_s=0.0, trip_s=0.0, shared=False):
    """Seconds, and what part of them each resource was in use. `shared`: workers compute on the server's cores; else each has a
    core of its own. `model_s`: a worker's time for a sample besides its own work."""
    beats = workers / BEAT_S * costs["server_transaction_s"] / cores
    slower = 1 / max(1 - beats, 0.01)  # what else the server does takes a share of its cores
    costs = {**costs, **{name: costs[name] * slower for name in ("server_record_s", "server_transaction_s")}}
    server, log = Cores(cores), Log(costs["flush_s"])
    left = [samples // runs] * runs
    # Time, worker, run, samples left of its lease, step.
    events = [(worker * 1e-6, worker, worker % runs, 0, "take") for worker in range(workers)]
    heapq.heapify(events)
    end = 0.0

    def compute(now, seconds):
        return server.serve(now, seconds) if shared else now + seconds

    while events:
        now, worker, run, of_lease, step = heapq.heappop(events)
        if step == "take":
            for other in range(runs):
                if left[run] > 0:
                    break
                run = (worker + other) % runs
            if left[run] == 0:
                continue
            of_lease = min(lease, left[run])
            left[run] -= of_lease
            now = server.serve(now + TRIPS_TAKE * trip_s, costs["server_transaction_s"])
            heapq.heappush(events, (log.flush(now), worker, run, of_lease, "work"))
        elif step == "work":
            records = min(BATCH, of_lease)
            now = compute(now + records * model_s, records * costs["worker_record_s"] + costs["worker_transaction_s"])
            heapq.heappush(events, (now + TRIPS_KEEP * trip_s, worker, run, of_lease, "write"))
        elif step == "write":
            records = min(BATCH, of_lease)
            now = server.serve(now, records * costs["server_record_s"] + costs["server_transaction_s"])
            heapq.heappush(events, (now, worker, run, of_lease, "commit"))
        else:
            done = log.flush(now)
            end = max(end, done)
            of_lease -= min(BATCH, of_lease)
            heapq.heappush(events, (done, worker, run, of_lease, "work" if of_lease else "take"))
    use = {"server's cores": server.busy / cores / end, "log": log.busy / end}
    return end, use


def bottleneck(use):
    name, share = max(use.items(), key=lambda item: item[1])
    return f"{name} ({share:.0%})" if share > 0.75 else f"the workers (next: {name}, {share:.0%})"


SCENES = [  # name, time of a sample, samples a lease, runs, server's cores, round trip
    ("reference, one run, server of 2 cores", 0.0, 83, 1, 2, 0.0002),
    ("reference, 20 runs, server of 16 cores", 0.0, 256, 20, 16, 0.0002),
    ("10 ms a sample, one run, server of 16 cores", 0.01, 256, 1, 16, 0.0005),
    ("10 ms a sample, 20 runs, server of 16 cores", 0.01, 256, 20, 16, 0.0005),
    ("100 ms a sample, 20 runs, server of 2 cores", 0.1, 256, 20, 2, 0.0005),
    ("1 s a sample, 20 runs, server of 2 cores", 1.0, 64, 20, 2, 0.0005),
]


def show_scenes(costs, samples):
    print("| | workers | samples/s | time | of the workers' own speed | bottleneck |\n|---|---|---|---|---|---|")
    for name, model_s, lease, runs, cores, trip_s in SCENES:
        for workers in (10, 100, 1000):
            # With few workers the rate is that of their first leases; the whole is simulated where they are in each other's way.
            some = samples if workers == 1000 else min(samples, max(runs, workers) * lease * 20)
            seconds, use = simulate(costs, workers, some, cores=cores, lease=lease, runs=runs, model_s=model_s, trip_s=trip_s)
            own = workers / (model_s + costs["worker_record_s"])
            whole = samples / (some / seconds)
            print(f"| {name} | {workers} | {some / seconds:,.0f} | {whole / 3600:.1f} h | {some / seconds / own:.0%} | "
                  f"{bottleneck(use)} |")


# The measurement.

def cpu_of_server(server):
    """CPU seconds of all processes of the server, those that have ended too."""
    tick = os.sysconf("SC_CLK_TCK")

    def fields(pid):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()

    total = sum(int(f) for f in fields(server.process.pid)[11:15])
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            of_child = fields(entry.name)
        except OSError:
            continue
        if int(of_child[1]) == server.process.pid:
            total += sum(int(f) for f in of_child[11:13])
    return total / tick


def measured(place, samples, workers, lease_tokens):
    runs = ["run", "./even.json", "--model", "reference", "--progress", "none", "-q", "--db", place.server.url]
    place.run(*runs, "--enqueue", "--fresh", "--limit", samples, "--lease-tokens", lease_tokens)
    psql = place.server.psql
    leases, run = int(psql("SELECT count(*) FROM leases")), psql("SELECT max(run_id) FROM runs")
    before, own = cpu_of_server(place.server), 0.0
    started = [place.worker("--max-idle", 0, "-q") for _ in range(workers)]
    for worker in started:
        _, status, usage = os.wait4(worker.pid, 0)
        worker.returncode = os.waitstatus_to_exitcode(status)
        if worker.returncode != 0:
            sys.exit((place.folder / "workers.log").read_text())
        own += usage.ru_utime + usage.ru_stime
    window = float(psql("SELECT extract(epoch FROM max(t) - min(t)) FROM (SELECT pg_xact_commit_timestamp(xmin) AS t "
                        f"FROM records WHERE run_id = {run}) AS r"))
    transactions = leases * (2 + (samples // leases) // BATCH)
    return {"samples": samples, "leases": leases, "transactions": transactions, "server_s": cpu_of_server(place.server) - before,
            "worker_s": own, "rate": samples / window}


def flush_time(server):
    out = subprocess.run([server.bin / "pg_test_fsync", "-s", "1", "-f", str(server.folder / "flush")], capture_output=True, text=True,
                         check=True, **server.user).stdout
    return float(re.search(r"fdatasync\s+([\d.]+) ops/sec", out).group(1)) ** -1


def measure(samples):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/cli"))
    from workers_test import Place  # its program is the first argument
    place = Place(durable=True)
    try:
        place.number_task(samples)
        long, short, few = (measured(place, n, 1, tokens) for n, tokens in
                            ((samples, 1000), (samples // 2, 100), (samples // 4, 1000)))
        costs = {"flush_s": flush_time(place.server)}
        for who in ("server", "worker"):
            # By two differences: start and end of the processes are in all three.
            per_sample = (long[who + "_s"] - few[who + "_s"]) / (long["samples"] - few["samples"])
            per_lease_long = long["transactions"] / long["samples"]
            start = long[who + "_s"] - per_sample * long["samples"]
            of_short = (short[who + "_s"] - start) / short["samples"]
            transaction = (of_short - per_sample) / (short["transactions"] / short["samples"] - per_lease_long)
            costs[who + "_transaction_s"] = max(transaction, 0.0)
            costs[who + "_record_s"] = per_sample - costs[who + "_transaction_s"] * per_lease_long
        print(json.dumps(costs, indent=1))
        print("\n| workers | measured, records/s | simulated | off by |\n|---|---|---|---|")
        for workers in (1, 2, 4, 8):
            rate = measured(place, samples, workers, 1000)["rate"]
            seconds, _ = simulate(costs, workers, samples, cores=os.cpu_count(), shared=True)
            print(f"| {workers} | {rate:,.0f} | {samples / seconds:,.0f} | {samples / seconds / rate - 1:+.0%} |")
        return costs
    finally:
        place.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?")
    parser.add_argument("--costs", type=pathlib.Path, help="those that an earlier call measured")
    parser.add_argument("--samples", type=int, default=40000, help="of a measurement (%(default)s)")
    parser.add_argument("--simulated-samples", type=int, default=10_000_000, help="(%(default)s)")
    parser.add_argument("-o", "--output", type=pathlib.Path, help="for the costs")
    args = parser.parse_args()
    if args.costs:
        costs = json.loads(args.costs.read_text(encoding="utf-8"))
    elif args.program:
        costs = measure(args.samples)
    else:
        parser.error("name the program, or --costs FILE")
    if args.output:
        args.output.write_text(json.dumps(costs, indent=1) + "\n", encoding="utf-8")
    show_scenes(costs, args.simulated_samples)


if __name__ == "__main__":
    main()
