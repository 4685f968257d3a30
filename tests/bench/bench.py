#!/usr/bin/env python3
"""Measures berth beside other servers: see README.md. `make bench` and `make bench-quick` start it.

Exits with 0 when everything could be measured, whatever the figures are, and with 1 when something could not.
"""

import argparse
import collections
import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import contestants
import report
from processes import Failure, Running

CONNECTIONS = 32
LOAD_SECONDS = {CONNECTIONS: 1.0, 1: 0.6}     # for CPU and requests per second
LATENCY_SECONDS = {CONNECTIONS: 0.35, 1: 0.3}  # for p50 and p99
MOST_REQUESTS = {CONNECTIONS: 1000000, 1: 60000}  # lighttpd keeps a connection for 65535 requests at most
START_BLOCKS = 5

Load = collections.namedtuple("Load", "rate seconds")


class Measured:
    """What is known of one contestant. Lists have an entry for each round."""

    def __init__(self, contestant):
        self.contestant = contestant
        self.rounds = {}       # connections: a list of Round
        self.expected = {}     # connections: requests per second, as tried before the rounds
        self.memory_kib = None
        self.starts_ms = []
        self.failure = None

    def fail(self, why):
        self.failure = self.failure or str(why)
        print(f"  {self.contestant.label}: {why}", file=sys.stderr)


def pick_cpus():
    """The servers' CPU and the client's."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise Failure("two CPUs are needed, one for the servers and one for the client")
    return usable[-2], usable[-1]


def busy_seconds(cpus):
    """The time that these CPUs were busy, and the time that the machine's own host took from them."""
    tick = os.sysconf("SC_CLK_TCK")
    busy = stolen = 0
    with open("/proc/stat", encoding="ascii") as stat:
        for line in stat:
            name, *fields = line.split()
            if name in [f"cpu{cpu}" for cpu in cpus]:
                user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
                busy += user + nice + system + irq + softirq
                stolen += steal
    return busy / tick, stolen / tick


def h2load(cpu, path, target, connections, requests, log=None):
    """One load. Every request must be answered with 200 and the whole page."""
    command = ["taskset", "-c", str(cpu), "h2load", "--h1", "-t", "1", "-c", str(connections), "-n", str(requests),
               "--base-uri=unix:" + path, "http://localhost" + target]
    if log:
        command.insert(4, "--log-file=" + log)
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    finished = re.search(r"finished in ([\d.]+)(us|ms|s), ([\d.]+) req/s", run.stdout)
    succeeded = re.search(r"(\d+) succeeded", run.stdout)
    body = re.search(r"\((\d+)\) data", run.stdout)
    if not finished or not succeeded or not body:
        raise Failure(f"h2load: {run.stdout.strip()[-200:]}")
    if int(succeeded.group(1)) != requests or int(body.group(1)) != requests * len(contestants.PAGE):
        raise Failure(f"{succeeded.group(1)} of {requests} requests succeeded, with {body.group(1)} bytes of body")
    seconds = float(finished.group(1)) * {"us": 1e-6, "ms": 1e-3, "s": 1}[finished.group(2)]
    return Load(float(finished.group(3)), seconds)


def fetch(connection, target):
    """One request on an open connection: its head, and its body, which has a Content-Length."""
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            raise Failure("the connection was closed instead of an answer")
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    size = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
    while size and len(body) < int(size.group(1)):
        body += connection.recv(65536) or b"?" * int(size.group(1))
    return head, body


def check_answers(path, target, connection):
    """The page, with status 200, twice on one connection."""
    connection.settimeout(10)
    connection.connect(path)
    for _ in range(2):
        head, body = fetch(connection, target)
        if not head.startswith(b"HTTP/1.1 200 ") or body != contestants.PAGE:
            raise Failure(f"{target} is not answered with the page: {head[:60]!r} {body[:80]!r}")


