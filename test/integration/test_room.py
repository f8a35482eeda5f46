# SPDX-License-Identifier: Apache-2.0
"""S17: disks, quotas and outboxes that fill up. Sales go on inside a reserve; people are warned."""

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time
import urllib.request

import pytest
from conftest import wait_for
from shop import event, post, sale, sell, sold_ids, token_of, unsettled, verify_clean

MIB = 1 << 20
KILLS = {"full": 60, "fast": 5}.get(os.environ.get("WASL_CHECK", "normal"), 15)


@contextlib.contextmanager
def small_disk(path, megabytes):
    os.makedirs(path)
    size = f"size={megabytes}m"
    mount = ["mount", "-t", "tmpfs", "-o", size, "wasl-test", str(path)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


class Disk:
    """A file system and what another program puts there."""

    def __init__(self, path):
        self.path = path
        self.filler = path / "filler"

    def fill(self, leave=0):
        """Until only so many bytes are free."""
        room = os.statvfs(self.path)
        free = room.f_bavail * room.f_frsize - leave
        with contextlib.suppress(OSError), open(self.filler, "ab") as f:
            while free > 0 or leave == 0:
                f.write(bytes(min(free, 1 << 16) if leave else 4096))
                f.flush()
                free -= 1 << 16

    def empty(self):
        self.filler.unlink(missing_ok=True)


def set_store(node, **keys):
    path = node.path / "wasl.ini"
    lines = [f"{key} = {value}" for key, value in keys.items()]
    path.write_text(path.read_text().replace("[store]\n", "\n".join(["[store]", *lines, ""])))


def delivery(location="BR01", sku="TEA"):
    body = {"sku": sku, "quantity": "10"}
    return event("inventory_received", location, ("stock", sku), body)


def room_of(till):
    return till.status()["room"]


def metric(till, token, name):
    request = urllib.request.Request(till.url() + "/metrics")
    request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.split(" ")[1] for line in lines if line.startswith(name + " ")))


def is_whole(till, size=4 * MIB):
    ballast = till.path / "wasl.ballast"
    return ballast.exists() and ballast.stat().st_size == size


@pytest.fixture
def disk(wasl):
    with small_disk(wasl.folder / "disk", 48) as disk:
        yield disk


@pytest.fixture
def till(wasl, disk):
    till = wasl.till("disk/till")
    set_store(till, ballast_bytes=4 * MIB)
    return till.serve()


# ---------------------------------------------------------------------------- the disk


def test_s17_sales_go_on_when_the_disk_is_full(wasl, disk, till):
    token = token_of(wasl, till, "manager")
    ids = sell(till, token, [sale("BR01", "first")])
    wait_for(lambda: is_whole(till), "the ballast")
    disk.fill()
    for number in range(300):  # not one of them is refused, the one that meets the end included
        ids += sell(till, token, [sale("BR01", f"full-{number}")])
    assert not (till.path / "wasl.ballast").exists()
    assert room_of(till)["reserve"] and metric(till, token, "wasl_reserve") == 1
    status, answer = post(till, token, [delivery()])
    assert status == 507 and "only what finishes sales" in answer["detail"], answer
    status, _ = post(till, token, [sale("BR01", "mixed"), delivery()])
    assert status == 507, "the whole is refused"
    disk.empty()
    wait_for(lambda: post(till, token, [sale("BR01", "again")])[0] and is_whole(till), "a ballast")
    ids += sell(till, token, [delivery()]) and []
    assert not room_of(till)["reserve"]
    wait_for(lambda: "there is room again" in till.log.read_text(), "word of it")
    assert till.log.read_text().count("the reserve is in use") == 1
    till.stop()
    assert verify_clean(wasl, till)["tickets"] == len(ids) + 1
    assert set(ids) < set(sold_ids(till))


