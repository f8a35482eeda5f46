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
        "priced": 1,
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


@pytest.mark.parametrize(
    "answers, wanted",
    [
        (("reject", "accept"), (20000, 24000)),
        (("accept", "reject"), (24000, 20000)),
        (("reject", "edit"), (20000, 22500)),
    ],
)
def test_of_two_answers_the_later_counts_and_each_version_stays(wasl, answers, wanted):
    """A price is asked about, answered, published; answered otherwise, published again. A fresh
    fold gives both versions as they were published."""
    centre = Centre(wasl)
    first = price("TEA", "2.00")
    centre.draft([item("TEA"), first])
    centre.published()
    one, two = (price("TEA", value) | {"base": [first["id"]]} for value in ("2.10", "2.40"))
    centre.draft([one, two])
    triggers = [{"event": one["id"]}, {"event": two["id"]}]
    for decision, shown in zip(answers, wanted, strict=True):
        body = {"review": "same_rank", "part": "price", "decision": decision}
        body |= {"triggers": triggers} | ({"value": "2.25"} if decision == "edit" else {})
        centre.draft([event("review_resolved", "*", ("price", "TEA"), body)])
        published = centre.published()
        assert items(centre.node)[0][2] == shown
    same = "SELECT lower(hex(hash)), hash = computed FROM catalog_versions ORDER BY version DESC"
    assert query(centre.node, same)[0] == (published["hash"], 1)
    history = query(centre.node, "SELECT * FROM catalog_price_history ORDER BY 1, 2, 3")
    verify_clean(wasl, centre.node)
    centre.node.stop()
    wasl.good("rebuild", centre.node.name)
    assert query(centre.node, same)[0] == (published["hash"], 1)
    assert query(centre.node, "SELECT * FROM catalog_price_history ORDER BY 1, 2, 3") == history
    assert items(centre.node)[0][2] == wanted[1]
    verify_clean(wasl, centre.node)


@pytest.mark.parametrize(
    "words, said, wanted",
    [
        (["accept"], "the later one stands", 24000),
        (["reject"], "what was before them stands", 20000),
        (["edit", "--value", "2.25"], "--value stands instead", 22500),
    ],
)
def test_a_question_says_what_each_answer_does_and_it_does(wasl, words, said, wanted):
    centre = Centre(wasl)
    first = price("TEA", "2.00")
    centre.draft([item("TEA"), first])
    centre.draft([price("TEA", value) | {"base": [first["id"]]} for value in ("2.10", "2.40")])
    number = str(shown(wasl, "price_same_rank")["number"])
    lines = wasl.good("review", "show", "centre", number).out.splitlines()
    (line,) = [line for line in lines if line.startswith(f"to {words[0]} ")]
    assert line.endswith(said), line
    wasl.good("review", "resolve", "centre", number, "--decision", *words)
    assert "to accept" not in wasl.good("review", "show", "centre", number).out
    centre.published()
    assert items(centre.node)[0][2] == wanted


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
        while query(till, "SELECT staged = 0 AND version = 1 FROM catalog_state") == [(1,)]:
            pass  # on a busy machine it may be over before a sleep is
        time.sleep(chance.uniform(0, 0.01))
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
        sold("BR01", "stranger", "COFFEE", 250, catalog=1),
    ]
    made[-1]["body"]["customer"] = "C-DELETED"
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
        ("stranger", "COFFEE", 25000, 250, 1),
        ("after", "COFFEE", 25000, 250, 1),
    ]
    assert query(centre.node, "SELECT quantity FROM stock WHERE sku = 'TEA'") == [(-20000,)]
    assert query(till, "SELECT number FROM tickets WHERE sync_status <> 'settled'") == []
    assert query(centre.node, "SELECT count(*) FROM dead_letters") == [(0,)]
    due = [("stock_below_zero", "BR01", "TEA"), ("ticket_price", "BR01", "unknown")]
    assert asked(centre.node) == due  # and of the others nobody is asked
    for node in (till, centre.node):
        wait_for(lambda node=node: asked(node) == due, "the questions at the till")
        node.stop()
        verify_clean(wasl, node)
    wasl.good("rebuild", "centre")
    assert asked(centre.node) == due
    verify_clean(wasl, centre.node)


def asked(node):
    """What is open, each record without the part that it is about."""
    sql = "SELECT kind, location, record FROM reviews WHERE open = 1 AND kind <> 'catalog_hash'"
    return sorted((kind, place, record.split(" ")[0]) for kind, place, record in query(node, sql))


