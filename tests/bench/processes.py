"""A server that runs: started on one CPU, accounted for with all its processes, and ended with all of them."""

import contextlib
import os
import signal
import socket
import subprocess
import time

import contestants

DEADLINE = 10  # seconds, for a server to listen and for it to end


class Failure(Exception):
    """Something that could not be measured, and why."""


class Running:
    """A started server. Use it in a `with`, which ends it."""

    def __init__(self, server, folder, cpu, reader_cpu):
        self.server = server
        self.path = server.socket(folder)
        self.log = os.path.join(folder, server.name + ".log")
        # setpriv sees to it that the server ends even if we are killed.
        command = ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", str(cpu)] + server.arguments(folder)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=contestants.environment(folder),
                                            stdin=subprocess.DEVNULL, stderr=log,
                                            stdout=subprocess.PIPE if server.logs else log)
        self.reader = None  # of its access log; ends with it
        if server.logs:
            self.reader = subprocess.Popen(["taskset", "-c", str(reader_cpu), "cat"], stdin=self.process.stdout,
                                           stdout=subprocess.DEVNULL)
            self.process.stdout.close()

    def __enter__(self):
        try:
            self.wait_until_listening()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_until_listening(self):
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failure(f"{self.server.name} ended with {self.process.returncode}: {self.last_words()}")
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(self.path)
                return
            time.sleep(0.01)
        raise Failure(f"{self.server.name} did not listen within {DEADLINE} s: {self.last_words()}")

    def last_words(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return (log.read().strip().splitlines() or ["it said nothing"])[-1]

    def family(self):
        """The ids of the server's processes: the one that we started, its children, theirs."""
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", encoding="latin-1") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
                    children.setdefault(parent, []).append(int(entry))
        found = [self.process.pid]
        for pid in found:
            found.extend(children.get(pid, []))
        return found

    def cpu_ns(self):
        """The CPU time of each process, by its id.

        The clock is the one of clock_getcpuclockid(3): nanoseconds by the scheduler's own account, of all threads
        and of those that have ended. (utime and stime in /proc/PID/stat have ticks of 10 ms.)
        """
        return {pid: time.clock_gettime_ns(~pid << 3 | 2) for pid in self.family()}

    def reader_ns(self):
        """The CPU time of who reads its access log: not the server's, but not that of strangers either."""
        return time.clock_gettime_ns(~self.reader.pid << 3 | 2) if self.reader else 0

    def memory_kib(self):
        """The proportional set size of all processes together."""
        total = 0
        for pid in self.family():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
                total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        return total

    def stop(self):
        """Ends the server by TERM, and by KILL what of it is left after that. By pidfds, which can't go stale."""
        members = []
        if self.process.poll() is None:
            for pid in self.family():
                with contextlib.suppress(ProcessLookupError):
                    members.append(os.pidfd_open(pid))
            self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(DEADLINE)
        for member in members:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(member, signal.SIGKILL)
            os.close(member)
        self.process.wait()
        if self.reader:
            self.reader.wait()
