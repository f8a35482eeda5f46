# SPDX-License-Identifier: Apache-2.0
"""The catalog on real nodes: drafts, versions, tills that follow, and what may go wrong."""

import random
import signal
import time
import urllib.error
import uuid

import pytest

from catalog import Centre, edit, item, items, price, reviews, shows, version
from conftest import wait_for
from shop import event, post, query, sale, sell, token_of, unsettled, verify_clean

MENU = [("COFFEE", "Coffee", "2.50"), ("TEA", "Tea", "2.00"), ("CAKE", "Cake", "4.25")]


def menu(rows=MENU):
    events = []
    for sku, name, amount in rows:
        events += [item(sku, name=name, category="menu"), price(sku, amount)]
    return events


def sold(location, ticket, sku, amount, catalog=None, quantity=1):
    """A ticket of one line at that price, in minor units, and perhaps its catalog's version."""
    given = sale(location, ticket, sku)
    line = given["body"]["lines"][0]
    line |= {"unit_price": f"{amount / 100:.2f}", "quantity": str(quantity)}
    line |= {"amount": amount * quantity} | ({"catalog": catalog} if catalog else {})
    given["body"] |= {"total": amount * quantity}
    given["body"]["payments"][0]["amount"] = amount * quantity
    return given


# ---------------------------------------------------------------------------- publishing


def test_a_version_reaches_every_till_whole(wasl):
    centre = Centre(wasl)
    tills = [centre.till(f"till{i}", f"BR0{i}") for i in range(2)]
    centre.draft(menu())
    assert centre.node.get("/api/v1/catalog", centre.token)["version"] is None
    first = centre.published(note="opening", actor="rana")
    assert (first["version"], first["rows"], first["changed"]) == (1, 3, 3)
    for till in tills:
        shows(till, 1)
        assert items(till) == items(centre.node)
        assert till.status()["catalog"] == {
            "version": 1,
            "hash": first["hash"],
            "rows": 3,
            "refused": None,
        }
    assert centre.published()["version"] == 1  # nothing new is no new version
    centre.draft([price("TEA", "2.20"), item("CAKE", active=False)])
    assert items(tills[0])[2][2] == 20000  # a draft is nobody's price
    second = centre.published()
    assert (second["version"], second["changed"]) == (2, 2)
    for till in tills:
        shows(till, 2)
        assert items(till) == items(centre.node)

    def told():
        listed = centre.node.get("/api/v1/branches")["branches"]
        return {row["catalog_version"] for row in listed if row["devices"]} == {2}

    wait_for(told, "the tills to tell their version")
    page = tills[0].get("/api/v1/catalog?limit=2", token_of(wasl, tills[0]))
    assert [row["sku"] for row in page["items"]] == ["CAKE", "COFFEE"] and page["next"] == "COFFEE"
    assert page["items"][1] == {
        "sku": "COFFEE",
        "name": "Coffee",
        "category": "menu",
        "active": True,
        "price": "2.5",
        "currency": "USD",
        "places": 2,
    }
    rest = tills[0].get("/api/v1/catalog?limit=2&after=COFFEE")
    assert [row["sku"] for row in rest["items"]] == ["TEA"] and rest["next"] is None
    assert "version 2" in wasl.good("status", tills[0].name).out
    for node in [*tills, centre.node]:
        node.stop()
        verify_clean(wasl, node)
        assert wasl.good("status", node.name, "--json").json["catalog"]["version"] == 2
    wasl.good("rebuild", "centre")
    verify_clean(wasl, centre.node)


def test_a_till_that_joins_later_gets_the_version_there_is(wasl):
    centre = Centre(wasl)
    centre.draft(menu())
    centre.published()
    centre.draft([item("COFFEE", name="Kaffee")])
    centre.published()
    late = centre.till("late")
    shows(late, 2)
    assert items(late) == items(centre.node)


