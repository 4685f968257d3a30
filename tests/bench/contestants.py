"""Who takes part: the servers, how each is started, and the requests that each is measured with.

Every server answers the same page over a Unix socket. None is slowed down: no access log, connections kept open for
as long as the client likes, one process that answers. berth takes part a second time with its access log, to show what
that costs.
"""

import os
import re
import shutil
import subprocess

PAGE = b"<h1>Hello, world!</h1>\n<p>This is the index page.</p>\n"

SOURCES = os.path.dirname(os.path.abspath(__file__))


class Server:
    """A program to start. {folder} in the command stands for the folder that its socket and its files are in."""

    def __init__(self, name, command, version, starts=50, logs=False):
        self.name = name
        self.command = command
        self.version = version  # a function
        self.starts = starts    # how often the start is measured
        self.logs = logs        # writes its log to standard output, a pipe that is read on the client's CPU

    def arguments(self, folder):
        return [argument.replace("{folder}", folder) for argument in self.command]

    def socket(self, folder):
        return os.path.join(folder, self.name + ".sock")


class Contestant:
    """One row of the results: a server, and what it is asked for."""

    def __init__(self, label, server, target):
        self.label = label
        self.server = server
        self.target = target


def environment(folder):
    """What servers are started with: nothing that would configure berth, and the folder for lighttpd's file."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BERTH_", "LISTEN_", "NOTIFY_"))}
    return dict(kept, BENCH_FOLDER=folder)


def prepare(folder):
    """The files that the servers find in their folder."""
    os.mkdir(os.path.join(folder, "site"))
    with open(os.path.join(folder, "site", "index"), "wb") as page:
        page.write(PAGE)


def said(*command):
    """The first version number in what a command prints."""
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except OSError:
        return "?"
    found = re.search(r"\d+(\.\d+)+", run.stdout)
    return found.group() if found else "?"


def uvicorn_version():
    """uvicorn's version, and those of the parts in C that it is measured with, as its own interpreter sees them."""
    program = shutil.which("uvicorn")
    if not program:
        return "?"
    with open(program, encoding="utf-8", errors="replace") as script:
        interpreter = script.readline().removeprefix("#!").split()
    ask = "from importlib.metadata import version as v; print(v('uvloop') + ', httptools', v('httptools'))"
    run = subprocess.run(interpreter + ["-c", ask], stdout=subprocess.PIPE, text=True, check=False)
    return f"{said('uvicorn', '--version')}, uvloop {run.stdout.strip()}, Python {said(*interpreter, '--version')}"


def everybody(build, berth):
    """All contestants. `build` is where make has put our programs, `berth` the program to measure."""
    def ours(name):
        return os.path.join(build, "tests", "bench", name)

    def mhd_version():
        run = subprocess.run([ours("bare_mhd"), "--version"], stdout=subprocess.PIPE, text=True, check=False)
        return run.stdout.strip()

    bare_epoll = Server("epoll", [ours("bare_epoll"), "{folder}/epoll.sock"], lambda: "")
    bare_mhd = Server("mhd", [ours("bare_mhd"), "{folder}/mhd.sock"], mhd_version)
    berth_server = Server(
        "berth",
        [berth, "serve", "--uds", "{folder}/berth.sock", "--workers", "1", "--no-access-log", ours("app.so")],
        lambda: said(berth, "--version"))
    berth_logging = Server(
        "berth-log", [berth, "serve", "--uds", "{folder}/berth-log.sock", "--workers", "1", ours("app.so")],
        lambda: said(berth, "--version"), starts=0, logs=True)
    nginx = Server(
        "nginx", ["nginx", "-p", "{folder}/", "-e", "stderr", "-c", f"{SOURCES}/nginx.conf"],
        lambda: said("nginx", "-v"))
    lighttpd = Server("lighttpd", ["lighttpd", "-D", "-f", f"{SOURCES}/lighttpd.conf"], lambda: said("lighttpd", "-v"))
    uvicorn = Server(
        "uvicorn",
        ["uvicorn", "--uds", "{folder}/uvicorn.sock", "--loop", "uvloop", "--http", "httptools", "--workers", "1",
         "--no-access-log", "--log-level", "warning", "--lifespan", "off", "--app-dir", SOURCES, "asgi_app:app"],
        uvicorn_version, starts=10)

    return [
        Contestant("bare epoll", bare_epoll, "/index"),
        Contestant("bare libmicrohttpd", bare_mhd, "/index"),
        Contestant("berth, constant reply", berth_server, "/constant"),
        Contestant("berth, dynamic reply", berth_server, "/dynamic/world"),
        Contestant("berth, constant, access log", berth_logging, "/constant"),
        Contestant("nginx", nginx, "/index"),
        Contestant("lighttpd", lighttpd, "/index"),
        Contestant("uvicorn", uvicorn, "/index"),
    ]


# The rows that requirements speak about.
BASE, BERTH, NGINX, UVICORN = "bare libmicrohttpd", "berth, constant reply", "nginx", "uvicorn"
LOGGING = "berth, constant, access log"
QUICK = (BASE, BERTH, LOGGING, NGINX)
