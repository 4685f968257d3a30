#!/usr/bin/env bash
# A connection with small replies is not watched for room to write (src/http/quiet.h), and gets all of a large one.
. "$(dirname "$0")/lib.sh"

need python3

head -c 3000000 /dev/urandom >"$DIR/large"

# client PROGRAM: in Python, with `client`, a connection on which a few requests were answered, so that it is quiet
client() {
    cat >"$DIR/client.py" <<PYTHON
import os, re, select, socket, sys, time

class Client:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout($PATIENCE)
        self.socket.connect(sys.argv[1])
        self.received = b""

    def send(self, target, more=b"", method=b"GET"):
        self.socket.sendall(method + b" " + target + b" HTTP/1.1\r\nHost: x\r\n" + more + b"\r\n")

    def fill(self):
        piece = self.socket.recv(65536)
        if not piece:
            sys.exit("the connection was closed")
        self.received += piece

    def reply(self, pause=0):
        while b"\r\n\r\n" not in self.received:
            self.fill()
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        size = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
        size = int(size.group(1)) if size else 0
        while len(self.received) < size:
            time.sleep(pause)
            self.fill()
        body, self.received = self.received[:size], self.received[size:]
        return int(head[9:12]), body

    def ask(self, *arguments):
        self.send(*arguments)
        return self.reply()

def watched_for_room():
    """How many connections of the worker are."""
    count = 0
    for name in os.listdir(f"/proc/{sys.argv[3]}/fdinfo"):
        with open(f"/proc/{sys.argv[3]}/fdinfo/{name}") as info:
            for line in info:
                if line.startswith("tfd:"):
                    events = int(line.split()[3], 16)
                    wanted = select.EPOLLET | select.EPOLLIN | select.EPOLLOUT
                    count += events & wanted == wanted
    return count

client = Client()
for _ in range(20):
    client.ask(b"/pid")
$1
PYTHON
    run python3 "$DIR/client.py" "$SOCKET" "$DIR/large" "$(workers)"
    expect_code 0
    [ -z "$ERR" ] || fail "what Python says" nothing "$ERR"
}

serve "$PROBE"

it "watches a connection for room only until it has shown that it takes its replies"
client '
new = Client()
new.ask(b"/pid")
for _ in range(500):  # the answer is there before the worker has entered the connection
    if watched_for_room() > 0:
        break
    time.sleep(0.01)
print(watched_for_room())
new.socket.close()
'
expect_equal "the connections watched" 1 "$OUT"

it "sends all of a large reply on a quiet connection, to a client that takes its time"
client '
for target in b"/bytes/3000000", b"/file?path=" + sys.argv[2].encode():
    client.send(target)
    status, body = client.reply(pause=0.001)
    print(status, len(body), body in (b"x" * 3000000, open(sys.argv[2], "rb").read()))
    for _ in range(20):
        client.ask(b"/pid")
    print(watched_for_room())
'
expect_equal "the replies" $'200 3000000 True\n0\n200 3000000 True\n0' "$OUT"

it "answers all requests of a client that asks thousands of times before it takes an answer"
client '
wanted = 20000
unsent = b"GET /pid HTTP/1.1\r\nHost: x\r\n\r\n" * wanted
client.socket.setblocking(False)
idle = 0
while unsent and idle < 20:
    try:
        unsent = unsent[client.socket.send(unsent):]
        idle = 0
    except BlockingIOError:
        idle += 1
        select.select([], [client.socket], [], 0.01)
print("full" if unsent else "everything was sent")
answered = 0
client.socket.settimeout('"$PATIENCE"')
while answered < wanted:
    if unsent:
        client.socket.setblocking(False)
        try:
            unsent = unsent[client.socket.send(unsent):]
        except BlockingIOError:
            pass
        client.socket.settimeout('"$PATIENCE"')
    status, body = client.reply()
    answered += status == 200
print(answered)
'
expect_equal "the answers" $'full\n20000' "$OUT"

it "answers what was held, and takes bodies, on quiet connections"
client '
for _ in range(3):
    print(client.ask(b"/later/20")[0])
    for _ in range(20):
        client.ask(b"/pid")
    client.send(b"/body", b"Content-Length: 5\r\nExpect: 100-continue\r\n", b"POST")
    print(client.reply()[0])
    client.socket.sendall(b"hello")
    print(client.reply()[0])
    for _ in range(20):
        client.ask(b"/pid")
'
expect_equal "the replies" $'200\n100\n200\n200\n100\n200\n200\n100\n200' "$OUT"

no_reports
finish