def test_who_may_publish_and_draft(wasl):
    centre = Centre(wasl)
    till = centre.till()
    cashier = token_of(wasl, centre.node, "cashier")
    centre.draft(menu())
    assert centre.publish(cashier)[0] == 403
    assert centre.publish(note="")[0] == 400
    status, answer = centre.publish("wrong")
    assert status == 401, answer
    _, answer = post_one(centre.node, cashier, item("TEA", name="x"))
    assert answer["status"] == "rejected" and "catalog" in answer["reason"]
    forged = event("catalog_published", "*", ("catalog", "1"), {"version": 1, "count": 0})
    forged["body"]["hash"] = "0" * 64
    _, answer = post_one(centre.node, centre.token, forged)
    assert answer["status"] == "rejected" and "nodes only" in answer["reason"]
    owner_at_till = token_of(wasl, till, "owner")
    for given in (item("TEA", name="x"), price("TEA", "1")):
        _, answer = post_one(till, owner_at_till, given)
        assert answer["status"] == "rejected", answer
    with pytest.raises(urllib.error.HTTPError) as refused:
        till.get("/api/v1/catalog?limit=0")
    assert refused.value.code == 400
    assert items(till) == []


def post_one(node, token, given):
    status, answer = post(node, token, [given])
    assert status == 200, answer
    return status, answer["results"][0]


def test_two_prices_of_one_rank_hold_up_publishing_until_a_person_decides(wasl):
    centre = Centre(wasl)
    centre.draft(menu())
    first = centre.published()
    sql = "SELECT id FROM journal WHERE type = 'price_set' AND bytes LIKE '%\"sku\":\"TEA\"%'"
    base = [str(uuid.UUID(bytes=query(centre.node, sql)[0][0]))]  # what both had before them
    one, two = price("TEA", "2.10") | {"base": base}, price("TEA", "2.40") | {"base": base}
    centre.draft([one, two])
    status, answer = centre.publish()
    assert status == 409, answer
    (asked,) = answer["reviews"]
    assert asked["kind"] == "price_same_rank" and asked["record"] == "TEA price"
    assert [side["value"] for side in asked["detail"]["sides"]] == ["2.1", "2.4"]
    assert centre.node.get("/api/v1/catalog", centre.token)["version"] == first["version"]
    triggers = [{"event": one["id"]}, {"event": two["id"]}]
    body = {"review": "same_rank", "part": "price", "decision": "edit", "value": "2.25"}
    centre.draft([event("review_resolved", "*", ("price", "TEA"), body | {"triggers": triggers})])
    assert centre.published()["version"] == 2
    assert [row for row in items(centre.node) if row[0] == "TEA"][0][2] == 22500


# ---------------------------------------------------------------------------- on the way


def test_a_kill_in_the_middle_leaves_the_old_version_whole(wasl):
    centre = Centre(wasl)
    till = centre.till()
    rows = [(f"S{i:04}", f"old {i}", "1.00") for i in range(1500)]
    centre.draft(menu(rows))
    centre.published()
    shows(till, 1)
    old = items(till)
    centre.draft([item(sku, name=f"new {i}") for i, (sku, _, _) in enumerate(rows)])
    chance = random.Random(7)
    killed_within = 0
    centre.published()
    while version(till) == 1:
        time.sleep(chance.uniform(0.002, 0.05))
        till.stop(signal.SIGKILL)
        staged = query(till, "SELECT staged, version FROM catalog_state")[0]
        killed_within += staged[0] > 0
        shown = items(till)
        assert shown == old or (version(till) == 2 and shown == items(centre.node))
        till.serve()
        if killed_within >= 3:
            break
    shows(till, 2)
    assert items(till) == items(centre.node)
    assert killed_within > 0, "no kill hit the version on its way"
    till.stop()
    verify_clean(wasl, till)


def test_sales_go_on_while_a_large_version_comes(wasl):
    centre = Centre(wasl)
    till = centre.till()
    token = token_of(wasl, till)
    centre.draft(menu([(f"S{i:04}", f"item {i}", "1.00") for i in range(2000)]))
    centre.published()
    sold_meanwhile = 0
    while version(till) != 1:
        sell(till, token, [sale("BR01", f"T{sold_meanwhile}")])
        sold_meanwhile += 1
    assert sold_meanwhile > 0
    wait_for(lambda: unsettled(till) == 0, "the sales")
    assert query(centre.node, "SELECT count(*) FROM tickets") == [(sold_meanwhile,)]


# ---------------------------------------------------------------------------- S7