def shown(wasl, kind):
    (one,) = [
        r for r in wasl.good("review", "list", "centre", "--json").json if r["kind"] == kind
    ]
    return one


def stock_event(name, sku, quantity, **body):
    body |= {"sku": sku, "quantity": quantity}
    return event(name, "BR01", ("stock", sku), body)


def said(node):
    sql = (
        "SELECT json_extract(bytes, '$.body.reason'), json_extract(bytes, '$.body.shown') FROM"
        " journal WHERE type = 'event_judged' ORDER BY lsn"
    )
    return query(node, sql)


def test_stock_that_may_be_oversold_is_asked_about_beyond_that(wasl):
    centre = Centre(wasl)
    till = centre.till()
    token = token_of(wasl, till, "manager")

    def oversell(value):
        given = event("setting_set", "*", ("setting", "oversell/TEA"), {"value": value})
        sell(centre.node, centre.token, [given])

    def sell_and_settle(*events):
        sell(till, token, list(events))
        wait_for(lambda: unsettled(till) == 0, "the events to be settled")

    def tea(quantity):
        return sold("BR01", f"T{uuid.uuid4()}", "TEA", 200, quantity=quantity)

    oversell("3")
    sell_and_settle(stock_event("inventory_received", "TEA", "2"), tea(3))
    sell_and_settle(tea(2))
    assert asked(centre.node) == []  # three below zero: as much as may be promised
    sell_and_settle(tea(1))
    below = [("stock_below_zero", "BR01", "TEA")]
    assert asked(centre.node) == below
    sell_and_settle(tea(1))
    assert said(centre.node) == [("below_zero", "-4")]  # asked already
    sell_and_settle(stock_event("inventory_received", "TEA", "2"))
    assert asked(centre.node) == []  # still below zero, and within
    oversell(None)
    sell_and_settle(stock_event("inventory_received", "TEA", "1"))
    assert asked(centre.node) == below  # goods came, and it is below zero all the same
    oversell("10")
    sell_and_settle(tea(1))
    assert asked(centre.node) == []
    till.stop()
    centre.node.stop()
    verify_clean(wasl, centre.node)


def test_stock_below_zero_is_asked_about_until_there_is_enough_again(wasl):
    """One question for each SKU; what nobody keeps stock of is none."""
    centre = Centre(wasl)
    till = centre.till()
    token = token_of(wasl, till, "manager")

    def sell_and_settle(*events):
        sell(till, token, list(events))
        wait_for(lambda: unsettled(till) == 0, "the events to be settled")

    def tea(quantity):
        return sold("BR01", f"T{uuid.uuid4()}", "TEA", 200, quantity=quantity)

    sell_and_settle(sold("BR01", "T0", "WATER", 100))  # it never came in, by any account
    assert asked(centre.node) == [] and said(centre.node) == []
    sell_and_settle(stock_event("inventory_wasted", "WATER", "1", reason="spilt"))
    assert asked(centre.node) == [("stock_below_zero", "BR01", "WATER")]  # now it is kept
    assert said(centre.node) == [("below_zero", "-2")]
    sell_and_settle(stock_event("inventory_received", "WATER", "2"))
    assert asked(centre.node) == []
    sell_and_settle(stock_event("inventory_received", "TEA", "2"), tea(2))
    assert asked(centre.node) == []  # just enough
    sell_and_settle(tea(1))
    below = [("stock_below_zero", "BR01", "TEA")]
    assert asked(centre.node) == below
    detail = shown(wasl, "stock_below_zero")["detail"]
    assert [side["value"] for side in detail["sides"]] == ["-1"]
    assert detail["suggested"]["decision"] == "accept"
    sell_and_settle(tea(1))
    assert said(centre.node)[2:] == [("below_zero", "-1")]  # asked already
    sell_and_settle(stock_event("inventory_received", "TEA", "3"))  # which had come long ago
    assert asked(centre.node) == []
    assert said(centre.node)[3:] == [("explained", None)]
    sell_and_settle(tea(3))
    assert asked(centre.node) == below
    number = str(shown(wasl, "stock_below_zero")["number"])
    wasl.good("review", "resolve", "centre", number, "--decision", "accept", "--outcome", "theft")
    wasl.bad(
        "review", "resolve", "centre", number, "--decision", "accept", saying="settled already"
    )
    assert asked(centre.node) == []
    sell_and_settle(tea(1))
    assert asked(centre.node) == []  # whoever answered knows that there is none
    sell_and_settle(stock_event("inventory_received", "TEA", "1"))
    assert asked(centre.node) == below  # goods came, and it is below zero all the same
    answer = ["--decision", "edit", "--value", "2"]
    wasl.good("review", "resolve", "centre", number, *answer)
    assert query(centre.node, "SELECT quantity FROM stock WHERE sku = 'TEA'") == [(0,)]
    assert asked(centre.node) == []
    for node in (centre.node, till):
        wait_for(lambda node=node: asked(node) == [], "the answer")
        node.stop()
        verify_clean(wasl, node)
    before = query(centre.node, "SELECT * FROM record_reviews")
    wasl.good("rebuild", "centre")
    assert [row[:8] for row in query(centre.node, "SELECT * FROM record_reviews")] == [
        row[:8] for row in before
    ]
    verify_clean(wasl, centre.node)


