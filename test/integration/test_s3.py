# SPDX-License-Identifier: Apache-2.0
"""S3: one bad record delays nobody: it is parked with its reason, and its successors flow."""

import statistics
import time
import uuid

from shop import query, verify_clean
from test_protocol_by_the_book import Device

EVENTS, BATCH, BAD_EVERY = 10_000, 500, 1_000
PARKED_S, SLOWER, TRIES = 5, 1.05, 4


def joined(wasl, centre, folder, location):
    folder.mkdir()
    words = ["--location", location, "--role", "terminal"]
    device = Device(folder, centre.port)
    device.enrol(wasl.good("enroll", "code", centre.name, *words).out.strip(), location)
    device.begin_run()
    device.connect()
    assert device.push(1) == device.mark(1)
    return device


def write(device, bad):
    """A batch of sales of one unit each; one in BAD_EVERY cannot be folded."""
    for _ in range(BATCH):
        seq = len(device.events) + 1
        body = {"sku": "TEA", "quantity": "1"}
        kind = "inventory_sold"
        if bad and seq % BAD_EVERY == 0:
            body["quantity"] = "one"
        if bad and seq % (2 * BAD_EVERY) == 0:
            kind = "inventory_dreamt_of"
        device.write(kind, ("stock", "TEA"), body)


def push(device):
    """How long the centre takes for a batch, in seconds."""
    start = len(device.events) - BATCH + 1
    header, records = device.pack(start)
    began = time.monotonic()
    device.link.send(header, records)
    (mark,) = device.receive("ack")[1]
    took = time.monotonic() - began
    assert mark == device.mark(len(device.events)), "successors wait"
    return took


def test_s3(wasl, tmp_path):
    centre = wasl.centre().serve()
    for attempt in range(TRIES):
        good = joined(wasl, centre, tmp_path / f"good{attempt}", f"GOOD{attempt}")
        poisoned = joined(wasl, centre, tmp_path / f"bad{attempt}", f"BAD{attempt}")
        ratios = []
        for _ in range(EVENTS // BATCH):
            write(good, bad=False)
            write(poisoned, bad=True)
            ratios.append(push(poisoned) / push(good))
        check(centre, poisoned, time.monotonic() + PARKED_S)
        good.link.close()
        poisoned.link.close()
        slower = statistics.median(ratios)
        if slower <= SLOWER:
            break
    assert slower <= SLOWER, "the events beside it came later in each of several runs"
    letters = wasl.good("deadletter", "list", centre.name, "--json").json
    assert len(letters) == (attempt + 1) * EVENTS // BAD_EVERY
    verify_clean(wasl, centre)


def check(centre, device, until):
    """Each bad one is parked with its reason, and all the others count."""
    bad = EVENTS // BAD_EVERY
    sql = "SELECT count(*) FROM dead_letters WHERE location = ? AND reason <> ''"
    while query(centre, sql, device.location) != [(bad,)]:
        assert time.monotonic() < until, "it is not parked"
        time.sleep(0.01)
    stock = query(centre, "SELECT quantity FROM stock WHERE location = ?", device.location)
    assert stock == [(-(EVENTS - bad) * 10_000,)]
    kept = "SELECT count(*) FROM journal WHERE origin = ?"
    assert query(centre, kept, uuid.UUID(device.origin).bytes) == [(EVENTS + 1,)]
