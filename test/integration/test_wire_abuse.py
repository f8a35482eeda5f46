# SPDX-License-Identifier: Apache-2.0
"""An enrolled device that is hostile: what it says is refused with a word, and harms nobody."""

import json
import uuid

import pytest
from book import Device, blake2b, ids, line
from shop import query, sale, verify_clean

LARGEST = 2**63 - 1
NIL = str(uuid.UUID(int=0))
DEEP = json.loads("[" * 90 + "]" * 90)


def join(wasl, centre, folder, location="BR01"):
    folder.mkdir(exist_ok=True)
    device = Device(folder, centre.port)
    words = ["--location", location, "--role", "terminal"]
    device.enrol(wasl.good("enroll", "code", centre.name, *words).out.strip(), location)
    device.begin_run()
    return device


def receive_tea(device, quantity="5"):
    body = {"sku": "TEA", "quantity": quantity}
    device.write("inventory_received", ("stock", "TEA"), body)


@pytest.fixture
def centre(wasl):
    return wasl.centre().serve()


@pytest.fixture
def honest(wasl, centre, tmp_path):
    """A device of the place that is in the middle of its work."""
    device = join(wasl, centre, tmp_path / "honest")
    receive_tea(device)
    device.connect()
    assert device.push(1) == device.mark(2)
    yield device
    device.link.close()


@pytest.fixture
def hostile(wasl, centre, tmp_path):
    device = join(wasl, centre, tmp_path / "hostile")
    receive_tea(device)
    yield device
    device.link.close()


@pytest.fixture
def afar(wasl, centre, tmp_path):
    """A device of another place, with a stream that the centre holds."""
    device = join(wasl, centre, tmp_path / "afar", "BR02")
    receive_tea(device)
    device.connect()
    assert device.push(1) == device.mark(2)
    device.link.close()
    return device


def is_served(centre, honest):
    """The centre lives, and serves the honest device in the session that it had."""
    assert centre.process.poll() is None, centre.log.read_text()[-3000:]
    assert "runtime error" not in centre.log.read_text()
    receive_tea(honest, "1")
    count = len(honest.events)
    assert honest.push(count) == honest.mark(count)


def heard(device, kind):
    """The next message of a kind; nothing else is answered."""
    while True:
        header, records = device.link.receive()
        if header["m"] == kind:
            return header, records
        assert header["m"] != "error", header


def heard_error(device):
    while True:
        header, records = device.link.receive()
        if header["m"] == "error":
            return header, records


def ending(device):
    """The word that ends the session: its code, and that the connection is closed behind it."""
    error, _ = heard_error(device)
    assert error["text"] and device.link.stream.read(1) in (b"\x88", b""), error
    return error["code"]


# ---- before and instead of a hello ----------------------------------------------------------

FIRST = {
    "a push": lambda d, hello: d.pack(1),
    "a probe": lambda d, hello: ({"m": "probe", "k": 1}, ()),
    "a beat": lambda d, hello: (
        {
            "m": "beat",
            "clock": 1,
            "pending": [0, 0, 0],
            "oldest_at": 0,
            "disk_free": 1,
            "software": "x",
        },
        (),
    ),
    "a welcome": lambda d, hello: (
        {"m": "welcome", "clock": 1, "credit": [1, 1], "jitter_ms": 0, "feeds": [], "n": 0},
        (),
    ),
    "an unknown kind": lambda d, hello: ({"m": "gift"}, ()),
    "a kind that is a number": lambda d, hello: ({"m": 5}, ()),
    "a feed_ack": lambda d, hello: (
        {
            "m": "feed_ack",
            "location": "*",
            "feed": str(uuid.uuid4()),
            "k": 1,
            "position": 1,
            "resend": False,
        },
        (),
    ),
    "a list": lambda d, hello: ([], ()),
    "nothing": lambda d, hello: ({}, ()),
}


@pytest.mark.parametrize("what", FIRST)
def test_what_is_no_hello_is_refused(centre, honest, hostile, what):
    hello, _ = hostile.open()
    hostile.link.send(*FIRST[what](hostile, hello))
    assert ending(hostile) == "PROTOCOL"
    is_served(centre, honest)


