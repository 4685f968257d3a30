#!/usr/bin/env python3
"""Measures berth's site beside nginx and lighttpd, which serve the same files: see README.md. `make bench-site` starts it.

Exits with 0 when everything could be measured, whatever the figures are, and with 1 when something could not.
"""

import collections
import contextlib
import os
import re
import socket
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import bench
import contestants
import report
from contestants import Server
from processes import Failure, Running

CONNECTIONS = 32
LOAD_SECONDS = 1.0
OUR_NAME, THEIR_NAME = "berth", "nginx"

SMALL, LARGE = 16 * 1024, 10 * 1024 * 1024


class Case:
    """A request. `expected` is the size of the body, `fields` says what to send, given the whole file's head."""

    def __init__(self, title, target, status, expected, fields=lambda head: [], limit=None):
        self.title = title
        self.target = target
        self.status = status
        self.expected = expected
        self.fields = fields
        self.limit = limit  # of CPU beside nginx's; None: reported only


def known_tag(head):
    tag = re.search(rb"(?im)^etag: *(.*?)\r?$", head)
    if not tag:
        raise Failure("no ETag")
    return ["If-None-Match: " + tag.group(1).decode()]


CASES = [
    Case("16 KiB", "/small.txt", 200, SMALL, limit=1),
    Case("10 MiB", "/large.bin", 200, LARGE, limit=1),
    Case("1 KiB of 16 KiB (206)", "/small.txt", 206, 1024, lambda head: ["Range: bytes=4096-5119"]),
    Case("1 KiB of 10 MiB (206)", "/large.bin", 206, 1024, lambda head: ["Range: bytes=5242880-5243903"]),
    Case("1 MiB of 10 MiB (206)", "/large.bin", 206, 1048576, lambda head: ["Range: bytes=5242880-6291455"]),
    Case("16 KiB, known (304)", "/small.txt", 304, 0, known_tag),
]

Turn = collections.namedtuple("Turn", "cpu_us rate")


def servers(berth):
    """All with what makes them fast at this: sendfile, open files remembered, nothing logged, one process."""
    sources = contestants.SOURCES
    return [
        Server(OUR_NAME, [berth, "serve", "--uds", "{folder}/berth.sock", "--workers", "1", "--no-access-log",
                          "/=site:{folder}/site"], lambda: contestants.said(berth, "--version")),
        Server(THEIR_NAME, ["nginx", "-p", "{folder}/", "-e", "stderr", "-c", f"{sources}/nginx-site.conf"],
               lambda: contestants.said("nginx", "-v")),
        Server("lighttpd", ["lighttpd", "-D", "-f", f"{sources}/lighttpd-site.conf"],
               lambda: contestants.said("lighttpd", "-v")),
    ]


def prepare(folder):
    """Random bytes, and old enough to have strong entity tags."""
    site = os.path.join(folder, "site")
    os.mkdir(site)
    os.chmod(folder, 0o755)
    for name, size in (("small.txt", SMALL), ("large.bin", LARGE)):
        path = os.path.join(site, name)
        with open(path, "wb") as file:
            file.write(os.urandom(size))
        os.utime(path, (1700000000, 1700000000))