class Bench:
    """The whole run."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.server_cpu, self.client_cpu = pick_cpus()
        chosen = contestants.everybody(options.build, options.berth)
        if options.quick:
            chosen = [contestant for contestant in chosen if contestant.label in contestants.QUICK]
        self.all = [Measured(contestant) for contestant in chosen]
        self.passes = [CONNECTIONS] if options.quick else [CONNECTIONS, 1]
        self.foreign = []  # the share of a CPU that others used, per load
        self.stolen = []

    def able(self):
        return [measured for measured in self.all if not measured.failure]

    def servers(self):
        """Each server once, with those that are measured on it."""
        groups = {}
        for measured in self.able():
            groups.setdefault(measured.contestant.server, []).append(measured)
        return groups.items()

    def start(self, server):
        return Running(server, self.folder, self.server_cpu, self.client_cpu)

    # -- first: does each answer, how fast about, how much memory

    def try_out(self, running, measured):
        contestant = measured.contestant
        with socket.socket(socket.AF_UNIX) as connection:
            check_answers(running.path, contestant.target, connection)
        for connections in self.passes:
            requests = 1000
            for _ in range(2):
                load = h2load(self.client_cpu, running.path, contestant.target, connections, requests)
                requests = max(1000, int(load.rate * 0.25))
            measured.expected[connections] = load.rate

    def measure_memory(self, running, target):
        """With nobody else running, after load, and with as many connections open as the load has."""
        with contextlib.ExitStack() as stack:
            for _ in range(CONNECTIONS):
                connection = stack.enter_context(socket.socket(socket.AF_UNIX))
                check_answers(running.path, target, connection)
            return running.memory_kib()

    def try_all(self):
        for server, group in self.servers():
            try:
                with self.start(server) as running:
                    for measured in group:
                        self.try_out(running, measured)
                    memory = self.measure_memory(running, group[0].contestant.target)
                    for measured in group:
                        measured.memory_kib = memory
            except (Failure, OSError, subprocess.TimeoutExpired) as error:
                for measured in group:
                    measured.fail(error)

    # -- the rounds

    def requests_for(self, measured, connections, seconds):
        wanted = int(measured.expected[connections] * seconds[connections])
        return max(1000, min(wanted, MOST_REQUESTS[connections]))

    def measure_cpu(self, running, measured, connections):
        """CPU time per request, and requests per second."""
        requests = self.requests_for(measured, connections, LOAD_SECONDS)
        cpus = self.server_cpu, self.client_cpu
        client = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) + children_seconds()
        busy, stolen = busy_seconds(cpus)
        before, read = running.cpu_ns(), running.reader_ns()
        load = h2load(self.client_cpu, running.path, measured.contestant.target, connections, requests)
        after, read = running.cpu_ns(), running.reader_ns() - read
        busy, stolen = (now - then for now, then in zip(busy_seconds(cpus), (busy, stolen)))
        client = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) + children_seconds() - client
        if before.keys() != after.keys():
            raise Failure("a process of the server ended or started during a load")
        used = sum(after.values()) - sum(before.values())
        self.foreign.append(max(0, busy - client - (used + read) / 1e9) / load.seconds)
        self.stolen.append(stolen / load.seconds)
        return used / 1e3 / requests, load.rate

    def measure_latency(self, running, measured, connections):
        """p50 and p99 in microseconds. A load of its own: writing down each request slows the client by a fifth."""
        log = os.path.join(self.folder, "requests.log")
        requests = self.requests_for(measured, connections, LATENCY_SECONDS)
        h2load(self.client_cpu, running.path, measured.contestant.target, connections, requests, log)
        with open(log, encoding="ascii") as lines:
            times = sorted(int(line.rpartition("\t")[2]) for line in lines)
        os.unlink(log)
        if len(times) != requests:
            raise Failure(f"h2load logged {len(times)} of {requests} requests")
        return times[len(times) // 2], times[len(times) * 99 // 100]

    def measure_round(self, running, measured, connections):
        try:
            cpu_us, rate = self.measure_cpu(running, measured, connections)
            p50, p99 = self.measure_latency(running, measured, connections)
        except (Failure, OSError, subprocess.TimeoutExpired) as error:
            measured.fail(error)
            return
        measured.rounds.setdefault(connections, []).append(report.Round(cpu_us, rate, p50, p99))

    def run_rounds(self):
        with contextlib.ExitStack() as stack:
            running = {}
            for server, group in self.servers():
                try:
                    running[server] = stack.enter_context(self.start(server))
                except (Failure, OSError) as error:
                    for measured in group:
                        measured.fail(error)
            for connections in self.passes:
                for number in range(self.options.rounds):
                    say(f"round {number + 1} of {self.options.rounds}, connections: {connections}")
                    able = self.able()
                    for turn in range(len(able)):
                        measured = able[(number + turn) % len(able)]
                        self.measure_round(running[measured.contestant.server], measured, connections)

    # -- the start

    def measure_starts(self):
        program = os.path.join(self.options.build, "tests", "bench", "first_answer")
        for _ in range(START_BLOCKS):
            for server, group in self.servers():
                if not server.starts:
                    continue
                command = ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", str(self.client_cpu), program,
                           str(server.starts // START_BLOCKS), str(self.server_cpu), server.socket(self.folder),
                           group[0].contestant.target] + server.arguments(self.folder)
                run = subprocess.run(command, cwd=self.folder, env=contestants.environment(self.folder),
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     text=True, check=False)
                for measured in group:
                    if run.returncode:
                        measured.fail(run.stderr.strip()[-300:])
                    measured.starts_ms += [int(line) / 1e6 for line in run.stdout.split()]

    def run(self):
        say(f"servers on CPU {self.server_cpu}, client on CPU {self.client_cpu}")
        say("trying each server, and its memory")
        self.try_all()
        self.run_rounds()
        say("time from exec to the first answer")
        self.measure_starts()


def children_seconds():
    spent = os.times()
    return spent.children_user + spent.children_system


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure_beside(description, kind, rounds, results):
    """The program of a run of its own: `kind` is made from the options and a folder, and has run, tables and markdown."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", required=True, metavar="DIR", help="where make has put the programs")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"how often everybody has a turn ({rounds})")
    parser.add_argument("--results", metavar="DIR", help=f"where to write {results}")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.berth = os.path.join(options.build, "bin", "berth")
    stop_on_signals()
    with tempfile.TemporaryDirectory(prefix="berth-bench-") as folder:
        os.chmod(folder, 0o755)
        try:
            run = kind(options, folder)
            run.run()
        except (Failure, OSError, subprocess.SubprocessError) as error:
            sys.exit(f"bench: {error}")
        print(report.tables_text(run.tables()))
        if options.results:
            with open(os.path.join(options.results, results), "w", encoding="utf-8") as file:
                file.write(run.markdown())


