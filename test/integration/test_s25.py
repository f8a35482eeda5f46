# SPDX-License-Identifier: Apache-2.0
"""S25: answers are lost. At every moment a till's view counts each of its own events once."""

import socket
import sqlite3
import threading
import time
import uuid

import pytest
from conftest import wait_for
from shop import event, query, sale, sell, token_of, verify_clean

FRAMES = 4  # the first so many of a way are lost in every combination
SALES = 3
SECONDS = 90
CONTROL = 8  # opcodes from here on are the link's own
VIEW = """SELECT (SELECT ifnull(sum(quantity), 0) FROM stock WHERE location = ?1 AND sku = 'TEA'),
          (SELECT count(*) FROM tickets WHERE location = ?1),
          (SELECT count(*) FROM order_lines WHERE location = ?1),
          (SELECT ifnull(sum(quantity), 0) FROM order_lines WHERE location = ?1)"""
LATE = """SELECT (SELECT count(*) FROM journal WHERE status IN ('pending', 'held')) +
          (SELECT count(*) FROM streams AS s LEFT JOIN includes AS i
           ON i.origin = s.origin AND i.lane = s.lane
           WHERE s.own = 1 AND s.head_seq > ifnull(i.seq, 0))"""


class Line:
    """A link to the centre that knows frames, and loses those that it is told to."""

    def __init__(self, target):
        self.target = target
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.arm(None, 0, False)
        threading.Thread(target=self.accept, daemon=True).start()

    def arm(self, way, mask, cuts):
        """Of the next frames that way the n-th is lost where bit n is set, or the link with it."""
        with self.lock:
            self.way, self.mask, self.cuts = way, mask, cuts
            self.seen = self.lost = 0

    def verdict(self, way):
        """What becomes of the next frame."""
        with self.lock:
            if way != self.way or self.seen == FRAMES:
                return "pass"
            lost = self.mask >> self.seen & 1
            self.seen += 1
            self.lost += lost
            return ("cut" if self.cuts else "lose") if lost else "pass"

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            for way, ends in (("up", (near, far)), ("down", (far, near))):
                threading.Thread(target=self.carry, args=(way, *ends), daemon=True).start()

    def carry(self, way, source, sink):
        try:
            with source.makefile("rb") as data:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = data.readline()
                    head += line
                    if not line:
                        return
                sink.sendall(head)
                if b"upgrade: websocket" in head.lower():
                    self.carry_frames(way, data, sink)
                else:
                    while rest := data.read1(65536):
                        sink.sendall(rest)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def carry_frames(self, way, data, sink):
        while len(head := data.read(2)) == 2:
            size, masked = head[1] & 0x7F, head[1] >> 7
            more = data.read({126: 2, 127: 8}.get(size, 0))
            size = int.from_bytes(more, "big") if more else size
            frame = head + more + data.read(size + 4 * masked)
            verdict = "pass" if head[0] & 0x0F >= CONTROL else self.verdict(way)
            if verdict == "cut":
                return
            if verdict == "pass":
                sink.sendall(frame)


class Till:
    """A till behind a line of its own, at a place of its own, with one order that stays open."""

    def __init__(self, wasl, centre, number):
        self.place, self.sold = f"BR{number:02}", 0
        self.line = Line(centre.port)
        self.node = wasl.till(f"till{number}", self.place, f"ws://127.0.0.1:{self.line.port}")
        words = ["--location", self.place, "--role", "terminal"]
        code = wasl.good("enroll", "code", centre.name, *words).out.strip()
        wasl.good("enroll", "join", self.node.name, code)
        self.node.serve()
        self.token = token_of(wasl, self.node, "manager")
        body = {"kind": "dine_in", "table": "T1", "currency": "USD", "places": 2}
        sell(self.node, self.token, [self.of_order("order_opened", **body)])
        self.db = sqlite3.connect(f"file:{self.node.database}?mode=ro", uri=True, timeout=10)

    def of_order(self, what, **body):
        return event(what, self.place, ("order", "O1"), body)

    def sell(self):
        """A cup of tea, and a line on the order that nobody has paid yet."""
        body = {"sku": "COFFEE", "quantity": "2", "unit_price": "2.50", "line": str(uuid.uuid4())}
        ticket = sale(self.place, f"{self.place}-{self.sold}")
        sell(self.node, self.token, [ticket, self.of_order("line_added", **body)])
        self.sold += 1

    def expected(self):
        return (-10000 * self.sold, self.sold, self.sold, 20000 * self.sold)

    def check(self, when):
        (is_shown,) = self.db.execute(VIEW, [self.place]).fetchall()
        assert is_shown == self.expected(), f"{self.place}, {when}"

    def rests(self):
        return self.db.execute(LATE).fetchone() == (0,)


@pytest.fixture
def tills(wasl):
    centre = wasl.centre().serve()
    tills = [Till(wasl, centre, mask) for mask in range(1, 1 << FRAMES)]
    wait_for(lambda: all(till.rests() for till in tills), "tills to be at rest", seconds=SECONDS)
    yield tills
    for till in tills:
        till.line.listener.close()
        till.db.close()
    for till in tills:
        assert query(centre, VIEW.replace("?1", "?"), *[till.place] * 4) == [till.expected()]
        assert verify_clean(wasl, till.node)["duplicates"] == 0
    assert verify_clean(wasl, centre)["duplicates"] == 0


def watch(tills, when):
    """Looks at every view until all is settled and included."""
    end = time.monotonic() + SECONDS
    waiting = tills
    while waiting:
        assert time.monotonic() < end, [(till.place, when) for till in waiting]
        for till in tills:
            till.check(when)
        waiting = [till for till in waiting if not till.rests()]


@pytest.mark.parametrize("cuts", [False, True], ids=["frames", "links"])
@pytest.mark.parametrize("way", ["down", "up"])
def test_s25(tills, way, cuts):
    for mask, till in enumerate(tills, 1):
        till.line.arm(way, mask, cuts)
    for _ in range(SALES):
        for till in tills:
            till.sell()
            till.check("sold")
    watch(tills, f"{way}, {'cut' if cuts else 'lost'}")
    lost = [till.line.lost for till in tills]
    assert sum(lost) > len(tills), lost  # it did go wrong
