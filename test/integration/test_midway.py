# SPDX-License-Identifier: Apache-2.0
"""What hits a till midway: it is revoked amid a push, its centre is restored amid a page."""

import json
import random
import shutil
import signal
import time

import pytest
from conftest import wait_for
from shop import event, query, sale, sell, sold_ids, token_of, verify_clean
from test_hostile import copy_folder, device_of, drained, pair

STOCK = (
    "SELECT sku, quantity FROM stock WHERE location = 'BR01' AND quantity <> 0 ORDER BY sku"
)


def shows_the_same(till, centre):
    return lambda: query(till, STOCK) == query(centre, STOCK)


def of_longest_run(centre):
    """The tickets of the run that recorded most: by status, the first and the last seq."""
    run = "SELECT origin FROM journal GROUP BY origin ORDER BY count(*) DESC LIMIT 1"
    sql = "SELECT status, count(*), min(seq), max(seq) FROM journal WHERE type = 'ticket_recorded'"
    rows = query(centre, f"{sql} AND origin = ({run}) GROUP BY status")
    return {status: (count, first, last) for status, count, first, last in rows}


@pytest.mark.parametrize("killed", [False, True])
def test_a_till_is_revoked_amid_a_push(wasl, killed):
    centre, till, token = pair(wasl)
    other = wasl.joined(centre, "other").serve()
    other_token = token_of(wasl, other)
    centre.stop()
    ids = []
    for n in range(30):
        ids += sell(till, token, [sale("BR01", f"T-{n}-{i}") for i in range(100)])
    setting = event(
        "setting_set", "BR01", ("setting", "deferred_window"), {"value": "00:00-00:01"}
    )
    sell(
        till, token_of(wasl, till, "owner"), [setting]
    )  # of the lane that waits for the night
    centre.serve()
    wait_for(lambda: len(sold_ids(centre)) > 100, "some of it")
    wasl.good("enroll", "revoke", centre.name, device_of(till), "--reason", "stolen")
    if killed:
        till.stop(signal.SIGKILL)
        till.serve()
    sell(other, other_token, [sale("BR01", "theirs")])
    wait_for(lambda: len(sold_ids(centre)) == len(ids) + 1, "all of it", seconds=60)
    wait_for(drained(till), "the till to know it", seconds=60)
    tickets = of_longest_run(centre)
    revoked = query(centre, "SELECT bytes FROM journal WHERE type = 'device_revoked'")
    (head,) = json.loads(revoked[0][0])["body"]["heads"]
    assert (
        tickets["settled"][2] == head["seq"]
    )  # what was sealed before counts, and nothing else
    if "review" in tickets:
        assert tickets["review"][1] == head["seq"] + 1
    count = "SELECT count(*) FROM tickets"
    assert query(centre, count) == [(tickets["settled"][0] + 1,)]
    assert till.status()["revoked"]
    verify_clean(wasl, centre)
    verify_clean(wasl, till)
    wait_for(shows_the_same(other, centre), "the other till to show what counts")
    for row in wasl.good("review", "list", centre.name, "--json").json:
        wasl.good("review", "resolve", centre.name, str(row["number"]), "--decision", "accept")
    assert query(centre, count) == [(len(ids) + 1,)]


def restore(wasl, centre, name):
    centre.stop(signal.SIGKILL)
    shutil.rmtree(centre.path)
    shutil.copytree(wasl.folder / name, centre.path)
    centre.serve()


def receive(centre, token, start):
    """Of 500 things the centre receives some at the place: several pages of its feed."""
    events = []
    for n in range(start, start + 500):
        body = {"sku": f"SKU-{n}", "quantity": "5"}
        events.append(event("inventory_received", "BR01", ("stock", f"SKU-{n}"), body))
    sell(centre, token, events)


def back_up(centre, name):
    centre.stop()
    copy_folder(centre, name)
    centre.serve()


@pytest.mark.parametrize("seed", [2, 4])
def test_a_centre_is_restored_again_and_again_amid_pages(wasl, seed):
    rng = random.Random(seed)
    centre = wasl.centre().serve()
    owner = token_of(wasl, centre, "owner")
    tills = [wasl.joined(centre, name).serve() for name in ("one", "two")]
    tokens = [token_of(wasl, till) for till in tills]
    for n in range(12):
        receive(centre, owner, n * 500)
        if n % 6 == 5:
            back_up(centre, "early" if n < 6 else "late")
    ids = []
    for _ in range(6):
        for _ in range(rng.randrange(4)):
            for till, token in zip(tills, tokens, strict=True):
                ids += sell(till, token, [sale("BR01", f"T-{len(ids)}")])
        time.sleep(rng.random() * 0.4)
        for what in rng.choice([("early",), ("late", "early"), ("till",), ("till", "late")]):
            if what == "till":
                tills[0].stop(signal.SIGKILL)
                tills[0].serve()
            else:
                restore(wasl, centre, what)
    wait_for(lambda: sorted(sold_ids(centre)) == sorted(ids), "all sales", seconds=60)
    for till in tills:
        wait_for(shows_the_same(till, centre), "the same stock", seconds=60)
    for node in [centre, *tills]:
        verify_clean(wasl, node)
    wasl.good("central", "recovered", centre.name)
    sell(tills[0], tokens[0], [sale("BR01", "last")])
    for till in tills:
        wait_for(shows_the_same(till, centre), "the last sale to be shown")