def test_s17_a_till_starts_and_sells_with_a_full_disk(wasl, disk, till):
    token = token_of(wasl, till, "manager")
    ids = sell(till, token, [sale("BR01", "first")])
    for stop in (signal.SIGTERM, signal.SIGKILL):
        till.stop(stop)
        disk.fill()
        till.serve()
        while not room_of(till)["reserve"]:  # the log of a killed till has some room yet
            ids += sell(till, token, [sale("BR01", f"{stop}-{len(ids) + i}") for i in range(50)])
            assert len(ids) < 5000
        ids += sell(till, token, [sale("BR01", f"{stop}-{i}") for i in range(50)])
        disk.empty()
        wait_for(lambda: sell_one(till, token, ids) and is_whole(till), "a ballast")
    till.stop()
    assert sorted(sold_ids(till)) == sorted(ids)
    verify_clean(wasl, till)


def test_a_till_starts_when_the_reserve_is_used_up_too(wasl, disk, till):
    token = token_of(wasl, till)
    ids = []

    def sell_until_refused(most):
        for _ in range(most):
            sold = sale("BR01", f"T-{len(ids)}")
            if post(till, token, [sold])[0] != 200:
                return
            ids.append(sold["id"])

    for sales in (5000, *range(40)):  # what its log holds when it dies differs
        disk.empty()
        wait_for(lambda: sell_one(till, token, ids), "room for a sale")
        disk.fill()
        sell_until_refused(sales)
        till.stop(signal.SIGKILL)
        disk.fill()
        till.serve()
        assert room_of(till)["reserve"]
    disk.empty()
    till.stop()
    assert sorted(sold_ids(till)) == sorted(ids)
    verify_clean(wasl, till)


def sell_one(till, token, ids):
    ids += sell(till, token, [sale("BR01", f"one-{len(ids)}")])
    return True


def test_s17_the_reserve_is_for_rows_and_not_for_a_long_log(wasl, disk, till):
    """With a log as long as ever it held 530 sales."""
    token = token_of(wasl, till)
    disk.fill()
    taken = 0
    while taken < 4000:
        status, _ = post(till, token, [sale("BR01", f"{taken + i}") for i in range(10)])
        if status == 507:
            break
        assert status == 200
        taken += 10
    print(f"{taken} sales in a reserve of 4 MiB")
    assert taken >= 1500
    till.stop()
    assert verify_clean(wasl, till)["tickets"] == taken


def test_s17_a_warning_since_80_percent(wasl, disk, till):
    token = token_of(wasl, till)
    assert room_of(till)["warnings"] == []
    disk.fill(leave=8 * MIB)
    room = room_of(till)
    assert room["warnings"] == ["disk"] and 80 <= room["disk_percent"] < 90, room
    assert 0.8 <= metric(till, token, "wasl_disk_used_ratio") < 0.9
    people = wasl.good("status", till.name).out
    assert "warning" in people and f"the disk is {room['disk_percent']} % used" in people
    wait_for(lambda: "the disk is " in till.log.read_text(), "a line in the log")
    time.sleep(11)  # two looks later
    assert till.log.read_text().count("the disk is ") == 1, "once"
    disk.empty()
    wait_for(lambda: "the disk has room again" in till.log.read_text(), "the all-clear")
    till.stop()
    disk.fill(leave=8 * MIB)
    assert "the disk is" in wasl.good("status", till.name).out, "also of a node that is not running"