# ---------------------------------------------------------------------------- sold prices


def order_of(order, name, **body):
    return event(name, "BR01", ("order", order), body)


def test_a_sale_at_a_price_that_was_changed_by_hand_is_asked_about_and_stands(wasl):
    centre = Centre(wasl)
    till = centre.till()
    token = token_of(wasl, till)
    centre.draft(menu())
    centre.published()
    shows(till, 1)
    right = items(till)
    till.stop()
    edit(till, "UPDATE catalog_item_rows SET price = 100 WHERE id = 'TEA'")
    till.serve()
    honest = sold("BR01", "honest", "COFFEE", 250, catalog=1)
    cheap = sold("BR01", "cheap", "TEA", 1, catalog=1)
    cheap["body"]["lines"] += [{**honest["body"]["lines"][0], "n": 2}]
    cheap["body"]["total"] = cheap["body"]["payments"][0]["amount"] = 251
    sell(till, token, [cheap, honest])
    wait_for(lambda: unsettled(till) == 0, "the sales")
    assert asked(centre.node) == [("ticket_price", "BR01", "cheap")]
    question = shown(wasl, "ticket_price")
    detail = question["detail"]
    assert detail["base"] == "TEA 2 USD, version 1"
    (side,) = detail["sides"]
    assert side["value"] == "TEA 0.01 USD" and detail["suggested"]["decision"] == "accept"
    assert cheap["id"] in question["record"]
    lines = "SELECT t.number, sku, unit_price, amount FROM ticket_lines JOIN tickets AS t ON lsn ="
    lines += " ticket ORDER BY lsn, ticket_lines.number"
    sold_so = [("cheap", "TEA", 100, 1), ("cheap", "COFFEE", 25000, 250)]
    sold_so += [("honest", "COFFEE", 25000, 250)]
    for decision in ("reject", "accept"):  # whatever is answered, nothing is priced again
        for node in (centre.node, till):
            assert query(node, lines) == sold_so
        words = ["review", "resolve", "centre", str(question["number"]), "--decision", decision]
        if decision == "reject":
            wasl.good(*words, "--note", "he sold it to a friend")
        else:
            wasl.bad(*words, saying="settled already")
    assert asked(centre.node) == []
    wait_for(lambda: items(till) == right, "the price to be put right")
    till.stop()
    centre.node.stop()
    for node in (centre.node, till):
        verify_clean(wasl, node)
    wasl.good("rebuild", "centre")
    assert query(centre.node, lines) == sold_so and asked(centre.node) == []


def test_goods_go_back_at_the_price_of_the_version_they_were_sold_from(wasl):
    centre = Centre(wasl)
    till = centre.till()
    centre.draft(menu())
    centre.published()
    backs = []
    amounts = [("right", 200, 1), ("dear", 900, 1), ("early", 900, 2), ("in time", 220, 2)]
    for name, amount, version in amounts:
        backs += [back := sold("BR01", name, "TEA", amount, version, quantity=-1)]
        back["body"]["kind"] = "return" if name != "dear" else "cancellation"
    sell(till, token_of(wasl, till), backs)
    wait_for(lambda: unsettled(till) == 0, "the returns")
    assert asked(centre.node) == [("ticket_price", "BR01", "dear")]
    centre.draft([price("TEA", "2.20")])
    centre.published()
    both = [("ticket_price", "BR01", "dear"), ("ticket_price", "BR01", "early")]
    assert asked(centre.node) == both