HELLO = {  # what is changed in the hello, and in its one record; the code
    "chain": ({"chain": str(uuid.uuid4())}, {}, "DENIED"),
    "unknown device": ({"device": str(uuid.uuid4())}, {}, "DENIED"),
    "proof": ({"proof": "00" * 64}, {}, "UNAUTHENTICATED"),
    "place": ({"location": "BR02"}, {}, "UNAUTHENTICATED DENIED"),
    "place of the chain": ({"location": "*"}, {}, "PROTOCOL UNAUTHENTICATED DENIED"),
    "empty place": ({"location": ""}, {}, "PROTOCOL"),
    "long place": ({"location": "x" * 65}, {}, "PROTOCOL"),
    "control place": ({"location": "\x1b[2J"}, {}, "PROTOCOL"),
    "nul place": ({"location": "a\0b"}, {}, "PROTOCOL"),
    "no proof": ({"proof": None}, {}, "PROTOCOL"),
    "short proof": ({"proof": "00"}, {}, "PROTOCOL"),
    "clock beyond": ({"clock": 2**48}, {}, "PROTOCOL"),
    "clock negative": ({"clock": -1}, {}, "PROTOCOL"),
    "clock float": ({"clock": 1.5}, {}, "PROTOCOL"),
    "clock huge": ({"clock": 10**400}, {}, "PROTOCOL"),
    "n huge": ({"n": LARGEST}, {}, "LIMIT"),
    "n 2^64": ({"n": 2**64}, {}, "PROTOCOL"),
    "n too many": ({"n": 2}, {}, "PROTOCOL"),
    "n too few": ({"n": 0}, {}, "PROTOCOL"),
    "n negative": ({"n": -1}, {}, "PROTOCOL"),
    "many feeds": (
        {
            "feeds": [
                {"location": "*", "feed": str(uuid.uuid4()), "position": 0, "hash": "00" * 32}
            ]
            * 5
        },
        {},
        "PROTOCOL",
    ),
    "feeds no list": ({"feeds": {}}, {}, "PROTOCOL"),
    "feeds of numbers": ({"feeds": [1, 2]}, {}, "PROTOCOL"),
    "position 2^63": (
        {
            "feeds": [
                {
                    "location": "*",
                    "feed": str(uuid.uuid4()),
                    "position": 2**63,
                    "hash": "00" * 32,
                }
            ]
        },
        {},
        "PROTOCOL",
    ),
    "recovery no id": ({"recovery": "x"}, {}, "PROTOCOL"),
    "seq 2^63": ({}, {"seq": 2**63}, "PROTOCOL"),
    "seq negative": ({}, {"seq": -1}, "PROTOCOL"),
    "lane": ({}, {"lane": "express"}, "PROTOCOL"),
    "lane number": ({}, {"lane": 1}, "PROTOCOL"),
    "certificate": ({}, {"certificate": "xx" * 64}, "PROTOCOL"),
    "other protocol": ({"protocol": "wasl.v2"}, {}, "PROTOCOL"),
}


@pytest.mark.parametrize("what", HELLO)
def test_a_wrong_hello_is_refused(centre, honest, hostile, what):
    hello, stream = hostile.open()
    header, record, codes = HELLO[what]
    hostile.link.send(hello | header, [line(stream | record)])
    assert ending(hostile) in codes.split()
    is_served(centre, honest)


def test_a_stream_of_another_place_is_not_told_of(centre, honest, hostile, afar):
    hello, stream = hostile.open()
    hostile.link.send(hello, [line(stream | {"origin": afar.origin})])
    assert ending(hostile) == "DENIED"
    is_served(centre, honest)


def test_a_neighbour_may_carry_a_stream_and_change_nothing_in_it(centre, honest, hostile):
    hostile.connect()
    hostile.link.send(*changed_push(hostile, origin=honest.origin))  # its own events, its own seal
    assert hostile.receive("ack")[1][0] == honest.mark(2) | {"fork": True}
    receive_tea(honest, "1")
    header, events = honest.pack(3)
    hostile.link.send(header | {"seal": "00" * 64}, events)
    assert hostile.receive("ack")[1][0] == honest.mark(2) | {"want": 3}
    hostile.link.send(header, events)
    assert hostile.receive("ack")[1][0] == honest.mark(3)
    assert query(centre, "SELECT quantity FROM stock") == [(60000,)]
    assert honest.push(3) == honest.mark(3)


