# SPDX-License-Identifier: Apache-2.0
"""Devices drop what is settled, counted and old; the centre keeps all; nothing is lost by it."""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import threading
import time

import chain
import pytest
from conftest import PLAIN_MAP, wait_for
from shop import event, post, query, sale, sell, sold_ids, token_of, unsettled, verify_clean

KEEP_MS = 1000
SHIFT = chain.BUILD / "test" / "chaos" / "libclock_shift.so"
KILLS = {"full": 60, "fast": 5}.get(os.environ.get("WASL_CHECK", "normal"), 15)


def set_keep(till, keep_ms=KEEP_MS):
    path = till.path / "wasl.ini"
    path.write_text(path.read_text().replace("[store]\n", f"[store]\nkeep_ms = {keep_ms}\n"))


def rows(node):
    return query(node, "SELECT count(*) FROM journal")[0][0]


def pruned(node):
    return query(node, "SELECT count(*) FROM past")[0][0]


def stock(node):
    return query(node, "SELECT sku, quantity FROM stock ORDER BY sku")


@pytest.fixture
def centre(wasl):
    return wasl.centre().serve()


@pytest.fixture
def till(wasl, centre):
    till = wasl.joined(centre)
    set_keep(till)
    return till.serve()


def wait_until_pruned(till, count):
    wait_for(lambda: pruned(till) >= count, f"{count} events to go", lambda: pruned(till))


def test_a_till_drops_what_the_centre_has_and_stays_provable(wasl, centre, till):
    token = token_of(wasl, till)
    sales = [sale("BR01", f"T-{i}", sku=f"S{i % 7}") for i in range(300)]
    ids = sell(till, token, sales)
    wait_until_pruned(till, 300)  # run_started went too, the last sale stays
    assert rows(till) == 1 and query(till, "SELECT count(*) FROM tickets") == [(1,)]
    wait_for(lambda: "events are not kept any more" in till.log.read_text(), "word of it")
    status, answer = post(till, token, sales)
    assert status == 200 and {r["status"] for r in answer["results"]} == {"duplicate"}
    other = dict(sales[3], at=sales[3]["at"] + 1)
    status, answer = post(till, token, [other])
    assert answer["results"][0]["status"] == "rejected" and "other content" in str(answer)
    ids += sell(till, token, [sale("BR01", "after")])
    wait_for(lambda: unsettled(till) == 0, "the last sale")
    assert stock(till) == query(centre, "SELECT sku, quantity FROM stock WHERE location = 'BR01'")
    wasl.bad("trace", till.name, ids[0], saying="not kept here: ask the centre")
    till.stop()
    verdict = verify_clean(wasl, till)
    assert verdict["pruned"] >= 300 and verdict["events"] + verdict["pruned"] == 302
    assert "not kept" in wasl.good("verify", till.name).out
    wasl.good("rebuild", till.name)
    verify_clean(wasl, till)
    till.serve()  # another run, that names the one before
    ids += sell(till, token, [sale("BR01", "again")])
    wait_for(lambda: unsettled(till) == 0, "a sale of the next run")
    status, answer = post(till, token, sales[:5])
    assert {r["status"] for r in answer["results"]} == {"duplicate"}
    centre.stop()
    assert sorted(sold_ids(centre)) == sorted(ids)
    assert verify_clean(wasl, centre)["duplicates"] == 0
    assert query(centre, "SELECT kind FROM reviews") == []


def test_a_second_import_adds_nothing_after_the_first_went(wasl, centre, till):
    till.stop()
    wasl.write("plain.ini", PLAIN_MAP)
    lines = [f"{i},2026-11-20 08:{i % 60:02}:00,A,Apple,2,1.50,BR01" for i in range(200)]
    wasl.write("rows.csv", "\n".join(["no,time,sku,name,quantity,price,place", *lines]) + "\n")
    words = ["import", "till", "--map", "plain.ini", "rows.csv"]
    wasl.good(*words)
    till.serve()
    wait_until_pruned(till, 199)
    till.stop()
    wasl.good(*words)
    assert query(till, "SELECT count(*) FROM journal WHERE type = 'ticket_recorded'")[0][0] <= 1
    till.serve()
    wait_for(lambda: unsettled(till) == 0, "what the second import added")
    assert len(sold_ids(centre)) == 200
    assert stock(till) == stock(centre) == [("A", -200 * 20000)]


def test_nothing_goes_before_the_centre_has_it_and_its_clock_was_heard(wasl, centre, till):
    token = token_of(wasl, till)
    centre.stop()
    ids = sell(till, token, [sale("BR01", f"T-{i}") for i in range(20)])
    time.sleep(3 * KEEP_MS / 1000)
    assert rows(till) == 21
    centre.serve()
    wait_for(lambda: unsettled(till) == 0, "the sales")
    till.stop()
    centre.stop()
    kept = rows(till)
    with contextlib.closing(sqlite3.connect(till.database)) as db:
        db.execute("UPDATE meta SET value = value || 'x' WHERE name = 'clock'")  # another boot
        db.commit()
    till.serve()
    time.sleep(3 * KEEP_MS / 1000)
    assert rows(till) == kept, "since this start of the machine no clock was heard but its own"
    centre.serve()
    wait_until_pruned(till, 20)
    assert sorted(sold_ids(centre)) == sorted(ids)