def test_a_sale_from_a_version_that_is_not_known_yet_is_compared_when_it_is(wasl):
    """As where the centre was restored from a backup of before it published."""
    centre = Centre(wasl)
    till = centre.till()
    token = token_of(wasl, till)
    centre.draft(menu())
    centre.published()
    amounts = [("wrong", 100), ("right", 220), ("later", 100)]
    sales = [sold("BR01", name, "TEA", amount, catalog=2) for name, amount in amounts]
    sales[2]["body"]["lines"][0]["catalog"] = 3
    sell(till, token, sales)
    wait_for(lambda: unsettled(till) == 0, "the sales")
    assert asked(centre.node) == []
    centre.draft([price("TEA", "2.20")])
    assert centre.published()["version"] == 2
    assert asked(centre.node) == [("ticket_price", "BR01", "wrong")]
    centre.draft([price("TEA", "2.30")])
    centre.published()
    centre.draft([price("TEA", "2.40")])
    centre.published()
    both = [("ticket_price", "BR01", "later"), ("ticket_price", "BR01", "wrong")]
    assert asked(centre.node) == both and len(said(centre.node)) == 2


def test_very_many_sales_that_waited_for_their_version_are_all_asked_about(wasl):
    centre = Centre(wasl)
    till = centre.till()
    centre.draft(menu())
    centre.published()
    token = token_of(wasl, till)
    for part in range(2):
        names = [f"T-{part}-{i}" for i in range(225)]
        sell(till, token, [sold("BR01", name, "TEA", 100, catalog=2) for name in names])
    wait_for(lambda: unsettled(till) == 0, "the sales")
    centre.draft([price("TEA", "2.20")])
    centre.published()
    assert len(asked(centre.node)) in (200, 400, 450)  # others wait for the next look
    wait_for(lambda: len(asked(centre.node)) == 450, "the rest", seconds=60)
    assert len(said(centre.node)) == 450


def test_a_bill_is_asked_about_once_and_an_override_explains_it(wasl):
    centre = Centre(wasl)
    tills = [centre.till(f"till{i}") for i in range(2)]
    manager = token_of(wasl, tills[0], "manager")
    other = token_of(wasl, tills[1], "manager")
    centre.draft(menu())
    centre.published()
    shows(tills[0], 1)

    def opened(order, *amounts):
        events = [order_of(order, "order_opened", kind="dine_in", currency="USD", places=2)]
        total = 0
        for line, amount in amounts:
            text = f"{amount / 100:.2f}"
            body = {"line": line, "sku": "TEA", "quantity": "1", "unit_price": text, "catalog": 1}
            events.append(order_of(order, "line_added", **body))
            total += amount
        return events, total

    def closed(order, total):
        money = {"payment": str(uuid.uuid4()), "method": "cash", "currency": "USD", "amount": total}
        return [
            order_of(order, "payment_taken", **money),
            order_of(order, "sale_completed", total=total, uses=[]),
        ]

    def allowed(order, line, price_text):
        body = {"line": line, "unit_price": price_text, "by": "rana"}
        return order_of(order, "price_overridden", **body)

    def settled(till, token, events):
        sell(till, token, events)
        wait_for(lambda: unsettled(till) == 0, "the order to be settled")

    ids = [str(uuid.uuid4()) for _ in range(4)]
    events, total = opened("O1", (ids[0], 50), (ids[1], 200))
    settled(tills[0], manager, events)
    assert asked(centre.node) == []  # nothing is sold yet
    settled(tills[0], manager, closed("O1", total))
    assert asked(centre.node) == [("order_price", "BR01", "O1")]
    detail = shown(wasl, "order_price")["detail"]
    assert [side["value"] for side in detail["sides"]] == ["TEA 0.5 USD"]
    assert detail["base"] == "TEA 2 USD, version 1"
    events, total = opened("O2", (ids[2], 200))
    settled(tills[0], manager, [*events, allowed("O2", ids[2], "0.25"), *closed("O2", 25)])
    assert asked(centre.node) == [("order_price", "BR01", "O1")]  # somebody answers for O2
    orders = "SELECT id, total FROM orders ORDER BY id"
    assert query(centre.node, orders) == [("O1", 250), ("O2", 25)]
    wait_for(lambda: query(tills[1], orders) == query(centre.node, orders), "the other till")
    settled(tills[1], other, [allowed("O1", ids[0], "0.5")])  # whose till was away meanwhile
    rest = [("order_after_payment", "BR01", "O1")]  # which is another question
    assert asked(centre.node) == rest
    assert said(centre.node) == [("price", None), ("explained", None)]
    for node in (centre.node, *tills):
        wait_for(lambda node=node: asked(node) == rest, "the explanation")
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
