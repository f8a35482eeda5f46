# SPDX-License-Identifier: Apache-2.0
"""Bytes that no client sends: what is under the messages of the protocol, and under HTTP."""

import base64
import contextlib
import json
import os
import socket
import subprocess
import threading
import time

import pytest
from book import close_text, line
from conftest import PROGRAM
from test_wire_abuse import centre, heard, honest, hostile, is_served  # noqa: F401

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
END = 0x80
MEMORY_KB = 64 * 1024
SANITIZED = "asan" in str(PROGRAM)  # it keeps what was freed for a while


def memory_kb(node):
    for row in open(f"/proc/{node.process.pid}/status", encoding="ascii"):
        if row.startswith("VmRSS"):
            return int(row.split()[1])
    return 0


def closing(device):
    """How the server ended the WebSocket, 0 where it hung up; the error that it told before."""
    stream, told = device.link.stream, None
    while head := stream.read(2):
        size = head[1]
        if size > 125:
            size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
        data = stream.read(size)
        if head[0] & 15 == CLOSE:
            return int.from_bytes(data[:2], "big"), told
        if data.startswith(b'{"m":"error"'):
            told = json.loads(data.splitlines()[0])["code"]
    return 0, told


def frame(device, first, data=b""):
    device.link.socket.sendall(device.link.frame(first, data))


def probe(k):
    return close_text(line({"m": "probe", "k": k}))


def zstd(data, *words):
    return subprocess.run(["zstd", "-c", *words], input=data, stdout=-1, check=True).stdout


FRAMES = {  # what is sent in a session; the code of the close
    "no mask": (lambda d: d.link.socket.sendall(b"\x81\x02{}"), (1002,)),
    "reserved bit 1": (lambda d: frame(d, END | 0x40 | TEXT, probe(1)), (1002,)),
    "reserved bit 3": (lambda d: frame(d, END | 0x10 | TEXT, probe(1)), (1002,)),
    "an unknown opcode": (lambda d: frame(d, END | 3, b"x"), (1002,)),
    "an unknown control": (lambda d: frame(d, END | 11, b"x"), (1002,)),
    "a ping in parts": (lambda d: frame(d, PING, b"x"), (1002,)),
    "a long ping": (lambda d: frame(d, END | PING, b"x" * 126), (1002,)),
    "a continuation of nothing": (lambda d: frame(d, END, b"x"), (1002,)),
    "a text within a text": (
        lambda d: (frame(d, TEXT, b"a"), frame(d, END | TEXT, b"b")),
        (1002,),
    ),
    "no UTF-8": (lambda d: frame(d, END | TEXT, b"\xff\xfe"), (1007,)),
    "half a character": (lambda d: frame(d, END | TEXT, b"\xe2\x82"), (1007,)),
    "2^63 bytes": (
        lambda d: d.link.socket.sendall(b"\x81\xff" + b"\xff" * 8 + b"mask"),
        (1002, 1009),
    ),
    "2^62 bytes": (
        lambda d: d.link.socket.sendall(b"\x81\xff\x3f" + b"\xff" * 7 + b"m" * 400_000),
        (1009,),
    ),
    "1 GB announced": (
        lambda d: d.link.socket.sendall(
            b"\x81\xff" + (1 << 30).to_bytes(8, "big") + b"m" * 400_000
        ),
        (1009,),
    ),
    "a close of one byte": (lambda d: frame(d, END | CLOSE, b"\x03"), (1002, 0)),
    "a close with code 0": (lambda d: frame(d, END | CLOSE, b"\0\0"), (1002, 0)),
    "a close without UTF-8": (
        lambda d: frame(d, END | CLOSE, b"\x03\xe8\xff\xfe"),
        (1007, 1002, 0),
    ),
    "a close": (lambda d: frame(d, END | CLOSE, b"\x03\xe8"), (1000,)),
    "a short length said long": (
        lambda d: d.link.socket.sendall(b"\x81\xfe\x00\x05mask12345"),
        (1002, 1009, 1000, 1007),
    ),
}


@pytest.mark.parametrize("what", FRAMES)
def test_a_wrong_frame_ends_its_connection_only(centre, honest, hostile, what):
    hostile.connect()
    send, codes = FRAMES[what]
    send(hostile)
    assert closing(hostile)[0] in codes
    is_served(centre, honest)
    hostile.connect()
    assert hostile.push(1) == hostile.mark(2)


def endless(d):
    """A message in parts without end."""
    frame(d, TEXT, b"x" * 1000)
    for _ in range(2000):
        frame(d, 0, b"x" * 1000)


def endless_empty(d):
    frame(d, TEXT, b"x")
    for _ in range(200):
        d.link.socket.sendall(d.link.frame(0, b"") * 1000)
    frame(d, END, b"x")


