# SPDX-License-Identifier: Apache-2.0
"""Field scenarios that need whole processes and a network (registered in test/scenarios.ini)."""

import os
import random
import threading
import time

import pytest

import chain
import network
from network import processes  # noqa: F401

SHIFT = chain.BUILD / "test" / "chaos" / "libclock_shift.so"
DAY_S = 24 * 60 * 60


def sale(number, location, seed=1):
    """A ticket with two lines; the same for the same number."""
    r = random.Random(f"{seed} {location} {number}")
    lines, total = [], 0
    for n in (1, 2):
        count, cents = r.randint(1, 5), r.randint(100, 999)
        price = f"{cents // 100}.{cents % 100:02}"
        lines.append(
            {
                "n": n,
                "sku": f"S{r.randint(1, 20)}",
                "quantity": str(count),
                "unit_price": price,
                "amount": count * cents,
            }
        )
        total += count * cents
    ms = int(time.time() * 1000)
    return {
        "id": f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7{r.randrange(4096):03x}-8{r.randrange(4096):03x}"
        f"-{r.randrange(1 << 48):012x}",
        "type": "ticket_recorded",
        "location": location,
        "record": {"type": "ticket", "id": f"T{number}"},
        "at": ms,
        "body": {
            "ticket": f"T{number}",
            "kind": "sale",
            "currency": "USD",
            "places": 2,
            "lines": lines,
            "total": total,
            "payments": [{"method": "cash", "amount": total, "currency": "USD"}],
        },
    }


def batches(location, count, size):
    return [
        [sale(first + i, location) for i in range(size)] for first in range(0, count * size, size)
    ]


def sums(events):
    """Number, value and stock by SKU that these tickets make, each counted once."""
    once = {event["id"]: event["body"] for event in events}
    stock = {}
    for body in once.values():
        for line in body["lines"]:
            stock[line["sku"]] = stock.get(line["sku"], 0) - 10000 * int(line["quantity"])
    return len(once), sum(body["total"] for body in once.values()), stock


def sums_at(node, location):
    with node.sql() as sql:
        count, total = sql.execute(
            "SELECT count(*), sum(total) FROM tickets WHERE location = ?", [location]
        ).fetchone()
        stock = sql.execute("SELECT sku, quantity FROM stock WHERE location = ?", [location])
        return count, total, dict(stock.fetchall())


# ---- S1: one effect per event, whatever the retries and routes --------------------------------


def send_thrice(world, till, events, way):
    """Each batch three times by two routes, in this order; what a lost answer makes clients do."""
    tokens = {node: node.token() for node in (till, world.centre)}
    routes = {
        "till first": (till, till, world.centre),
        "centre first": (world.centre, till, till),
        "around": (till, world.centre, till),
    }[way]
    for batch in events:
        for node in routes:
            node.post_events(tokens[node], batch)


@pytest.mark.parametrize("way", ["till first", "centre first", "around"])
@pytest.mark.parametrize("cut", [False, True])
def test_s1(processes, tmp_path, way, cut):  # noqa: F811
    world = network.Chain(processes, tmp_path, [("fault", "drop_acks_every", 3)])
    till = world.till("till", "BR01")
    if cut:  # the till learns only later that the centre has them
        world.network("cut")
    events = batches("BR01", 30, 10)
    send_thrice(world, till, events, way)
    if cut:
        assert till.pending() > 0
        world.network("heal")
    world.drain()
    wanted = sums([event for batch in events for event in batch])
    assert sums_at(world.centre, "BR01") == wanted
    assert sums_at(till, "BR01") == wanted
    assert network.verify(world.centre)["tickets"] == wanted[0]
    with world.centre.sql() as sql:
        assert sql.execute("SELECT count(*) FROM reviews").fetchone() == (0,)


# ---- S8: the bytes that the till wrote are the bytes that the centre holds ----------------------


def test_s8(processes, tmp_path):  # noqa: F811
    world = network.Chain(processes, tmp_path)
    tills = [world.till(f"till{i}", "BR01") for i in range(2)]
    odd = ["0.5", "-3", "0.0001", "99999.9999", "1.50"]  # quantities that a reader might tidy up
    for i, till in enumerate(tills):
        events = [sale(1000 * i + n, "BR01") for n in range(200)]
        for n, event in enumerate(events):
            event["body"]["lines"][0]["name"] = "خبز ☕ \\ \" \u2028 /"
            event["body"]["lines"][0]["quantity"] = odd[n % len(odd)]
            event["body"]["lines"][0]["unit_price"] = "0"
            event["body"]["lines"][0]["amount"] = 0
            event["body"]["total"] = event["body"]["lines"][1]["amount"]
            event["body"]["payments"][0]["amount"] = event["body"]["total"]
        till.post_events(till.token(), events)
    world.drain()
    there = network.journal(world.centre, "ticket_recorded")
    assert len(there) == 400
    for till in tills:
        here = network.journal(till, "ticket_recorded")
        own = {id: data for id, data in here.items() if id in there}
        assert len(own) >= 200 and all(there[id] == data for id, data in own.items())
        network.chains_hold(till)
    assert network.chains_hold(world.centre) >= 402