def test_s7_a_completed_sale_is_always_accepted(wasl):
    """No stock, a deleted item, an expired price: the head office takes it as it was made."""
    centre = Centre(wasl)
    till = centre.till()
    token = token_of(wasl, till)
    centre.draft(menu())
    centre.published()
    shows(till, 1)
    one_cup = {"sku": "TEA", "quantity": "1"}
    received = event("inventory_received", "BR01", ("stock", "TEA"), one_cup)
    manager = token_of(wasl, till, "manager")
    sell(till, manager, [received])
    wait_for(lambda: unsettled(till) == 0, "the delivery")
    centre.node.stop()  # the line is cut
    made = [
        sold("BR01", "below-zero", "TEA", 200, catalog=1, quantity=3),  # there was one
        sold("BR01", "deleted", "CAKE", 425, catalog=1),
        sold("BR01", "expired", "COFFEE", 250, catalog=1),
        sold("BR01", "unknown", "NEVER-HEARD-OF", 100, catalog=1),
    ]
    ids = sell(till, token, made)
    centre.node.serve()
    centre.draft([item("CAKE", active=False), price("COFFEE", "3.00"), item("TEA", active=False)])
    centre.published()
    wait_for(lambda: unsettled(till) == 0, "the sales to be settled")
    shows(till, 2)
    late = sold("BR01", "after", "COFFEE", 250, catalog=1)  # begun under the old version
    ids += sell(till, token, [late])
    wait_for(lambda: unsettled(till) == 0, "the last sale")
    statuses = query(centre.node, "SELECT status FROM journal WHERE type = 'ticket_recorded'")
    assert statuses == [("settled",)] * len(ids)
    lines = query(
        centre.node,
        "SELECT t.number, l.sku, l.unit_price, l.amount, l.catalog FROM ticket_lines AS l"
        " JOIN tickets AS t ON t.lsn = l.ticket ORDER BY t.lsn",
    )
    assert lines == [
        ("below-zero", "TEA", 20000, 600, 1),
        ("deleted", "CAKE", 42500, 425, 1),
        ("expired", "COFFEE", 25000, 250, 1),
        ("unknown", "NEVER-HEARD-OF", 10000, 100, 1),
        ("after", "COFFEE", 25000, 250, 1),
    ]
    assert query(centre.node, "SELECT quantity FROM stock WHERE sku = 'TEA'") == [(-20000,)]
    assert query(till, "SELECT number FROM tickets WHERE sync_status <> 'settled'") == []
    assert query(centre.node, "SELECT count(*) FROM dead_letters") == [(0,)]
    for node in (till, centre.node):
        node.stop()
        verify_clean(wasl, node)


# ---------------------------------------------------------------------------- S16

EDITS = [
    "UPDATE catalog_items SET price = 1 WHERE sku = 'TEA'",
    "UPDATE catalog_item_rows SET price = 1 WHERE id = 'TEA'",
    "DELETE FROM catalog_item_rows WHERE id = 'TEA'",
]


@pytest.mark.parametrize("sql", EDITS)
@pytest.mark.parametrize("running", [True, False])
def test_s16_a_price_changed_by_hand_is_found_and_put_right(wasl, running, sql):
    centre = Centre(wasl)
    till = centre.till()
    centre.draft(menu())
    centre.published()
    shows(till, 1)
    right = items(till)
    if not running:
        till.stop()
    edit(till, sql)
    if not running:
        wasl.bad("verify", till.name, saying="catalog")
        till.serve()
    wait_for(lambda: reviews(centre.node, "catalog_hash"), "the question", till.log.read_text)
    ((location, record, detail),) = reviews(centre.node, "catalog_hash")
    assert location == "BR01" and record == till.status()["device"]
    assert detail["version"] == 1 and detail["published"] != detail["found"]
    wait_for(lambda: items(till) == right, "the price to be put right", till.log.read_text)
    assert "not what was published" in till.log.read_text()
    token = token_of(wasl, till)
    sell(till, token, [sale("BR01", "T1")])  # it sells all the while
    wait_for(lambda: unsettled(till) == 0, "the sale")
    till.stop()
    verify_clean(wasl, till)


def test_s16_the_hash_that_a_till_tells_may_be_forged_with_its_rows(wasl):
    """Who edits the rows and what the till says of them is found by the centre's own book."""
    centre = Centre(wasl)
    till = centre.till()
    centre.draft(menu())
    centre.published()
    shows(till, 1)
    till.stop()
    edit(till, "UPDATE catalog_state SET hash = zeroblob(32)")
    till.serve()
    wait_for(lambda: reviews(centre.node, "catalog_hash"), "the question", till.log.read_text)
    wait_for(lambda: till.status()["catalog"]["refused"] is None, "it to be put right")
