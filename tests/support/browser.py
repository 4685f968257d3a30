#!/usr/bin/env python3
"""Drives a headless Chromium for the system tests, through the DevTools protocol on a pair of pipes.

    browser.py FOLDER

FOLDER is for the browser's profile. Commands come on standard input, one a line, a word and what follows it; each is
answered with one line, of JSON, on standard output:

    open URL           goes there; answered when the page is loaded
    eval EXPRESSION    its value; of a promise, what it comes to
    wait EXPRESSION    until it is true: true, or false after $PATIENCE seconds
    key NAME           presses Tab, Enter, Space, Backspace or Escape
    type TEXT          as if typed where the focus is
    look WIDTH SCHEME  of that width, "light" or "dark"
    shot FILE          a picture of the whole page
    problems           what the page complained of since this was asked last: exceptions, errors, violations of its CSP
"""
import base64
import fcntl
import json
import os
import subprocess
import sys
import time

PATIENCE = float(os.environ.get("PATIENCE", "10"))
KEYS = {
    "Tab": {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Space": {"key": " ", "code": "Space", "windowsVirtualKeyCode": 32, "text": " "},
    "Backspace": {"key": "Backspace", "code": "Backspace", "windowsVirtualKeyCode": 8},
    "Escape": {"key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27},
}


def high(fd):
    """The same, out of the way of 3 and 4, where the browser looks for its pipes."""
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(fd)
    return copy


class Browser:
    def __init__(self, folder):
        its_input, self.to = map(high, os.pipe())
        self.source, its_output = map(high, os.pipe())

        def take_pipes():
            os.dup2(its_input, 3)
            os.dup2(its_output, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
             "--no-default-browser-check", "--hide-scrollbars", "--no-sandbox",  # it sees pages of ours only
             "--user-data-dir=" + os.path.join(folder, "profile")],
            preexec_fn=take_pipes, close_fds=False, stdin=subprocess.DEVNULL)
        os.close(its_input)
        os.close(its_output)
        self.buffer, self.number, self.session, self.complaints, self.loaded = b"", 0, None, [], False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    # ---- messages ----

    def receive(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.source, 1 << 16)
            if not piece:
                sys.exit("the browser has gone")
            self.buffer += piece
        text, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.take(answer)

    def take(self, event):
        what = event.get("params", {})
        if event["method"] == "Page.loadEventFired":
            self.loaded = True
        elif event["method"] == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            self.complaints.append("exception: " + details.get("exception", {}).get("description", details["text"]))
        elif event["method"] == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
            self.complaints.append("console: " + str([a.get("value", a.get("description")) for a in what["args"]]))
        elif event["method"] == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            entry = what["entry"]
            self.complaints.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}")

    # ---- commands ----

    def open(self, url):
        self.loaded = False
        self.call("Page.navigate", url=url)
        while not self.loaded:
            self.take(self.receive())
        return True

    def eval(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", "?"))
        return answer["result"].get("value")

    def holds(self, expression):
        try:
            return self.eval(f"Boolean({expression})")
        except RuntimeError:
            return False  # what it looks at is not there yet

    def wait(self, expression):
        deadline = time.monotonic() + PATIENCE
        while not self.holds(expression):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def key(self, name):
        self.call("Input.dispatchKeyEvent", type="keyDown", **KEYS[name])
        self.call("Input.dispatchKeyEvent", type="keyUp", **{k: v for k, v in KEYS[name].items() if k != "text"})
        return True

    def type(self, text):
        self.call("Input.insertText", text=text)
        return True

    def look(self, arguments):
        width, scheme = arguments.split()
        self.call("Emulation.setDeviceMetricsOverride", width=int(width), height=900, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        return True

    def shot(self, path):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        picture = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture))
        return True

    def problems(self, _):
        self.eval("0")
        complaints, self.complaints = self.complaints, []
        return complaints


def main():
    browser = Browser(sys.argv[1])
    try:
        for line in sys.stdin:
            word, _, rest = line.rstrip("\n").partition(" ")
            try:
                answer = getattr(browser, word)(rest)
            except RuntimeError as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)
    finally:
        browser.process.terminate()
        browser.process.wait()


main()