def stop_on_signals():
    """Signals become SystemExit, so that every `with` on the way out ends its server."""
    def leave(number, _):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)


def parse_options():
    parser = argparse.ArgumentParser(description="Measures berth beside other servers.")
    parser.add_argument("--build", required=True, metavar="DIR", help="where make has put the programs")
    parser.add_argument("--berth", metavar="FILE", help="the berth to measure (DIR/bin/berth)")
    parser.add_argument("--quick", action="store_true", help="only berth, bare libmicrohttpd and nginx; writes nothing")
    parser.add_argument("--rounds", type=int, help="how often everybody has a turn (9; with --quick 5)")
    parser.add_argument("--results", metavar="DIR", help="where to write RESULTS.md and cpu.svg")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.berth = os.path.abspath(options.berth or os.path.join(options.build, "bin", "berth"))
    options.rounds = options.rounds or (5 if options.quick else 9)
    return options


def main():
    options = parse_options()
    stop_on_signals()
    with tempfile.TemporaryDirectory(prefix="berth-bench-") as folder:
        contestants.prepare(folder)
        try:
            bench = Bench(options, folder)
        except Failure as error:
            sys.exit(f"bench: {error}")
        bench.run()
    results = report.Results(bench.all, bench.passes, options.rounds, report.Disturbance(
        statistics.median(bench.foreign or [0]), max(bench.foreign or [0]), max(bench.stolen or [0])))
    print(results.text())
    if options.results:
        results.write(options.results)
    return 1 if any(measured.failure for measured in bench.all) else 0


if __name__ == "__main__":
    sys.exit(main())
