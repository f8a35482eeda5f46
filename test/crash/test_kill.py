# SPDX-License-Identifier: Apache-2.0
"""Kills nodes at random moments: what was acknowledged is there once, and they start again fast."""

import os
import random
import signal
import threading
import time

import pytest
from processes import wait_for
from shop import post, query, sale, sell, sold_ids, token_of, unsettled, verify_clean

MODE = os.environ.get("WASL_CHECK", "normal")
KILLS = {"full": 200, "fast": 5}.get(MODE, 15)
ROWS = {"full": 1_000_000, "fast": 20_000}.get(MODE, 100_000)
READY_S = 1.0
DRAIN_S = 60


class Client(threading.Thread):
    """Posts sales to one till, one request after another; asks again until it has an answer."""

    def __init__(self, node, token, location, number):
        super().__init__(daemon=True)
        self.node, self.token, self.location, self.number = node, token, location, number
        self.acknowledged, self.rejected = [], []
        self.ended = threading.Event()

    def post(self, events):
        status, answer = post(self.node, self.token, events)
        return answer["results"] if status == 200 else None

    def run(self):
        count = 0
        while not self.ended.is_set():
            size = random.randint(1, 5)
            tickets = [f"{self.location}-{self.number}-{count + i}" for i in range(size)]
            events = [sale(self.location, ticket) for ticket in tickets]
            count += size
            results = self.post(events)
            deadline = time.monotonic() + DRAIN_S
            while results is None and time.monotonic() < deadline:
                time.sleep(0.02)
                results = self.post(events)
            for result in results or []:
                taken = result["status"] in ("accepted", "duplicate")
                (self.acknowledged if taken else self.rejected).append(result["id"])
            time.sleep(random.random() * 0.01)


def kill_some(nodes, count, chance):
    """Kills and restarts: at rest, under load, and now and then while it is still starting."""
    slowest = 0
    for _ in range(count):
        time.sleep(chance.uniform(0.02, 0.4))
        node = chance.choice(nodes)
        node.stop(signal.SIGKILL)
        time.sleep(chance.choice([0, 0, 0.1, 0.5]))
        begin = time.monotonic()
        node.serve()
        slowest = max(slowest, time.monotonic() - begin)
    return slowest


def test_a_kill_loses_and_doubles_nothing(wasl):
    seed = int(os.environ.get("WASL_SEED", "1"))
    chance = random.Random(seed)
    centre = wasl.centre().serve()
    tills = {place: wasl.joined(centre, place, place).serve() for place in ("BR01", "BR02")}
    clients = []
    for place, till in tills.items():
        token = token_of(wasl, till)
        clients += [Client(till, token, place, i) for i in range(2)]
    for client in clients:
        client.start()
    slowest = kill_some([centre, *tills.values()], KILLS, chance)
    for client in clients:
        client.ended.set()
    for client in clients:
        client.join(DRAIN_S)
        assert not client.is_alive() and not client.rejected, client.rejected
    for till in tills.values():
        wait_for(lambda t=till: unsettled(t) == 0, f"{till.name} to drain", seconds=DRAIN_S)
    check_all(wasl, centre, tills, clients)
    print(f"{KILLS} kills, slowest start {slowest:.2f} s, {sum_of(clients)} sales acknowledged")


def sum_of(clients):
    return sum(len(client.acknowledged) for client in clients)


def check_all(wasl, centre, tills, clients):
    arrived = sold_ids(centre)
    assert len(arrived) == len(set(arrived)), "a sale came twice"
    lost = {i for client in clients for i in client.acknowledged} - set(arrived)
    assert not lost, f"{len(lost)} acknowledged sales never came"
    assert sum_of(clients) > KILLS
    for node in (centre, *tills.values()):
        node.stop()
    total = verify_clean(wasl, centre)
    assert total["duplicates"] == 0
    for place, till in tills.items():
        assert set(sold_ids(till)) == set(sold_ids(centre, place))
        verify_clean(wasl, till)
        mine = query(till, "SELECT sku, quantity FROM stock")
        assert mine == query(centre, f"SELECT sku, quantity FROM stock WHERE location = '{place}'")
    assert total["tickets"] == len(arrived)
    assert query(centre, "SELECT kind, text FROM reviews") == []


MAP = """[columns]
ticket = no
time = time
sku = sku
quantity = quantity
unit_price = price
[rules]
currency = USD
"""


def write_rows(path, count):
    with open(path, "w", encoding="ascii") as f:
        f.write("no,time,sku,quantity,price\n")
        for i in range(count):
            f.write(f"T{i},2026-11-20 {8 + i % 10:02}:{i % 60:02}:00,S{i % 50},1,2.50\n")


# A till reads again what the centre has not counted yet: a month of sales, not a million.
@pytest.mark.parametrize("role, rows", [("centre", ROWS), ("till", ROWS // 20)])
def test_a_node_with_many_rows_is_ready_soon_after_a_kill(wasl, role, rows):
    wasl.write("map.ini", MAP)
    write_rows(wasl.folder / "rows.csv", rows)
    node = wasl.centre("node") if role == "centre" else wasl.till("node")
    wasl.good("import", "node", "--map", "map.ini", "--location", "BR01", "rows.csv", timeout=900)
    os.unlink(wasl.folder / "rows.csv")
    node.serve()
    token = token_of(wasl, node, "owner")
    sell(node, token, [sale("BR01", "X-0")])
    times = []
    for i in range(3):
        node.stop(signal.SIGKILL)
        begin = time.monotonic()
        node.serve()
        sell(node, token, [sale("BR01", f"X-{i + 1}")])
        times.append(time.monotonic() - begin)
    assert query(node, "SELECT count(*) FROM tickets") == [(rows + 4,)]
    print(f"{role} with {rows} rows: ready in {min(times):.2f} to {max(times):.2f} s")
    assert min(times) < READY_S, times
