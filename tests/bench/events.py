#!/usr/bin/env python3
"""Measures berth's events beside nginx with the nchan module: see README.md. `make bench-events` starts it.

Exits with 0 when everything could be measured, whatever the figures are, and with 1 when something could not.
"""

import collections
import contextlib
import os
import re
import resource
import select
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import bench
import contestants
import report
from contestants import Server
from processes import Failure, Running

EVENTS = 200
IDLE_SECONDS = 3
PATIENCE = 120  # seconds, for one step of a client
OUR_NAME, THEIR_NAME, LIMIT_NAME = "berth", "nchan", "fanout"
OPEN_FILES = 12000
DATAGRAMS = 1000000
QUEUES = (10, 512)  # net.unix.max_dgram_qlen

# How many subscribers, and what part of nchan's CPU a delivery may cost; None: reported only.
SIZES = {1000: 1 / 2, 5000: 1 / 5, 10000: None}
KIB_PER_SUBSCRIBER = 1
DATAGRAMS_PER_SECOND = 250000

# Where to subscribe, where to publish, and what. What a subscriber of either gets is equally long: nchan is handed a
# text such as berth makes of it.
WAYS = {
    OUR_NAME: ("/events?format=sse", "/events", '{"type":"bench","data":{"n":"%06u"}}'),
    THEIR_NAME: ("/events", "/publish",
                 '{"id":1700000000000001,"time":1700000000.123456,"type":"bench",'
                 '"peer":{"uid":0,"user":"root","pid":12345},"data":{"n":"%06u"}}'),
    LIMIT_NAME: ("/", "/", '{"type":"bench","data":{"n":"%06u"}}'),
}

Size = collections.namedtuple("Size", "subscribers paced crowd kib idle_ms")


def servers(build, berth):
    sources = contestants.SOURCES
    return [
        Server(OUR_NAME, [berth, "serve", "--uds", "{folder}/berth.sock", "--workers", "1", "--no-access-log",
                          "--limit-connections", str(OPEN_FILES), "--datagram", "events:{folder}/datagrams.sock",
                          "/events=events"], lambda: contestants.said(berth, "--version")),
        Server(THEIR_NAME, ["nginx", "-p", "{folder}/", "-e", "stderr", "-c", f"{sources}/nginx-nchan.conf"],
               lambda: contestants.said("nginx", "-v") + ", nchan " + nchan_version()),
        Server(LIMIT_NAME, [os.path.join(build, "tests", "bench", "bare_fanout"), "{folder}/fanout.sock"],
               lambda: "bare_fanout.c, a send for each delivery and nothing else"),
    ]


def nchan_version():
    run = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True, check=False)
    return run.stdout or "?"


class Subscribers:
    """The program `subscribers`, which reads and publishes."""

    def __init__(self, build, cpu, running, count):
        target, publish, body = WAYS[running.server.name]
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(cpu),
             os.path.join(build, "tests", "bench", "subscribers"), running.path, target, str(count), publish, body],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.count = count

    def __enter__(self):
        self.expect("ready")
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()

    def expect(self, word):
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise Failure(f"the subscribers said nothing for {PATIENCE} s")
        line = self.process.stdout.readline()
        if not line.startswith(word):
            raise Failure(f"the subscribers said {line!r}")

    def begin(self, how, events=EVENTS):
        self.process.stdin.write(f"{how} {events}\n")

    def finish(self, events=EVENTS):
        self.expect(f"delivered {events * self.count}\n")

    def publish(self, how):
        self.begin(how)
        self.finish()


def resident_kib(running):
    """The resident set size of all processes."""
    total = 0
    for pid in running.family():
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            total += sum(int(line.split()[1]) for line in rollup if line.startswith("Rss:"))
    return total


def used_ns(running, before):
    after = running.cpu_ns()
    if before.keys() != after.keys():
        raise Failure(f"{running.server.name}: a process of the server ended or started during a load")
    return sum(after.values()) - sum(before.values())


