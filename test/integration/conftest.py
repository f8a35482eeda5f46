# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests of whole processes: the program, scratch folders, free ports, nodes.

The program is $WASL_BIN, else build/wasl. Shared data is looked for at $WASL_SHARED, else at
../shared beside the checkout; a test that needs it skips where it is absent.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))  # for chain and tally
PROGRAM = pathlib.Path(os.environ.get("WASL_BIN", ROOT / "build" / "wasl"))
SHARED = pathlib.Path(os.environ.get("WASL_SHARED", ROOT.parent / "shared"))

MAP = """[columns]
ticket = no
time = time
sku = sku
name = name
quantity = quantity
unit_price = price
location = place
[rules]
currency = USD
"""
# Of the shared month of a real retailer.
RETAIL_MAP = """[columns]
ticket = InvoiceNo
time = InvoiceDate
sku = StockCode
name = Description
quantity = Quantity
unit_price = UnitPrice
customer = CustomerID
[format]
time = %Y-%m-%d %H:%M:%S
[rules]
cancel_prefix = C
currency = GBP
"""
PLAIN_MAP = MAP.replace("location = place\n", "")
ROWS = """no,time,sku,name,quantity,price,place
1,2026-11-20 08:00:00,A,Apple,2,1.50,BR01
1,2026-11-20 08:00:00,B,Bread,1,2.00,BR01
2,2026-11-20 08:05:00,A,Apple,1,1.50,BR02
3,2026-11-20 08:09:00,C,Cake,0.5,9.99,BR01
"""  # 5.00 + 1.50 + 5.00 (0.5 x 9.99, rounded half away from zero): 3 tickets, 4 lines, 4.5 units


class Result:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def last(self):
        """The JSON object on the last line of standard output."""
        return json.loads(self.out.rstrip("\n").rsplit("\n", 1)[-1])

    @property
    def json(self):
        return json.loads(self.out)


class Wasl:
    """Runs the program in a scratch folder and stops the nodes it served."""

    def __init__(self, folder):
        self.folder = folder
        self.nodes = []

    def __call__(self, *words, **options):
        options.setdefault("timeout", 120)
        done = subprocess.run(
            [str(PROGRAM), *map(str, words)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        return Result(done)

    def good(self, *words, **options):
        result = self(*words, **options)
        assert result.code == 0, f"{words}: {result.err}"
        return result

    def bad(self, *words, code=1, saying="", **options):
        """Fails with one line on standard error that says all this."""
        result = self(*words, **options)
        assert result.code == code, f"{words}: {result.code} {result.out} {result.err}"
        lines = [line for line in result.err.split("\n") if line]
        assert len(lines) == 1, f"{words}: {result.err!r}"
        assert saying in lines[0], f"{words}: {lines[0]!r} does not say {saying!r}"
        return result

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def centre(self, name="centre", address="127.0.0.1"):
        node = Node(self, name, free_port(), address)
        self.good("init", "central", name, "--listen", f"{address}:{node.port}")
        return node

    def till(self, name="till", location="BR01", upstream=None):
        node = Node(self, name, free_port())
        words = ["init", "terminal", name, "--listen", f"127.0.0.1:{node.port}"]
        words += ["--location", location] if location else []
        words += ["--upstream", upstream] if upstream else []
        self.good(*words)
        return node

    def joined(self, centre, name="till", location="BR01"):
        """A till that has joined the running centre."""
        till = self.till(name, location, centre.url("ws"))
        words = ["--location", location, "--role", "terminal"]
        code = self.good("enroll", "code", centre.name, *words).out.strip()
        self.good("enroll", "join", name, code)
        return till


class Node:
    def __init__(self, wasl, name, port, address="127.0.0.1"):
        self.wasl, self.name, self.port, self.address = wasl, name, port, address
        self.process = None
        self.log = wasl.folder / f"{name}.log"

    @property
    def path(self):
        return self.wasl.folder / self.name

    @property
    def database(self):
        return self.path / "wasl.db"

    def url(self, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}"

    def serve(self, **env):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), "serve", self.name],
                cwd=self.wasl.folder,
                stderr=log,
                stdout=log,
                env={**os.environ, **env},
            )
        self.wasl.nodes.append(self)
        wait_for(self.is_up, f"{self.name} to serve", lambda: self.log.read_text()[-2000:])
        return self

    def is_up(self):
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return (self.path / "run" / "address").exists()

    def stop(self, how=signal.SIGTERM):
        """Ends the node; its exit code."""
        self.process.send_signal(how)
        code = self.process.wait(timeout=20)
        self.process = None
        self.wasl.nodes.remove(self)
        return code

    def get(self, path, token=None):
        request = urllib.request.Request(self.url() + path)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def status(self):
        return self.wasl.good("status", self.name, "--json").json


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(done, what, detail=lambda: "", seconds=20):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"waited {seconds} s for {what}: {detail()}"
        time.sleep(0.02)


@pytest.fixture
def wasl():
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="wasl-test-"))
    runner = Wasl(folder)
    yield runner
    for node in list(runner.nodes):
        node.stop(signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def retail():
    path = SHARED / "data" / "online-retail" / "2010-12.csv.gz"
    if not path.exists():
        pytest.skip("the shared data is not there: online-retail/2010-12.csv.gz")
    return path


@pytest.fixture
def tickets(wasl):
    """A map with a location column, one without, and a small file."""
    wasl.write("map.ini", MAP)
    wasl.write("plain.ini", PLAIN_MAP)
    return wasl.write("rows.csv", ROWS)