def test_a_kill_while_the_ballast_comes_and_goes_loses_nothing(wasl, disk, till):
    chance = random.Random(int(os.environ.get("WASL_SEED", "1")))
    token = token_of(wasl, till)
    acknowledged, ended = [], threading.Event()

    def cashier():
        number = 0
        while not ended.is_set():
            sold = sale("BR01", f"T-{number}")
            status = None
            while status != 200 and not ended.is_set():
                status, answer = post(till, token, [sold])
                time.sleep(0 if status == 200 else 0.01)
            if status == 200:
                assert answer["results"][0]["status"] in ("accepted", "duplicate")
                acknowledged.append(sold["id"])
            number += 1

    client = threading.Thread(target=cashier, daemon=True)
    client.start()
    met = set()
    for _ in range(KILLS):
        disk.fill() if chance.random() < 0.6 else disk.empty()
        time.sleep(chance.uniform(0.05, 0.5))
        till.stop(signal.SIGKILL)
        met.add(is_whole(till))
        if chance.random() < 0.3:  # cut short in the middle of being made again
            (till.path / "wasl.ballast").write_bytes(b"")
        if chance.random() < 0.5:
            disk.empty()
        till.serve()
    disk.empty()
    before = len(acknowledged)
    wait_for(lambda: len(acknowledged) > before and is_whole(till), "a ballast")
    ended.set()
    client.join(20)
    assert met == {True, False}, "both were met"
    till.stop()
    arrived = sold_ids(till)
    assert len(arrived) == len(set(arrived)) and set(acknowledged) <= set(arrived)
    assert len(acknowledged) > KILLS
    verify_clean(wasl, till)


# ---------------------------------------------------------------------------- quota and outbox


def test_s17_sales_go_on_inside_the_last_part_of_a_quota(wasl):
    till = wasl.till()
    set_store(till, max_bytes=4 * MIB)
    till.serve()
    token = token_of(wasl, till, "manager")
    seen, received = [], 0
    while True:
        room = room_of(till)
        seen += [room["quota_percent"]]
        assert (room["warnings"] == ["quota"]) == (room["quota_percent"] >= 80), room
        status, answer = post(till, token, [delivery(sku=f"S{i}") for i in range(100)])
        if status == 507:
            break
        received += 100
    assert "quota" in answer["detail"] and seen == sorted(seen)
    assert room_of(till)["reserve"] and 85 <= room_of(till)["quota_percent"] <= 89
    ids = []
    while True:
        events = [sale("BR01", f"{len(ids) + i}") for i in range(10)]
        status, answer = post(till, token, events)
        if status == 507:
            break
        ids += [e["id"] for e in events]
    assert len(ids) >= 100 and till.database.stat().st_size <= 4 * MIB
    till.stop()
    till.serve()
    assert room_of(till)["reserve"]
    till.stop()
    set_store(till, max_bytes=8 * MIB)
    ini = till.path / "wasl.ini"
    ini.write_text(ini.read_text().replace(f"max_bytes = {4 * MIB}\n", "", 1))
    till.serve()
    assert not room_of(till)["reserve"]
    sell(till, token, [delivery()])
    till.stop()
    assert sorted(sold_ids(till)) == sorted(ids)
    verify_clean(wasl, till)


def test_s17_sales_go_on_beyond_a_full_outbox(wasl):
    centre = wasl.centre().serve()
    till = wasl.joined(centre)
    set_store(till, outbox_events=20)
    centre.stop()
    till.serve()
    token = token_of(wasl, till, "manager")
    ids = sell(till, token, [sale("BR01", f"T-{i}") for i in range(15)])
    assert room_of(till)["warnings"] == ["outbox"] and not room_of(till)["reserve"]
    ids += sell(till, token, [sale("BR01", f"U-{i}") for i in range(10)])
    status, answer = post(till, token, [delivery()])
    assert status == 507 and "waits for the centre" in answer["detail"], answer
    till.stop()
    till.serve()  # counted again
    assert post(till, token, [delivery()])[0] == 507
    assert room_of(till)["reserve"] and metric(till, token, "wasl_outbox_used_ratio") > 1
    ids += sell(till, token, [sale("BR01", "V")])
    centre.serve()
    wait_for(lambda: unsettled(till) == 0, "the outbox")
    wait_for(lambda: post(till, token, [delivery()])[0] == 200, "room")
    assert room_of(till)["warnings"] == [] and not room_of(till)["reserve"]
    wait_for(lambda: unsettled(till) == 0, "the outbox")
    assert sorted(sold_ids(centre)) == sorted(ids)
    for node in (till, centre):
        node.stop()
        verify_clean(wasl, node)