def test_a_clock_a_year_ahead_drops_nothing_early(wasl, centre):
    till = wasl.joined(centre)
    set_keep(till, 30_000)  # what may go is looked for every 15 s
    token = token_of(wasl, till)
    till.serve()
    begin = time.monotonic()
    sell(till, token, [sale("BR01", f"T-{i}") for i in range(5)])
    wait_for(lambda: unsettled(till) == 0, "the sales")
    till.stop()
    till.serve(LD_PRELOAD=str(SHIFT), CLOCK_SHIFT_S=str(365 * 86400))
    sell(till, token, [sale("BR01", "V")])
    wait_for(lambda: unsettled(till) == 0, "the sale")
    time.sleep(17)
    if time.monotonic() - begin < 28:
        assert pruned(till) == 0 and rows(till) == 8
    ((off,),) = query(till, "SELECT max(abs(synced_at - ?)) FROM journal", time.time() * 1000)
    assert off < 60_000, "both clocks wrote down the same time"
    wait_for(lambda: pruned(till) >= 6, "the old ones to go when they are old", seconds=40)


def test_a_restored_centre_gets_what_is_left_and_goes_on(wasl, centre):
    """Its backup is older than what the till keeps: that part is lost, and people are told."""
    till = wasl.joined(centre)
    set_keep(till, 8000)
    till.serve()
    token = token_of(wasl, till)
    old = sell(till, token, [sale("BR01", f"T-{i}") for i in range(10)])
    wait_for(lambda: unsettled(till) == 0, "the first sales")
    centre.stop()
    shutil.copytree(centre.path, wasl.folder / "backup")
    centre.serve()
    gone = sell(till, token, [sale("BR01", f"U-{i}") for i in range(20)])
    wait_until_pruned(till, 30)
    kept = sell(till, token, [sale("BR01", f"V-{i}") for i in range(5)])
    wait_for(lambda: unsettled(till) == 0, "the last sales")
    centre.stop()
    shutil.rmtree(centre.path)
    (wasl.folder / "backup").rename(centre.path)
    centre.serve()
    wait_for(lambda: set(kept) <= set(sold_ids(centre)), "what is left", till.log.read_text)
    new = sell(till, token, [sale("BR01", "W")])
    wait_for(lambda: set(new) <= set(sold_ids(centre)), "a new sale")
    arrived = sold_ids(centre)
    assert set(old) <= set(arrived) and len(arrived) == len(set(arrived))
    assert not set(gone[:-1]) & set(arrived), "no device has them any more"
    ((detail,),) = query(till, "SELECT detail FROM reviews WHERE kind = 'damaged'")
    assert json.loads(detail)["not_kept_up_to"] >= 30
    wait_for(lambda: unsettled(till) == 0, "rest")
    till.stop()
    centre.stop()
    for node in (till, centre):
        verify_clean(wasl, node)


def test_a_kill_while_old_events_go_loses_and_doubles_nothing(wasl, centre, till):
    chance = random.Random(int(os.environ.get("WASL_SEED", "1")))
    token = token_of(wasl, till)
    acknowledged, ended = [], threading.Event()

    def cashier():
        number = 0
        while not ended.is_set():
            sold = [sale("BR01", f"T-{number}-{i}") for i in range(chance.randint(1, 20))]
            status = None
            while status != 200 and not ended.is_set():
                status, answer = post(till, token, sold)
                time.sleep(0 if status == 200 else 0.01)
            if status == 200:
                assert {r["status"] for r in answer["results"]} <= {"accepted", "duplicate"}
                acknowledged.extend(sold)
            number += 1
            time.sleep(0.01)

    client = threading.Thread(target=cashier, daemon=True)
    client.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.5, 2.0))
        till.stop(signal.SIGKILL)
        till.serve()
    ended.set()
    client.join(20)
    wait_for(lambda: unsettled(till) == 0, "the till to drain")
    again = acknowledged[:: max(1, len(acknowledged) // 400)]
    status, answer = post(till, token, again)
    assert status == 200 and {r["status"] for r in answer["results"]} == {"duplicate"}
    assert pruned(till) > 0
    till.stop()
    centre.stop()
    arrived = sold_ids(centre)
    assert len(arrived) == len(set(arrived))
    assert {e["id"] for e in acknowledged} <= set(arrived)
    print(f"{KILLS} kills, {len(acknowledged)} sales, {pruned(till)} dropped")
    for node in (till, centre):
        verify_clean(wasl, node)
    assert stock(till) == stock(centre)
    assert query(centre, "SELECT kind FROM reviews") == []


def test_dropping_a_year_slows_no_sale(wasl, centre, till):
    """Sales made while many old events go, beside sales made while none do."""
    set_keep(till, 3600 * 1000)
    ini = till.path / "wasl.ini"
    ini.write_text(ini.read_text().replace(f"keep_ms = {KEEP_MS}\n", ""))
    till.stop()
    till.serve()
    token = token_of(wasl, till)
    for i in range(20):
        sell(till, token, [sale("BR01", f"T-{i}-{n}") for n in range(500)])
    wait_for(lambda: unsettled(till) == 0, "all sales", seconds=60)
    till.stop()

    def median_ms(name):
        took = []
        for i in range(300):
            begin = time.perf_counter()
            sell(till, token, [sale("BR01", f"{name}-{i}")])
            took.append(1000 * (time.perf_counter() - begin))
        took.sort()
        return took[150], took[285]

    till.serve()
    quiet = median_ms("quiet")
    till.stop()
    set_keep(till)
    ini.write_text(ini.read_text().replace(f"keep_ms = {3600 * 1000}\n", ""))
    till.serve()
    wait_for(lambda: pruned(till) > 0, "the first to go")
    before = pruned(till)
    busy = median_ms("busy")
    went = pruned(till) - before
    print(f"quiet {quiet}, busy {busy} ms (median, 95 %); {went} went meanwhile")
    assert went > 100
    assert busy[1] < quiet[1] + 20
