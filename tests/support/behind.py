"""What curl cannot do in front of a proxy: behind.py PORT upload SIZE [chunked] | behind.py PORT events SOCKET COUNT | …

upload  sends the first half of SIZE bytes, waits until behind.c has some of them, sends the rest, and compares what
        comes back. Prints "streamed SIZE same".
events  follows /events, publishes COUNT events on berth's own SOCKET, and prints how many milliseconds the slowest one
        took until it was here.
first   prints how many milliseconds it took until the first bytes of the body of TARGET were here.
"""

import http.client
import json
import os
import socket
import sys
import time

PATIENCE = 30
port = int(sys.argv[1])


class Local(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def proxy():
    return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)


def get(connection, target):
    connection.request("GET", target)
    return connection.getresponse().read()


def upload(size, *form):
    body = os.urandom(size)
    half = size // 2
    connection = proxy()
    connection.putrequest("POST", "/mirror")
    if form:
        connection.putheader("Transfer-Encoding", "chunked")
    else:
        connection.putheader("Content-Length", str(size))
    connection.endheaders()

    def send(start, end):
        for at in range(start, end, 65536):
            piece = body[at : min(at + 65536, end)]
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece) if form else piece)

    send(0, half)
    other = proxy()
    deadline = time.monotonic() + PATIENCE
    while int(get(other, "/arrived")) == 0:
        if time.monotonic() > deadline:
            sys.exit("nothing has arrived of an upload of which half is sent")
    send(half, size)
    if form:
        connection.send(b"0\r\n\r\n")
    reply = connection.getresponse()
    back = reply.read()
    print("streamed", len(back), "same" if back == body else "other: %d %.200r" % (reply.status, back))


def events(path, count):
    connection = proxy()
    connection.request("GET", "/events")
    reply = connection.getresponse()
    publisher = Local(path)
    slowest = 0
    for number in range(int(count)):
        begin = time.monotonic()
        publisher.request("POST", "/events", json.dumps({"data": number}), {"Content-Type": "application/json"})
        if publisher.getresponse().read() == b"" or json.loads(reply.readline())["data"] != number:
            sys.exit("another event than number %d" % number)
        slowest = max(slowest, time.monotonic() - begin)
    print(round(slowest * 1000))


def first(target):
    connection = proxy()
    begin = time.monotonic()
    connection.request("GET", target)
    if not connection.getresponse().read(1):
        sys.exit("nothing came")
    print(round((time.monotonic() - begin) * 1000))


try:
    if sys.argv[2] == "upload":
        upload(int(sys.argv[3]), *sys.argv[4:])
    elif sys.argv[2] == "events":
        events(*sys.argv[3:])
    else:
        first(sys.argv[3])
except OSError as error:
    sys.exit("%s: %s" % (sys.argv[2], error))