class EventsBench:
    """The whole run."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.server_cpu, self.client_cpu = bench.pick_cpus()
        self.servers = servers(options.build, options.berth)
        self.sizes = {}      # (subscribers, server's name): Size
        self.datagrams = {}  # net.unix.max_dgram_qlen: (per second, CPU µs each)

    def start(self, stack, server):
        return stack.enter_context(Running(server, self.folder, self.server_cpu, self.client_cpu))

    def measure_size(self, count):
        with contextlib.ExitStack() as stack:
            sides, memory, idle = [], {}, {}
            for server in self.servers:
                running = self.start(stack, server)
                with Subscribers(self.options.build, self.client_cpu, running, 1) as one:
                    one.publish("paced")  # all that is made at the first use
                before = resident_kib(running)
                subscribers = stack.enter_context(Subscribers(self.options.build, self.client_cpu, running, count))
                memory[server.name] = (resident_kib(running) - before) / count
                sides.append((running, subscribers))
            for running, _ in sides:
                used = running.cpu_ns()
                time.sleep(IDLE_SECONDS)
                idle[running.server.name] = used_ns(running, used) / 1e6
            found = {}
            for number in range(self.options.rounds):
                bench.say(f"{count} subscribers: round {number + 1} of {self.options.rounds}")
                for how in ("paced", "crowd"):
                    for running, subscribers in sides[number % len(sides):] + sides[:number % len(sides)]:
                        used = running.cpu_ns()
                        subscribers.publish(how)
                        cost = used_ns(running, used) / 1e3 / (EVENTS * count)
                        found.setdefault((running.server.name, how), []).append(cost)
            for server in self.servers:
                name = server.name
                self.sizes[count, name] = Size(count, found[name, "paced"], found[name, "crowd"], memory[name],
                                               idle[name])

    def measure_datagrams(self, queue):
        """In a network namespace of its own, whose queues' length can be set; with one subscriber, who must get all."""
        server = Server(OUR_NAME, ["unshare", "--net", "sh", "-c",
                                   f"sysctl -q -w net.unix.max_dgram_qlen={queue} && exec \"$@\"", "sh"]
                        + self.servers[0].command + ["status"], self.servers[0].version)
        with contextlib.ExitStack() as stack:
            running = self.start(stack, server)
            follower = stack.enter_context(Subscribers(self.options.build, self.client_cpu, running, 1))
            used = running.cpu_ns()
            began = time.monotonic()
            follower.begin("follow", DATAGRAMS)
            subprocess.run(["taskset", "-c", str(self.client_cpu),
                            os.path.join(self.options.build, "tests", "bench", "datagrams"),
                            os.path.join(self.folder, "datagrams.sock"), str(DATAGRAMS)],
                           check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
            follower.finish(DATAGRAMS)
            seconds = time.monotonic() - began
            return DATAGRAMS / seconds, used_ns(running, used) / 1e3 / DATAGRAMS

    def run(self):
        bench.say(f"servers on CPU {self.server_cpu}, subscribers on CPU {self.client_cpu}")
        for count in SIZES:
            self.measure_size(count)
        for queue in QUEUES:
            bench.say(f"datagrams, a queue of {queue}")
            turns = [self.measure_datagrams(queue) for _ in range(self.options.rounds)]
            self.datagrams[queue] = [statistics.median(column) for column in zip(*turns)]

    # -- what came out

    def ratio(self, count, how, name=OUR_NAME):
        ours, theirs = (getattr(self.sizes[count, one], how) for one in (name, THEIR_NAME))
        return statistics.median(mine / other for mine, other in zip(ours, theirs))

    def size_rows(self):
        yield ["subscribers", "", "CPU µs/delivery, one at a time", "(min–max)", "× nchan", "20 publishers", "× nchan",
               "KiB each", f"idle, ms in {IDLE_SECONDS} s"]
        for (count, name), size in self.sizes.items():
            yield [f"{count:,}", name, f"{statistics.median(size.paced):.2f}", report.span(size.paced, 2),
                   f"{self.ratio(count, 'paced', name):.2f}",
                   f"{statistics.median(size.crowd):.2f}",
                   f"{self.ratio(count, 'crowd', name):.2f}",
                   f"{size.kib:.2f}", f"{size.idle_ms:.1f}"]

    def datagram_rows(self):
        yield ["max_dgram_qlen", "stored a second", "CPU µs each"]
        for queue, (rate, cpu) in self.datagrams.items():
            yield [str(queue), f"{rate:,.0f}", f"{cpu:.2f}"]

    def verdicts(self):
        yield ["", "measured", "verdict"]
        for count, limit in SIZES.items():
            for how, who in (("paced", "one event at a time"), ("crowd", "20 publishers")):
                ratio = self.ratio(count, how)
                if limit:
                    yield [f"{count:,} subscribers, {who}: CPU for a delivery at most {limit:g} of nchan's",
                           f"{ratio:.3f} ×", "met" if ratio <= limit else "MISSED"]
        kib = self.sizes[10000, OUR_NAME].kib
        yield [f"10,000 idle subscribers: at most {KIB_PER_SUBSCRIBER} KiB of resident memory each", f"{kib:.2f} KiB",
               "met" if kib <= KIB_PER_SUBSCRIBER else "MISSED"]
        idle = self.sizes[10000, OUR_NAME].idle_ms
        yield [f"10,000 idle subscribers: no CPU (less than 1 ms in {IDLE_SECONDS} s)", f"{idle:.2f} ms",
               "met" if idle < 1 else "MISSED"]
        best = max(rate for rate, _ in self.datagrams.values())
        yield [f"datagrams: at least {DATAGRAMS_PER_SECOND:,} stored a second", f"{best:,.0f}",
               "met" if best >= DATAGRAMS_PER_SECOND else "MISSED"]

    def tables(self):
        yield "Subscribers", list(self.size_rows())
        yield "Datagrams", list(self.datagram_rows())
        yield "Required", list(self.verdicts())

    def markdown(self):
        return report.beside_markdown("Events", "bench-events", f"{EVENTS} events a round", self)


if __name__ == "__main__":
    most = max(OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, most))
    bench.measure_beside("Measures berth's events beside nginx with nchan.", EventsBench, 5, "RESULTS-events.md")