HELD = {  # allowed by the letter, and strange: the session goes on and nothing else changes
    "seq at the end": ({}, {"seq": LARGEST}),
    "backlog at the end": ({"backlog": LARGEST}, {}),
    "cursors of other places": (
        {
            "feeds": [
                {
                    "location": "BR09",
                    "feed": str(uuid.uuid4()),
                    "position": LARGEST,
                    "hash": "11" * 32,
                }
            ]
        },
        {},
    ),
    "a cursor twice": (
        {
            "feeds": [
                {"location": "*", "feed": str(uuid.uuid4()), "position": n, "hash": "11" * 32}
                for n in range(4)
            ]
        },
        {},
    ),
    "a feed that never was": (
        {
            "feeds": [
                {
                    "location": n,
                    "feed": str(uuid.uuid4()),
                    "position": LARGEST,
                    "hash": "11" * 32,
                }
                for n in ("*", "BR01", "*deferred")
            ]
        },
        {},
    ),
}


@pytest.mark.parametrize("what", HELD)
def test_a_strange_hello_is_served(wasl, centre, honest, hostile, what):
    hello, stream = hostile.open()
    header, record = HELD[what]
    hostile.link.send(hello | header, [line(stream | record)])
    heard(hostile, "welcome")
    hostile.link.send(*hostile.pack(1))
    _, marks = heard(hostile, "ack")
    assert marks[0] == hostile.mark(2)
    is_served(centre, honest)


# ---- in a session -----------------------------------------------------------------------------


def changed_push(device, start=1, count=None, **header):
    pushed, events = device.pack(start)
    return pushed | header, events


def sealed_anew(device, events, start=1, seq=None):
    """A push of events as they are given: chain, head and seal fit them."""
    head = device.hashes[start - 1]
    for event in events:
        head = blake2b(head, event.rstrip(b"\n"))
    last = start + len(events) - 1
    words = [
        ids(device.chain, device.origin),
        (0).to_bytes(8, "big") + last.to_bytes(8, "big"),
        head,
    ]
    header, _ = device.pack(start)
    seal = device.key.sign(b"wasl.v1 seal\n", *words)
    return header | {"head": head.hex(), "seal": seal, "n": len(events)}, events


def certified(device, origin, location):
    words = [ids(device.chain, origin, device.id), location.encode()]
    return device.key.sign(b"wasl.v1 origin\n", *words)


LIVE = {
    "a second hello": (lambda d: d.first_hello, "PROTOCOL"),
    "from 0": (lambda d: changed_push(d, **{"from": 0}), "PROTOCOL"),
    "from 2^63": (lambda d: changed_push(d, **{"from": 2**63}), "PROTOCOL"),
    "no events": (lambda d: (changed_push(d)[0] | {"n": 0}, ()), "PROTOCOL"),
    "more than announced": (lambda d: changed_push(d, n=1), "PROTOCOL"),
    "fewer than announced": (lambda d: changed_push(d, n=3), "PROTOCOL"),
    "501 announced": (lambda d: changed_push(d, n=501), "LIMIT"),
    "n 2^63 - 1": (lambda d: changed_push(d, n=LARGEST), "LIMIT"),
    "an empty event": (lambda d: (changed_push(d)[0], [b"\n", d.events[1]]), "PROTOCOL"),
    "another's device": (
        lambda d: (d.pack(1)[0] | {"device": d.other.id}, d.events),
        "DENIED",
    ),
    "a wrong certificate": (lambda d: changed_push(d, certificate="00" * 64), "DENIED"),
    "another place's certificate": (
        lambda d: changed_push(d, certificate=certified(d, d.origin, "BR02")),
        "DENIED",
    ),
    "the chain's certificate": (
        lambda d: changed_push(d, certificate=certified(d, d.origin, "*")),
        "DENIED",
    ),
    "another place's stream": (lambda d: changed_push(d, origin=d.afar().origin), "DENIED"),
    "another's stream, another lane": (
        lambda d: changed_push(d, origin=d.other.origin, lane="normal"),
        "DENIED",
    ),
    "another place's stream, further on": (
        lambda d: changed_push(d, origin=d.afar().origin, **{"from": 3}),
        "DENIED",
    ),
    "an ack": (
        lambda d: ({"m": "ack", "received": [0, 0], "credit": [1, 1], "n": 0}, ()),
        "PROTOCOL",
    ),
    "a feed": (
        lambda d: (
            {
                "m": "feed",
                "location": "BR01",
                "feed": NIL,
                "k": 1,
                "from": 0,
                "to": 1,
                "hash": "00" * 32,
                "reset": True,
                "complete": True,
                "includes": [],
                "n": 0,
            },
            (),
        ),
        "PROTOCOL",
    ),
    "a busy": (lambda d: ({"m": "busy", "retry_ms": 60000}, ()), "PROTOCOL"),
    "probe 2^63": (lambda d: ({"m": "probe", "k": 2**63}, ()), "PROTOCOL"),
    "ack of 2^64": (
        lambda d: (
            {
                "m": "feed_ack",
                "location": "BR01",
                "feed": NIL,
                "k": 2**64,
                "position": 0,
                "resend": False,
            },
            (),
        ),
        "PROTOCOL",
    ),
    "deep JSON": (lambda d: ({"m": "beat", "clock": DEEP}, ()), "LIMIT"),
    "records where none belong": (lambda d: ({"m": "probe", "k": 1}, [b"{}\n"]), "PROTOCOL"),
}


