#!/usr/bin/env python3
"""Publishes events and reads them, whatever becomes of the server meanwhile, and says whether each came exactly once.

    exactly_once.py SOCKET COUNT

The publisher posts batches and, when it was cut off without an answer, goes on with a new one: nobody knows what became
of that one. The reader follows as an EventSource does: cut off, it comes back with the last number that it saw. At the end
each event that was acknowledged must have come once, with what was published under its number; numbers must come
without a gap, a repeat or a step back; and batches whole.
"""

import http.client
import json
import socket
import sys
import threading
import time

BATCH = 50
DEADLINE = 240  # seconds
PAUSE = 0.005   # before somebody who was cut off tries again
PACE = 0.008    # between batches, so that much can happen meanwhile


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Publisher(threading.Thread):
    """Posts until so many events were acknowledged."""

    def __init__(self, path, count):
        super().__init__(daemon=True)
        self.path = path
        self.count = count
        self.acknowledged = {}  # id: what was published
        self.cut = 0
        self.failure = None

    def run(self):
        number = 0
        try:
            while len(self.acknowledged) < self.count:
                try:
                    self.post_until_cut(Connection(self.path), number)
                except (OSError, http.client.HTTPException):
                    self.cut += 1
                    time.sleep(PAUSE)
                number = max((batch for batch, _ in self.acknowledged.values()), default=0) + self.cut + 1
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def post_until_cut(self, connection, number):
        """Each batch has a number of its own, so that one that may have been stored is never mistaken for another."""
        while len(self.acknowledged) < self.count:
            lines = [json.dumps({"type": "test", "data": [number, i]}) for i in range(BATCH)]
            connection.request("POST", "/events", "\n".join(lines), {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 201:
                for i, identifier in enumerate(json.loads(body)["ids"]):
                    self.acknowledged[identifier] = (number, i)
            elif answer.status not in (500, 503):
                raise RuntimeError(f"publishing was answered with {answer.status}: {body!r}")
            else:
                self.cut += 1
            number += 1
            time.sleep(PACE)


class Reader:
    """Follows, and comes back."""

    def __init__(self, path):
        self.path = path
        self.last = None
        self.seen = {}
        self.cut = 0

    def follow(self, over):
        deadline = time.monotonic() + DEADLINE
        while not over(self):
            if time.monotonic() > deadline:
                raise RuntimeError(f"not over after {DEADLINE} s, at {self.last}")
            try:
                self.read_until_cut(over)
            except (OSError, http.client.HTTPException):
                pass
            self.cut += 1
            time.sleep(PAUSE)

    def read_until_cut(self, over):
        connection = Connection(self.path)
        headers = {"Accept": "text/event-stream"}
        if self.last:
            headers["Last-Event-ID"] = str(self.last)
        connection.request("GET", "/events?since_id=0", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            if answer.status != 503:
                raise RuntimeError(f"following was answered with {answer.status}: {answer.read()!r}")
            return
        identifier = None
        while not over(self):
            line = answer.readline()
            if not line.endswith(b"\n"):
                return  # the end, or a line that was cut: it is nothing until it is whole
            if line.startswith(b"id:"):
                identifier = int(line[3:])
            elif line.startswith(b"data:"):
                event = json.loads(line[5:])
            elif line == b"\n" and identifier is not None:
                self.take(identifier, event)
                identifier = None

    def take(self, identifier, event):
        if event["id"] != identifier:
            raise RuntimeError(f"the event {event} came as {identifier}")
        if self.last is not None and identifier != self.last + 1:
            raise RuntimeError(f"{identifier} came after {self.last}")
        if event["type"] == "berth.missed":
            raise RuntimeError(f"after {self.last}: {event}")
        self.last = identifier
        if event["type"] == "test":
            self.seen[identifier] = tuple(event["data"])


def check_batches(seen):
    """Whole, and in order."""
    identifiers = sorted(seen)
    for at in range(0, len(identifiers), BATCH):
        batch = [seen[identifier] for identifier in identifiers[at:at + BATCH]]
        if batch != [(batch[0][0], i) for i in range(BATCH)]:
            raise RuntimeError(f"a batch is not whole: {batch}")
    numbers = [seen[identifier][0] for identifier in identifiers[::BATCH]]
    if len(set(numbers)) != len(numbers):
        raise RuntimeError("a batch was stored twice")


def main():
    path, count = sys.argv[1], int(sys.argv[2])
    publisher, reader = Publisher(path, count), Reader(path)
    publisher.start()

    def over(reader):
        if publisher.failure:
            raise publisher.failure
        return not publisher.is_alive() and reader.last is not None and reader.last >= max(publisher.acknowledged)

    reader.follow(over)
    for identifier, what in publisher.acknowledged.items():
        if reader.seen.get(identifier) != what:
            raise RuntimeError(f"{identifier} was acknowledged as {what} and came as {reader.seen.get(identifier)}")
    check_batches(reader.seen)
    print(f"{len(publisher.acknowledged)} acknowledged, {len(reader.seen)} seen, once each; cut off: publisher "
          f"{publisher.cut}, reader {reader.cut} times")


if __name__ == "__main__":
    main()