BOMBS = {
    "a message in parts without end": endless,
    "empty parts": endless_empty,
    "one that is longer than a message may be": lambda d: frame(d, END | TEXT, b"x" * 400_000),
    "packed: 1 GB of nothing": lambda d: frame(d, END | BINARY, BOMB),
    "packed: a size that is a lie": lambda d: frame(d, END | BINARY, LIAR),
    "packed: half of it": lambda d: frame(d, END | BINARY, zstd(probe(1))[:-3]),
    "packed: two frames": lambda d: frame(d, END | BINARY, zstd(probe(1)) * 2),
    "packed: nothing": lambda d: frame(d, END | BINARY, b""),
    "packed: noise": lambda d: frame(d, END | BINARY, os.urandom(1000)),
    "packed: many empty frames": lambda d: frame(d, END | BINARY, zstd(b"") * 20_000),
    "packed: no UTF-8": lambda d: frame(
        d, END | BINARY, zstd(close_text(b'{"m":"probe","k":1,"x":"\xff"}\n'))
    ),
    "an empty text": lambda d: frame(d, END | TEXT, b""),
    "a newline": lambda d: frame(d, END | TEXT, b"\n"),
}
BOMB = zstd(b"\0" * (1 << 28), "-19")
LIAR = b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 7 + b"\x7f" + zstd(probe(1))[6:]


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("what", BOMBS)
def test_what_does_not_unpack_ends_its_session_only(centre, honest, hostile, what, packs):
    hostile.zstd = packs
    if packs:
        hello, stream = hostile.open()
        hostile.link.send(hello, [line(stream)])
        time.sleep(0.3)
    else:
        hostile.connect()
    before = memory_kb(centre)
    with contextlib.suppress(ConnectionError):
        BOMBS[what](hostile)
        frame(hostile, END | PING, b"")
        hostile.link.socket.settimeout(15)
        code, told = closing(hostile)
        assert code in (1007, 1009) or told in ("DAMAGED", "LIMIT", "PROTOCOL")
    assert SANITIZED or memory_kb(centre) - before < MEMORY_KB
    is_served(centre, honest)


# ---- floods of a device that reads nothing ----------------------------------------------------


def flood(device, data, seconds=6):
    """Sends it again and again until nobody takes any more; how many times."""
    end, count = time.monotonic() + seconds, 0
    device.link.socket.settimeout(1)
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            device.link.socket.sendall(data * 200)
            count += 200
    return count


def resend(d):
    feed = {"m": "feed_ack", "location": "BR01", "feed": d.cursors["BR01"]["feed"], "k": 0}
    return close_text(line(feed | {"position": 0, "resend": True}))


BEAT = {
    "m": "beat",
    "clock": 1,
    "pending": [0, 0, 0],
    "oldest_at": 0,
    "disk_free": 1,
    "software": "x",
}
FLOODS = {
    "pings": lambda d: d.link.frame(END | PING, b"x" * 125),
    "pongs": lambda d: d.link.frame(END | PONG, b"x" * 125),
    "probes": lambda d: d.link.frame(END | TEXT, probe(1)),
    "beats": lambda d: d.link.frame(END | TEXT, close_text(line(BEAT))),
    "wishes for the feed": lambda d: d.link.frame(END | TEXT, resend(d)),
    "pushes": lambda d: d.link.frame(
        END | TEXT, close_text(line(d.pack(1)[0]) + b"".join(d.events))
    ),
}


@pytest.mark.parametrize("what", FLOODS)
def test_who_reads_nothing_fills_nothing(centre, honest, hostile, what):
    hostile.connect()
    before, sent = memory_kb(centre), FLOODS[what](hostile)
    flooding = threading.Thread(target=flood, args=(hostile, sent))
    flooding.start()
    waits = []
    while flooding.is_alive():
        start = time.monotonic()
        is_served(centre, honest)
        waits.append(time.monotonic() - start)
    grown = memory_kb(centre) - before
    assert SANITIZED or grown < MEMORY_KB
    assert max(waits) < 5, waits
    hostile.link.close()
    is_served(centre, honest)


# ---- slow and half-open -----------------------------------------------------------------------


def test_one_byte_at_a_time_is_a_session_too(centre, honest, hostile):
    class Slow:
        def __init__(self, socket):
            self.socket = socket

        def sendall(self, data):
            for i in range(len(data)):
                self.socket.send(data[i : i + 1])

        def __getattr__(self, name):
            return getattr(self.socket, name)

    hello, stream = hostile.open()
    hostile.link.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    hostile.link.socket = Slow(hostile.link.socket)
    hostile.link.send(hello, [line(stream)])
    heard(hostile, "welcome")
    assert hostile.push(1) == hostile.mark(2)
    is_served(centre, honest)


def test_half_open_connections_end_and_hold_nobody_up(centre, honest):
    request = b"GET /api/v1/sync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    beginnings = [b"G", request, request + b"X: " + b"y" * 60]
    key = base64.b64encode(b"0" * 16)
    whole = request + b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    whole += key + b"\r\nSec-WebSocket-Protocol: wasl.v1\r\n\r\n"
    beginnings += [whole, whole + b"\x81", whole + b"\x81\xfe\x10\0mask"]
    sockets = []
    for n in range(300):
        s = socket.create_connection(("127.0.0.1", centre.port), timeout=20)
        s.sendall(beginnings[n % len(beginnings)])
        sockets.append(s)
    is_served(centre, honest)
    start = time.monotonic()
    for s in sockets:
        s.settimeout(max(1, 60 - (time.monotonic() - start)))
        with contextlib.suppress(ConnectionError):
            while s.recv(65536):
                pass
        s.close()
    assert time.monotonic() - start < 60
    assert centre.process.poll() is None
