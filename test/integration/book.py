# SPDX-License-Identifier: Apache-2.0
"""A device written from docs/PROTOCOL.md alone: it enrols, pushes events and takes the feed.

It shares no code with the program: what it needs to know stands in the document. Tests that attack
a server use it too: what they change of a message is all that is wrong with it.
"""

import base64
import hashlib
import json
import os
import socket
import ssl
import subprocess
import time
import urllib.request
import uuid

NO_HASH = bytes(32)
NO_ID = str(uuid.UUID(int=0))
BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ED25519_SEED = bytes.fromhex("302e020100300506032b657004220420")  # PKCS #8 up to the seed


def blake2b(*parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def line(value):
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def ids(*texts):
    return b"".join(uuid.UUID(text).bytes for text in texts)


def now_ms():
    return int(time.time() * 1000)


def close_text(text):
    """The text with the closing line that belongs to it."""
    return text + line({"sum": blake2b(text)[:16].hex()})


class Key:
    """An Ed25519 key made on the device; openssl signs with it."""

    def __init__(self, folder):
        self.folder, self.file = folder, folder / "device.der"
        self.file.write_bytes(ED25519_SEED + os.urandom(32))
        words = ["openssl", "pkey", "-inform", "DER", "-in", self.file, "-pubout"]
        self.public = subprocess.check_output([*words, "-outform", "DER"])[-32:]

    def sign(self, *parts):
        message = self.folder / "message"
        message.write_bytes(b"".join(parts))
        words = [
            "openssl",
            "pkeyutl",
            "-sign",
            "-rawin",
            "-keyform",
            "DER",
            "-inkey",
            self.file,
        ]
        return subprocess.check_output([*words, "-in", message]).hex()


class Link:
    """A WebSocket (RFC 6455); each text message on it is one of the protocol."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /api/v1/sync HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Protocol: wasl.v1\r\n\r\n".encode()
        )
        assert b" 101 " in self.stream.readline()
        while self.stream.readline() != b"\r\n":
            pass

    def close(self):
        self.stream.close()
        self.socket.close()

    def frame(self, first, data):
        """A frame of a client: its first byte is the end flag, reserved bits and the opcode."""
        mask = os.urandom(4)
        key = int.from_bytes((mask * (len(data) // 4 + 1))[: len(data)], "big")
        masked = (int.from_bytes(data, "big") ^ key).to_bytes(len(data), "big")
        if len(data) < 126:
            size = bytes([0x80 + len(data)])
        elif len(data) < 1 << 16:
            size = b"\xfe" + len(data).to_bytes(2, "big")
        else:
            size = b"\xff" + len(data).to_bytes(8, "big")
        return bytes([first]) + size + mask + masked

    def send_text(self, text):
        self.socket.sendall(self.frame(0x81, text))

    def send(self, header, records=()):
        self.send_text(close_text(line(header) + b"".join(records)))

    def receive(self):
        first, size = self.stream.read(2)
        assert first == 0x81, "a whole text message"
        if size > 125:
            size = int.from_bytes(self.stream.read(2 if size == 126 else 8), "big")
        *lines, closing = self.stream.read(size).splitlines(keepends=True)
        assert closing == line({"sum": blake2b(*lines)[:16].hex()})
        header, *records = map(json.loads, lines)
        assert header.get("n", 0) == len(records)
        return header, records


def read_code(text):
    """The secret of a one-time code, and how the fingerprint of the authority begins."""
    digits = [BASE32.index(c) for c in text if c != "-"]
    number = 0
    for digit in digits[:32]:
        number = number << 5 | digit
    data = number.to_bytes(20, "big")
    assert digits[32:] == [byte & 31 for byte in blake2b(b"wasl enrolment code", data)[:3]]
    return data[:10], data[10:]


class Device:
    """What a device keeps. Here that is memory; of a real one, its disk."""

    def __init__(self, folder, port):
        self.key, self.port, self.zstd = Key(folder), port, False
        self.id, self.run, self.origin = (str(uuid.uuid4()) for _ in range(3))
        self.events, self.hashes = [], [NO_HASH]
        self.cursors, self.rows, self.includes = {}, {}, []

    # ---- enrolment

    def fetch(self, path, body=None):
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    def enrol(self, code, location):
        secret, fingerprint = read_code(code)
        authority = ssl.PEM_cert_to_DER_cert(self.fetch("/api/v1/ca"))
        assert hashlib.sha256(authority).digest().startswith(fingerprint)
        words = [blake2b(secret), ids(self.id), self.key.public, location.encode()]
        body = {"code_secret": secret.hex(), "device": self.id, "key": self.key.public.hex()}
        body |= {"role": "terminal", "location": location, "name": "by the book"}
        body |= {"proof": self.key.sign(b"wasl.v1 join\n", *words)}
        joined = json.loads(self.fetch("/api/v1/enroll", line(body)))
        self.chain, self.location = joined["chain"], joined["location"]
        words = [ids(self.chain, self.origin, self.id), self.location.encode()]
        self.certificate = self.key.sign(b"wasl.v1 origin\n", *words)
        for name in (self.location, "*"):
            self.cursors[name] = {"feed": NO_ID, "position": 0, "hash": NO_HASH.hex()}

    # ---- events

    def write(self, kind, record, body):
        """An event; its bytes are hashed and sent as they are now."""
        seq = len(self.events) + 1
        event = {"v": 1, "id": str(uuid.uuid4()), "origin": self.origin, "lane": "critical"}
        event |= {"seq": seq, "location": self.location, "type": kind}
        event |= {"record": {"type": record[0], "id": record[1]}, "at": now_ms()}
        event |= {"hlc": f"{now_ms():012x}{seq:04x}", "body": body}
        self.events.append(line(event))
        self.hashes.append(blake2b(self.hashes[-1], self.events[-1].rstrip(b"\n")))

    def begin_run(self):
        body = {"device": self.id, "run": self.run, "software": "by the book", "previous": []}
        self.write("run_started", ("device", self.id), body)

    # ---- a session

    def open(self):
        """A connection that was greeted; the hello that answers the greeting."""
        self.link = Link(self.port)
        nonce = bytes.fromhex(self.receive("challenge")[0]["nonce"])
        hello = {"m": "hello", "protocol": "wasl.v1", "chain": self.chain, "device": self.id}
        hello |= {
            "run": self.run,
            "location": self.location,
            "clock": now_ms(),
            "zstd": self.zstd,
        }
        words = [ids(self.chain, self.id, self.run), nonce]
        hello |= {
            "proof": self.key.sign(b"wasl.v1 hello\n", *words),
            "software": "by the book",
        }
        hello |= {"backlog": 0, "oldest_at": 0, "n": 1}
        hello |= {"feeds": [{"location": name, **at} for name, at in self.cursors.items()]}
        head = {"seq": len(self.events), "hash": self.hashes[-1].hex()}
        stream = {"origin": self.origin, "lane": "critical", **head}
        return hello, stream | {"certificate": self.certificate}

    def connect(self):
        hello, stream = self.open()
        self.link.send(hello, [line(stream)])
        return self.receive("welcome")[1][0]

    def receive(self, kind):
        """The next message of a kind; pages of feeds that come before it are taken."""
        while True:
            header, records = self.link.receive()
            if header["m"] == "feed":
                self.take_page(header, records)
            if header["m"] == kind:
                return header, records
            assert header["m"] in ("feed", "beat"), header

    def take_page(self, page, rows):
        name, at = page["location"], self.cursors[page["location"]]
        assert page["complete"] and page["from"] <= (0 if page["reset"] else at["position"])
        self.cursors[name] = {
            "feed": page["feed"],
            "position": page["to"],
            "hash": page["hash"],
        }
        self.rows.update(((row["type"], row["id"]), row["row"]) for row in rows)
        self.includes += page["includes"]
        answer = {"m": "feed_ack", "location": name, "feed": page["feed"], "k": page["k"]}
        self.link.send(answer | {"position": page["to"], "resend": False})

    def pack(self, start):
        """The message that pushes the events from start on: its header, and its records."""
        seq, head = len(self.events), self.hashes[-1]
        lane_and_seq = (0).to_bytes(8, "big") + seq.to_bytes(8, "big")
        words = [ids(self.chain, self.origin), lane_and_seq, head]
        push = {"m": "push", "origin": self.origin, "lane": "critical", "from": start}
        push |= {"head": head.hex(), "seal": self.key.sign(b"wasl.v1 seal\n", *words)}
        if start == 1:
            push |= {"device": self.id, "certificate": self.certificate}
        return push | {"n": seq - start + 1}, self.events[start - 1 :]

    def push(self, start):
        """The mark that answers a push of the events from start on."""
        self.link.send(*self.pack(start))
        return self.receive("ack")[1][0]

    def mark(self, seq):
        """What a server says of the stream that holds and settled so much of it."""
        mark = {"origin": self.origin, "lane": "critical", "held": seq, "settled": seq}
        return mark | {"hash": self.hashes[seq].hex()}