@pytest.mark.parametrize("what", LIVE)
def test_what_may_not_be_said_ends_the_session(wasl, centre, honest, hostile, request, what):
    hello, stream = hostile.open()
    hostile.first_hello, hostile.other = (hello, [line(stream)]), honest
    hostile.afar = lambda: request.getfixturevalue("afar")
    hostile.link.send(*hostile.first_hello)
    heard(hostile, "welcome")
    make, code = LIVE[what]
    hostile.link.send(*make(hostile))
    assert ending(hostile) == code
    is_served(centre, honest)
    hostile.connect()  # nothing of it was kept
    assert hostile.push(1) == hostile.mark(2)
    assert query(centre, "SELECT quantity FROM stock WHERE location = 'BR01'") == [(110000,)]


def test_what_was_never_sent_may_be_answered(centre, honest, hostile):
    hostile.connect()
    feed = hostile.cursors["BR01"]["feed"]
    ack = {
        "m": "feed_ack",
        "location": "BR01",
        "feed": feed,
        "k": 1,
        "position": 0,
        "resend": False,
    }
    for k in (0, 1, 2, 99, LARGEST):
        for position in (0, 1, 5, LARGEST):
            for name in ("BR01", "*", "*deferred", "BR02", "nowhere"):
                for resend in (False, True):
                    for of in (feed, str(uuid.uuid4()), NIL):
                        said = {"k": k, "position": position, "location": name, "feed": of}
                        hostile.link.send(ack | said | {"resend": resend})
    hostile.link.send({"m": "probe", "k": 7})
    while heard(hostile, "ack")[0].get("probe") != 7:
        pass
    hostile.link.send(*hostile.pack(1))
    while heard(hostile, "ack")[1] != [hostile.mark(2)]:
        pass
    is_served(centre, honest)


def events_like(device, **members):
    event = json.loads(device.events[1])
    return line(event | members)


