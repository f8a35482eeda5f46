# SPDX-License-Identifier: Apache-2.0
"""A chain of nodes on this machine, each a process of its own: for tools/demo, bench and tests.

What was started here is ended here, by its process id, however the block is left; and the system
ends it when this process is killed.
"""

import ctypes
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
WASL = pathlib.Path(os.environ.get("WASL_BIN", BUILD / "wasl"))
PROXY = BUILD / "test" / "chaos" / "chaos_proxy"
LOAD = BUILD / "test" / "load" / "demo_till_load"

COMMAND_S = 120
STOP_S = 15
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Failed(Exception):
    """What went wrong, as one sentence for people."""


def end_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until(done, seconds, pause=0.02):
    """True as soon as done() is; False when the time is over."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= end:
            return False
        time.sleep(pause)
    return True


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Processes:
    """Everything that was started; leaving the block ends it."""

    def __init__(self):
        self.running = []

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.end()

    def start(self, words, **options):
        # In a group of its own, so that Ctrl-C at the terminal reaches only the one who decides.
        process = subprocess.Popen(
            [str(word) for word in words],
            preexec_fn=end_with_parent,
            process_group=0,
            **options,
        )
        self.running.append(process)
        return process

    def end(self, which=None):
        """Ends these, or all: politely, and after STOP_S by force."""
        ending = self.running if which is None else which
        for process in ending:
            if process.poll() is None:
                process.terminate()
        limit = time.monotonic() + STOP_S
        for process in ending:
            try:
                process.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running = [process for process in self.running if process not in ending]


def new_id():
    """A UUID of version 7."""
    ms, tail = int(time.time() * 1000), int.from_bytes(os.urandom(10), "big")
    number = ms << 80 | 7 << 76 | (tail >> 64 & 0xFFF) << 64 | 2 << 62 | tail & (1 << 62) - 1
    return str(uuid.UUID(int=number))


def run_wasl(*words):
    """What a command prints; Failed with what it says of itself when it fails."""
    command = [str(WASL), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=COMMAND_S)
    if done.returncode != 0:
        said = done.stderr.strip() or f"exit {done.returncode}"
        raise Failed(f"wasl {' '.join(map(str, words))}: {said}")
    return done.stdout


class Proxy:
    """A chaos proxy in front of a port of this machine."""

    def __init__(self, processes, target_port, seconds=3600, seed=1):
        to = f"127.0.0.1:{target_port}"
        self.processes = processes
        self.process = processes.start(
            [PROXY, "--to", to, "--seconds", seconds, "--seed", seed],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        first = self.process.stdout.readline().split()
        if first[:1] != ["listening"]:
            raise Failed("the chaos proxy does not start")
        self.port = int(first[1])

    def __call__(self, command):
        """Gives one command; what the answer says behind ok."""
        self.process.stdin.write(command + "\n")
        answer = self.process.stdout.readline().strip()
        if not answer.startswith("ok"):
            raise Failed(f"the chaos proxy, told '{command}', says: {answer or 'nothing'}")
        return answer[2:].strip()

    def count(self):
        """Bytes each way since the last count, connections and flipped bits so far."""
        words = self("count").split()
        return dict(zip(words[::2], map(int, words[1::2])))

    def end(self):
        self.process.stdin.close()
        self.processes.end([self.process])


class Node:
    """A folder made by wasl init; serve() runs it."""

    def __init__(self, processes, folder, port=0):
        self.processes, self.folder, self.port = processes, pathlib.Path(folder), port
        self.process = None

    @property
    def log(self):
        return self.folder.with_name(self.folder.name + ".log")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def serve(self, **options):
        address = self.folder / "run" / "address"
        with open(self.log, "ab") as log:
            words = [WASL, "serve", self.folder]
            self.process = self.processes.start(words, stdout=log, stderr=log, **options)

        def up():
            if self.process.poll() is not None:
                raise Failed(f"wasl serve {self.folder}: {self.last_words()}")
            return address.exists() and address.read_text().startswith("http")

        if not wait_until(up, 20):
            raise Failed(f"wasl serve {self.folder} does not come up: {self.last_words()}")
        self.port = int(address.read_text().rsplit(":", 1)[1])
        return self

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().split("\n")
        return lines[-1] or "it said nothing"

    def stop(self):
        self.processes.end([self.process])
        self.process = None

    def token(self, role="owner"):
        return run_wasl("token", self.folder, "--name", "demo", "--role", role).strip()

    def get(self, path, token=None):
        request = urllib.request.Request(self.url + path)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def post_events(self, token, events):
        """The results; Failed unless all of them were accepted."""
        request = urllib.request.Request(
            self.url + "/api/v1/events",
            json.dumps({"events": events}).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            results = json.load(answer)["results"]
        for result in results:
            if result["status"] == "rejected":
                raise Failed(f"{self.folder.name} rejects an event: {result['reason']}")
        return results

    def pending(self):
        """Events that the node above has not settled; None while the node does not answer."""
        try:
            lanes = self.get("/api/v1/status")["lanes"].values()
        except (OSError, ValueError):
            return None
        return sum(lane["pending"] + lane["held"] for lane in lanes)

    def sql(self):
        """A read-only connection to the node's store."""
        return sqlite3.connect(f"file:{self.folder / 'wasl.db'}?mode=ro", uri=True, timeout=30)


def new_centre(processes, folder, port=0):
    run_wasl("init", "central", folder, "--listen", f"127.0.0.1:{port}")
    return Node(processes, folder, port)


def new_till(processes, folder, centre, location, upstream_port=None):
    """A till that has joined the centre, which serves; by default straight, else by that port."""
    upstream = f"ws://127.0.0.1:{upstream_port or centre.port}"
    words = ["--location", location, "--role", "terminal"]
    code = run_wasl("enroll", "code", centre.folder, *words).split()[0]
    run_wasl("init", "terminal", folder, "--upstream", upstream, "--listen", "127.0.0.1:0")
    run_wasl("enroll", "join", folder, code)
    return Node(processes, folder)


def set_option(folder, section, key, value):
    """Changes one key of DIR/wasl.ini: written behind its section's heading, the preset removed."""
    path = pathlib.Path(folder) / "wasl.ini"
    kept, now = [], ""
    for line in path.read_text().split("\n"):
        if line.startswith("["):
            now = line.strip()[1:-1]
        if now != section or line.split("=")[0].strip() != key:
            kept.append(line)
    heading = f"[{section}]"
    if heading not in kept:
        kept.append(heading)
    kept.insert(kept.index(heading) + 1, f"{key} = {value}")
    path.write_text("\n".join(kept) + "\n")
