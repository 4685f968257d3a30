"""Servers that are not what a proxy needs, for 74-doctor.sh: listeners.py KIND PATH [TEXT]. Says "ready", and runs
until it is killed."""
import signal
import socket
import sys

kind, path = sys.argv[1:3]
text = sys.argv[3].encode().decode("unicode_escape").encode("latin-1") if len(sys.argv) > 3 else b""
types = {"datagram": socket.SOCK_DGRAM, "packets": socket.SOCK_SEQPACKET}
server = socket.socket(socket.AF_UNIX, types.get(kind, socket.SOCK_STREAM))
server.bind(("\0" + path[1:]) if path[0] == "@" else path)
kept = []

if kind not in ("bound", "datagram"):
    server.listen(0 if kind == "full" else 5)
if kind == "full":
    kept.append(socket.socket(socket.AF_UNIX))
    kept[0].connect(path)
if kind == "left":
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    kept = [client, server.accept()[0]]
    server.close()
print("ready", flush=True)
while kind in ("says", "closes", "silent"):
    connection = server.accept()[0]
    if kind == "says":
        connection.sendall(text)
    if kind == "closes":
        connection.recv(4096)
        connection.close()
    kept.append(connection)
signal.pause()