def ask(path, target, fields):
    """One request on a connection of its own: head and body."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(path)
        lines = [f"GET {target} HTTP/1.1", "Host: localhost", "Connection: close"] + fields
        connection.sendall("\r\n".join(lines + ["", ""]).encode())
        received = b"".join(iter(lambda: connection.recv(1 << 20), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


class SiteBench:
    """The whole run."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.server_cpu, self.client_cpu = bench.pick_cpus()
        prepare(folder)
        self.servers = servers(options.berth)
        self.turns = {}    # (case, server's name): a list of Turn
        self.expected = {}  # (case, server's name): requests per second
        self.foreign = []

    def load(self, running, case, fields, requests):
        command = ["taskset", "-c", str(self.client_cpu), "h2load", "--h1", "-t", "1", "-c", str(CONNECTIONS),
                   "-n", str(requests), "--base-uri=unix:" + running.path]
        for field in fields:
            command += ["-H", field]
        run = subprocess.run(command + ["http://localhost" + case.target], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        finished = re.search(r"finished in ([\d.]+)(us|ms|s), ([\d.]+) req/s", run.stdout)
        succeeded = re.search(r"(\d+) succeeded", run.stdout)
        body = re.search(r"\((\d+)\) data", run.stdout)
        if not finished or not succeeded or int(succeeded.group(1)) != requests:
            raise Failure(f"h2load: {run.stdout.strip()[-300:]}")
        if int(body.group(1)) != requests * case.expected:
            raise Failure(f"{body.group(1)} bytes of body from {requests} requests")
        return float(finished.group(3))

    def fields_of(self, running, case):
        """What to send to this server; after a look whether it answers that as it should."""
        head, body = ask(running.path, case.target, [])
        with open(os.path.join(self.folder, "site", case.target[1:]), "rb") as file:
            whole = file.read()
        if body != whole:
            raise Failure(f"{case.target} is not the file")
        fields = case.fields(head)
        head, body = ask(running.path, case.target, fields)
        if not head.startswith(b"HTTP/1.1 %d " % case.status) or len(body) != case.expected:
            raise Failure(f"{case.title}: {head[:40]!r} with {len(body)} bytes")
        return fields

    def try_out(self, running, case):
        rate, requests = 0.0, CONNECTIONS * 4
        for _ in range(2):
            rate = self.load(running, case, self.fields_of(running, case), requests)
            requests = max(requests, int(rate * 0.2))
        self.expected[case, running.server.name] = rate

    def take_turn(self, running, case):
        fields = self.fields_of(running, case)
        wanted = int(self.expected[case, running.server.name] * LOAD_SECONDS)
        requests = max(CONNECTIONS * 4, min(wanted, 200000))
        before = running.cpu_ns()
        rate = self.load(running, case, fields, requests)
        after = running.cpu_ns()
        if before.keys() != after.keys():
            raise Failure("a process of the server ended or started during a load")
        used = sum(after.values()) - sum(before.values())
        self.turns.setdefault((case, running.server.name), []).append(Turn(used / 1e3 / requests, rate))

    def run(self):
        bench.say(f"servers on CPU {self.server_cpu}, client on CPU {self.client_cpu}")
        with contextlib.ExitStack() as stack:
            everybody = [stack.enter_context(Running(server, self.folder, self.server_cpu, self.client_cpu))
                         for server in self.servers]
            for case in CASES:
                for running in everybody:
                    self.try_out(running, case)
                for number in range(self.options.rounds):
                    bench.say(f"{case.title}: round {number + 1} of {self.options.rounds}")
                    for turn in range(len(everybody)):
                        self.take_turn(everybody[(number + turn) % len(everybody)], case)

    # -- what came out

    def ratios(self, case, name):
        pairs = zip(self.turns[case, name], self.turns[case, THEIR_NAME])
        return [mine.cpu_us / other.cpu_us for mine, other in pairs]

    def rows(self, case):
        yield ["", "CPU µs/request", "(min–max)", f"× {THEIR_NAME}", "(min–max)", "requests/s", "CPU s/GB"]
        for server in self.servers:
            cpu, rate = zip(*self.turns[case, server.name])
            ratios = self.ratios(case, server.name)
            per_gb = statistics.median(cpu) / case.expected * 1e3 if case.expected >= 1 << 20 else None
            yield [server.name, f"{statistics.median(cpu):.2f}", report.span(cpu, 2),
                   f"{statistics.median(ratios):.2f}", report.span(ratios, 2), f"{statistics.median(rate):,.0f}",
                   f"{per_gb:.3f}" if per_gb else ""]

    def verdicts(self):
        yield ["", "measured", "verdict"]
        for case in CASES:
            if case.limit is None:
                continue
            ratio = statistics.median(self.ratios(case, OUR_NAME))
            yield [f"{case.title}: CPU at most nginx's", f"{ratio:.3f} ×", "met" if ratio <= case.limit else "MISSED"]

    def tables(self):
        for case in CASES:
            yield case.title, list(self.rows(case))
        yield "Required", list(self.verdicts())

    def markdown(self):
        return report.beside_markdown("Files", "bench-site", f"{CONNECTIONS} connections", self)


if __name__ == "__main__":
    bench.measure_beside("Measures berth's site beside other servers.", SiteBench, 9, "RESULTS-site.md")