DEAD = (
    {  # an event that fits the chain and nothing else: kept, counted in the mark, of no effect
        "another's origin": lambda d: events_like(d, origin=d.other.origin),
        "another place": lambda d: events_like(d, location="BR02"),
        "the chain's place": lambda d: events_like(d, location="*"),
        "another seq": lambda d: events_like(d, seq=3),
        "seq 0": lambda d: events_like(d, seq=0),
        "seq 2^63-1": lambda d: events_like(d, seq=LARGEST),
        "seq 2^64": lambda d: events_like(d, seq=2**64),
        "another lane": lambda d: events_like(d, lane="deferred"),
        "unknown lane": lambda d: events_like(d, lane="express"),
        "unknown type": lambda d: events_like(d, type="gift"),
        "the centre's type": lambda d: events_like(
            d,
            type="device_revoked",
            record={"type": "device", "id": d.other.id},
            body={"heads": []},
        ),
        "enrols itself": lambda d: events_like(
            d,
            type="device_enrolled",
            record={"type": "device", "id": d.id},
            body={"role": "central", "location": "BR02", "key": "00" * 32},
        ),
        "no JSON": lambda d: b"nonsense\n",
        "half of it": lambda d: d.events[1][:80] + b"\n",
        "a lone surrogate": lambda d: d.events[1].replace(b'"TEA"', b'"\\ud800"'),
        "a NUL": lambda d: d.events[1].replace(b'"TEA"', b'"T\\u0000"'),
        "a raw NUL": lambda d: d.events[1].replace(b"TEA", b"T\0A"),
        "a member twice": lambda d: d.events[1].replace(b'"seq":2', b'"seq":2,"seq":2'),
        "body's member twice": lambda d: d.events[1].replace(
            b'"sku":"TEA"', b'"sku":"TEA","sku":"GOLD"'
        ),
        "a member too many": lambda d: events_like(d, gift=1),
        "deep": lambda d: events_like(d, body=DEEP),
        "a list": lambda d: b"[1]\n",
        "huge number": lambda d: d.events[1].replace(b'"seq":2', b'"seq":2' + b"0" * 400),
        "quantity no number": lambda d: events_like(d, body={"sku": "TEA", "quantity": "1e9"}),
        "quantity huge": lambda d: events_like(d, body={"sku": "TEA", "quantity": "9" * 40}),
        "v 0": lambda d: events_like(d, v=0),
        "v huge": lambda d: events_like(d, v=LARGEST),
        "base of itself, 17": lambda d: events_like(
            d, base=[str(uuid.uuid4()) for _ in range(17)]
        ),
        "at negative": lambda d: events_like(d, at=-1),
        "hlc short": lambda d: events_like(d, hlc="ff"),
        "a control name": lambda d: events_like(d, actor="\x1b[2J"),
    }
)


@pytest.mark.parametrize("what", DEAD)
def test_an_event_that_cannot_be_believed_holds_nothing_back(
    wasl, centre, honest, hostile, what
):
    hostile.other = honest
    hostile.connect()
    bad = DEAD[what](hostile)
    hostile.events[1] = bad
    hostile.hashes[2] = blake2b(hostile.hashes[1], bad.rstrip(b"\n"))
    receive_tea(hostile, "7")
    hostile.link.send(*hostile.pack(1))
    assert heard(hostile, "ack")[1] == [hostile.mark(3)]
    is_served(centre, honest)
    assert query(centre, "SELECT location, sku, quantity FROM stock") == [
        ("BR01", "TEA", 130000)
    ]
    assert query(centre, "SELECT count(*) FROM dead_letters") == [(1,)]
    assert query(centre, "SELECT count(*) FROM devices WHERE location <> 'BR01'") == [(0,)]
    given = query(centre, "SELECT given FROM dead WHERE reason LIKE '%unknown type%'")
    assert given == [(0,)] * (what == "unknown type")  # a later version may know it
    wasl.good("deadletter", "list", centre.name)
    wasl.good("deadletter", "retry", centre.name)
    verify_clean(wasl, centre)
    assert query(centre, "SELECT location, sku, quantity FROM stock") == [
        ("BR01", "TEA", 130000)
    ]
    centre.stop()
    wasl.good("rebuild", centre.name)
    verify_clean(wasl, centre)
    assert query(centre, "SELECT location, sku, quantity FROM stock") == [
        ("BR01", "TEA", 130000)
    ]


def give(device, event):
    """Puts an event where the second one was, in a chain that holds."""
    device.events[1:] = [event]
    device.hashes[2:] = [blake2b(device.hashes[1], event.rstrip(b"\n"))]