# ---- S13: nothing follows a wrong clock ---------------------------------------------------------


@pytest.mark.parametrize("shift_s", [DAY_S, -DAY_S, 60 - int(time.time())])
def test_s13(processes, tmp_path, shift_s):  # noqa: F811
    """A till a day ahead or behind, or started in 1970: sales arrive, and hlc is true."""
    if not SHIFT.exists():
        pytest.skip(f"{SHIFT} is not built")
    world = network.Chain(processes, tmp_path)
    wrong = {**os.environ, "LD_PRELOAD": str(SHIFT), "CLOCK_SHIFT_S": str(shift_s)}
    till = world.till("till", "BR01", env=wrong)
    assert chain.wait_until(lambda: till.get("/api/v1/status")["online"], 20)
    offset = till.get("/api/v1/status")["clock_offset_ms"]
    assert abs(offset + shift_s * 1000) < 5000
    events = [sale(n, "BR01") for n in range(50)]
    till.post_events(till.token(), events)
    world.drain()
    now = int(time.time() * 1000)
    assert sums_at(world.centre, "BR01") == sums(events)
    with world.centre.sql() as sql:
        rows = sql.execute(
            "SELECT hlc, received_at FROM journal WHERE type = 'ticket_recorded'"
        ).fetchall()
    assert len(rows) == 50
    for hlc, received_at in rows:
        assert abs((int(hlc, 16) >> 16) - now) < 30000 and abs(received_at - now) < 30000
    # And the centre's own clock has not followed.
    world.centre.post_events(world.centre.token(), [sale(1000, "BR02")])
    with world.centre.sql() as sql:
        ((hlc,),) = sql.execute(
            "SELECT hlc FROM journal WHERE location = 'BR02' AND type = 'ticket_recorded'"
        )
    assert abs((int(hlc, 16) >> 16) - now) < 30000
    network.verify(world.centre)


# ---- S15: progress within two seconds of healing ------------------------------------------------


@pytest.mark.parametrize("fault", ["cut", "stall", "garbage", "asymmetric up", "asymmetric down"])
def test_s15(processes, tmp_path, fault):  # noqa: F811
    world = network.Chain(processes, tmp_path)
    till = world.till("till", "BR01")
    token = till.token()
    sold = 0
    for seconds in (0.3, 1.1, 2.7):
        world.network(fault)
        time.sleep(seconds)
        till.post_events(token, [sale(sold + n, "BR01") for n in range(20)])
        sold += 20
        world.network("heal")
        healed = time.monotonic()
        assert chain.wait_until(lambda: till.pending() == 0, 10)
        assert time.monotonic() - healed < 2, f"{fault} of {seconds} s"
    assert network.verify(world.centre)["tickets"] == sold


# ---- S23: a flipped bit on the way is never acknowledged ----------------------------------------


class Sales(threading.Thread):
    """Sells at a till until told to stop, and remembers what was accepted."""

    def __init__(self, till):
        super().__init__()
        self.till, self.token = till, till.token()
        self.events, self.over = [], threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            batch = [self.sale(len(self.events) + n) for n in range(5)]
            self.till.post_events(self.token, batch)
            self.events += batch

    def sale(self, number):
        """Each till has ticket numbers of its own."""
        return sale(f"{self.till.folder.name}-{number}", self.till.location)

    def stop(self):
        self.over.set()
        self.join()
        return self.events


def test_s23(processes, tmp_path):  # noqa: F811
    world = network.Chain(processes, tmp_path, [("sync", "zstd", "no")])
    till = world.till("till", "BR01")
    sales = Sales(till)
    sales.start()
    world.network("flip 20000")
    time.sleep(6)
    flipped = world.proxies["BR01"].count()["flipped"]
    world.network("heal")
    events = sales.stop()
    world.drain()
    assert flipped > 10
    assert sums_at(world.centre, "BR01") == sums(events)
    there = network.journal(world.centre, "ticket_recorded")
    assert there == network.journal(till, "ticket_recorded")
    network.chains_hold(world.centre)
    network.verify(world.centre)


# ---- and all the faults of a line in turn -------------------------------------------------------


def test_every_fault_of_a_line_in_turn(processes, tmp_path):  # noqa: F811
    world = network.Chain(processes, tmp_path, [("fault", "drop_acks_every", 3)])
    tills = [world.till(f"till{i}", f"BR0{i % 2 + 1}") for i in range(4)]
    sales = [Sales(till) for till in tills]
    for each in sales:
        each.start()
    faults = ["cut", "delay 80", "jitter 60", "rate 60000", "stall", "garbage", "drop 1"]
    faults += ["asymmetric up", "asymmetric down", "flip 30000"]
    for fault in faults:
        world.proxies["BR01"](fault)
        time.sleep(1)
        world.proxies["BR01"]("heal")
    events = [event for each in sales for event in each.stop()]
    world.drain()
    for location in ("BR01", "BR02"):
        own = [event for event in events if event["location"] == location]
        assert sums_at(world.centre, location) == sums(own)
    network.verify(world.centre)