ELSEWHERE = {
    "stock of another place": {"location": "BR02"},
    "another's id, as another's": {"location": "BR02", "origin": NIL},
    "a place of the chain": {
        "location": "*",
        "type": "location_set",
        "record": {"type": "location", "id": "BR07"},
        "body": {"name": "Ours"},
    },
    "a device": {
        "location": "BR02",
        "type": "device_enrolled",
        "record": {"type": "device", "id": NIL[:-1] + "7"},
        "body": {"role": "terminal", "location": "BR02", "key": "77" * 32, "name": "x"},
    },
    "a role": {
        "location": "*",
        "type": "role_set",
        "record": {"type": "role", "id": "cashier"},
        "body": {"rights": ["sell", "refund", "chain"]},
    },
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_what_is_said_of_elsewhere_is_never_folded(wasl, centre, honest, hostile, what):
    tables = ["stock", "devices", "locations", "reviews"]
    before = [query(centre, f"SELECT * FROM {table}") for table in tables]
    hostile.connect()
    stolen = json.loads(honest.events[1])["id"]
    give(hostile, events_like(hostile, id=stolen, **ELSEWHERE[what]))
    hostile.link.send(*hostile.pack(1))
    assert heard(hostile, "ack")[1] == [hostile.mark(2)]

    def unmoved():
        return [query(centre, f"SELECT * FROM {table}") for table in tables] == before

    assert wasl.good("deadletter", "retry", centre.name).out.startswith("0 folded")
    assert unmoved()
    verify_clean(wasl, centre)
    wasl.good("enroll", "revoke", centre.name, hostile.id)
    centre.stop()
    wasl.good("rebuild", centre.name)
    verify_clean(wasl, centre)
    assert query(centre, "SELECT location, sku, quantity FROM stock") == [
        ("BR01", "TEA", 50000)
    ]
    assert query(centre, "SELECT count(*) FROM dead_letters") == [(1,)]


# ---- what people are shown --------------------------------------------------------------------


def test_no_command_shows_what_a_terminal_would_act_on(wasl, centre, honest, hostile):
    """JSON may hold them raw: the short form of ESC [, and a turn from right to left."""
    sku = "\x9b2J\u202eAET"
    bodies = [sale("BR01", sku, sku=sku)["body"] for _ in range(2)]
    bodies[1]["lines"][0]["note"] = "again"
    events = [
        {"type": "ticket_recorded", "record": {"type": "ticket", "id": sku}, "body": b}
        for b in bodies
    ]
    events += [{"type": sku}]
    hostile.connect()
    written = [json.loads(hostile.events[1]) | event for event in events]
    del hostile.events[1:], hostile.hashes[2:]
    for seq, event in enumerate(written, 2):
        event |= {"id": str(uuid.uuid4()), "seq": seq}
        raw = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        hostile.events.append(raw)
        hostile.hashes.append(blake2b(hostile.hashes[-1], raw.rstrip(b"\n")))
    hostile.link.send(*hostile.pack(1))
    assert heard(hostile, "ack")[1] == [hostile.mark(4)]
    number = query(centre, "SELECT number FROM reviews WHERE open = 1")[0][0]
    commands = [
        ("stock",),
        ("review", "list"),
        ("review", "show", str(number)),
        ("deadletter", "list"),
        ("trace", written[0]["id"]),
    ]
    for command in commands:
        at = 2 if command[0] in ("review", "deadletter") else 1
        shown = wasl.good(*command[:at], centre.name, *command[at:]).out
        assert not set(shown) & {"\x9b", "\x1b", "\x7f", "\u202e"}, (command, shown)
        assert command[-1] == "list" or r"\xc2\x9b2J\xe2\x80\xaeAET" in shown, (command, shown)
    rows = wasl.good("stock", centre.name, "--json").json
    assert [row["sku"] for row in rows] == ["TEA", sku]  # for programs: as it is


# ---- a device that says that the centre was restored -------------------------------------------


def lie(device):
    """Says that more of it was settled than the centre has: as if that had been restored."""
    for told in (0, len(device.events) + 5):
        hello, stream = device.open()
        device.link.send(hello | device.recovery, [line(stream | {"settled": told})])
        while told == 0 or device.link.stream.peek(1)[:1] == b"\x81":
            header, _ = device.link.receive()
            if header["m"] == "welcome":
                device.recovery = (
                    {"recovery": header["recovery"]} if "recovery" in header else {}
                )
                break
        device.link.close()


def test_who_lies_about_a_restore_can_be_revoked(wasl, centre, honest, hostile):
    hostile.connect()
    assert hostile.push(1) == hostile.mark(2)
    hostile.link.close()
    hostile.recovery = {}
    lie(hostile)
    wasl.good("central", "recovered", centre.name)
    lie(hostile)  # before a person who has confirmed can revoke it
    told = wasl.good("status", centre.name, "--json").json["recovery"]
    assert told["device"] == hostile.id
    wasl.bad("enroll", "revoke", centre.name, honest.id, saying="recovered")
    wasl.good("enroll", "revoke", centre.name, hostile.id, "--reason", "lies")
    wasl.good("central", "recovered", centre.name)
    lie(hostile)
    assert wasl.good("status", centre.name, "--json").json["recovery"] is None
    honest.link.close()
    honest.connect()
    assert honest.push(1) == honest.mark(2)
    verify_clean(wasl, centre)
