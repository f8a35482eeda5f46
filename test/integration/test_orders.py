# SPDX-License-Identifier: Apache-2.0
"""Orders on several tills of one place, with the network there and not there."""

import signal
import sqlite3
import struct
import time
import uuid

import chain
import pytest
from conftest import wait_for
from shop import event, post, query, sale, sell, token_of, verify_clean

PLACE = "BR01"
KILL_AT = chain.BUILD / "test" / "chaos" / "libkill_at.so"
ROWS = (
    "SELECT order_id, hex(line), bill, quantity, amount, ifnull(note, ''), flagged"
    " FROM order_lines ORDER BY 1, 2, 3",
    "SELECT id, status, table_name, covers, note, total FROM orders ORDER BY 1",
    "SELECT order_id, bill, status, total, paid, hex(completed_by) FROM order_bills ORDER BY 1, 2",
    "SELECT order_id, hex(payment), amount FROM order_payments ORDER BY 1, 2",
    "SELECT record, kind, part, triggers, open FROM record_reviews ORDER BY 1, 2, 3",
)


def state(node):
    return [query(node, sql) for sql in ROWS]


def order_event(what, order, **body):
    return event(what, PLACE, ("order", order), body)


def opened(order, table="T5"):
    return order_event(
        "order_opened", order, kind="dine_in", table=table, currency="USD", places=2
    )


def added(order, line, quantity="1", price="2.50"):
    return order_event(
        "line_added", order, line=line, sku="COFFEE", quantity=quantity, unit_price=price
    )


def paid(order, amount):
    return order_event(
        "payment_taken",
        order,
        payment=str(uuid.uuid4()),
        method="cash",
        currency="USD",
        amount=amount,
    )


def completed(order, total, quantity="0.02"):
    uses = [{"sku": "BEANS", "quantity": quantity}]
    return order_event("sale_completed", order, total=total, receipt="BR01-1", uses=uses)


class Place:
    """A centre and tills of one place, all serving."""

    def __init__(self, wasl, count):
        self.wasl = wasl
        self.centre = wasl.centre().serve()
        self.tills = [wasl.joined(self.centre, f"till{i}", PLACE).serve() for i in range(count)]
        self.tokens = [token_of(wasl, till, "manager") for till in self.tills]

    def write(self, till, *events):
        return sell(self.tills[till], self.tokens[till], list(events))

    def agree(self, seconds=20):
        """Until every till shows what the centre shows, and nothing is on its way."""
        nodes = [*self.tills, self.centre]
        pending = "SELECT count(*) FROM journal WHERE status IN ('pending', 'held')"

        def same():
            return all(query(till, pending) == [(0,)] for till in self.tills) and all(
                state(node) == state(self.centre) for node in self.tills
            )

        wait_for(same, "tills to agree", lambda: str([state(n) for n in nodes]), seconds)
        for node in nodes:
            verify_clean(self.wasl, node)
        return state(self.centre)


def test_an_order_opened_at_one_till_is_seen_and_paid_at_another(wasl):
    place = Place(wasl, 2)
    line = str(uuid.uuid4())
    place.write(0, opened("O1"), added("O1", line, "4"))
    wait_for(lambda: query(place.tills[1], "SELECT total FROM orders") == [(1000,)], "the order")
    place.write(1, paid("O1", 1000), completed("O1", 1000))
    lines, orders, bills, _, reviews = place.agree()
    assert orders[0][1:3] == ("paid", "T5")
    assert bills[0][2:5] == ("paid", 1000, 1000)
    assert lines[0][3:5] == (40000, 1000)
    assert reviews == []
    assert query(place.centre, "SELECT sku, quantity FROM stock") == [("BEANS", -200)]
    assert query(place.tills[0], "SELECT sku, quantity FROM stock") == [("BEANS", -200)]


def test_s4(wasl):
    """Four tills change one table while none reaches another: nothing is overwritten."""
    place = Place(wasl, 4)
    first = str(uuid.uuid4())
    place.write(0, opened("O1"), added("O1", first, "4"))
    place.agree()
    place.centre.stop(signal.SIGKILL)
    own = [str(uuid.uuid4()) for _ in place.tills]
    for i in range(4):
        place.write(i, added("O1", own[i], "1"))
        place.write(
            i, order_event("line_changed", "O1", line=first, quantity=str(i + 1), note=f"n{i}")
        )
    place.write(0, order_event("order_set", "O1", field="covers", value="6"))
    place.write(1, order_event("order_moved", "O1", table="T9"))
    place.tills[2].stop(signal.SIGKILL)
    place.tills[2].serve()
    place.centre.serve()
    lines, orders, _, _, reviews = place.agree(40)
    assert len(lines) == 5  # the first, and what each added
    assert {row[3] for row in lines} == {10000, 140000}  # 4 + 1 + 2 + 3 + 4
    assert orders[0][2:4] == ("T9", "6")
    (review,) = reviews
    assert review[1:3] == ("line", first) and review[4] == 1
    assert len(review[3].split()) == 4  # every one of the changes is asked about
    (shown,) = wasl.good("review", "list", "centre", "--json").json
    assert (shown["kind"], shown["record"]) == ("order_line", f"O1 {first}")
    both = [{"event": id} for id in review[3].split()]
    answer = order_event(
        "review_resolved", "O1", review="line", part=first, triggers=both, decision="accept"
    )
    place.write(3, answer)
    _, _, _, _, reviews = place.agree()
    assert reviews[0][4] == 0
    assert query(place.centre, "SELECT count(*) FROM order_lines WHERE flagged") == [(0,)]
    assert query(place.centre, "SELECT open FROM reviews") == [(0,)]


def test_an_order_of_too_many_lines(wasl):
    """A till adds no line to an order that has 2,000. Two that are alone may come beyond: all
    count, and a person is asked once."""
    place = Place(wasl, 2)
    place.write(0, opened("O1"))
    place.agree()
    place.centre.stop(signal.SIGKILL)
    for till, count in ((0, 2000), (1, 2)):
        for start in range(0, count, 500):
            few = range(start, min(count, start + 500))
            place.write(till, *(added("O1", str(uuid.uuid4())) for _ in few))
    one_more = [added("O1", str(uuid.uuid4()))]
    status, answer = post(place.tills[0], place.tokens[0], one_more)
    assert status == 200 and answer["results"][0]["status"] == "rejected", answer
    assert "2000 lines" in answer["results"][0]["reason"], answer
    place.centre.serve()
    lines, orders, _, _, reviews = place.agree(40)
    assert len(lines) == 2002 and orders[0][5] == 2002 * 250
    ((_, kind, _, triggers, is_open),) = reviews
    assert (kind, len(triggers.split()), is_open) == ("lines", 1, 1)
    (shown,) = wasl.good("review", "list", "centre", "--json").json
    assert shown["kind"] == "order_lines" and "2,000" in shown["text"], shown
    answer = ["--decision", "accept"]
    wasl.good("review", "resolve", "centre", str(shown["number"]), *answer)
    _, orders, _, _, reviews = place.agree()
    assert orders[0][5] == 2002 * 250 and reviews[0][4] == 0


def test_whose_id_another_till_used_first_is_told_so(wasl):
    """One id, two contents: a line of an order, and a ticket. The later one counts nowhere."""
    place = Place(wasl, 2)
    place.write(0, opened("O1"))
    place.agree()
    place.centre.stop(signal.SIGKILL)
    lines = [added("O1", str(uuid.uuid4()), quantity) for quantity in ("4", "7")]
    tickets = [sale(PLACE, ticket) for ticket in ("T1", "T2")]
    for event_of in (lines, tickets):
        event_of[1]["id"] = event_of[0]["id"]
    for till in range(2):
        place.write(till, lines[till], tickets[till])
        time.sleep(1)  # more than what tills' clocks differ by
    place.centre.serve()
    kept, orders, *_ = place.agree(40)
    assert [row[3] for row in kept] == [40000] and orders[0][5] == 1000
    status = "SELECT type, status FROM journal WHERE type IN ('line_added', 'ticket_recorded')"
    both = ["line_added", "ticket_recorded"]
    wait_for(
        lambda: sorted(query(place.tills[1], status)) == [(kind, "conflict") for kind in both],
        "the loser to be told",
    )
    assert sorted(query(place.tills[0], status)) == [(kind, "settled") for kind in both]
    tickets = "SELECT id, sync_status FROM tickets"
    assert query(place.tills[1], tickets) == [("T2", "conflict")]
    assert query(place.centre, tickets) == [("T1", "settled")]
    assert query(place.centre, "SELECT kind FROM reviews") == [("id_conflict",)] * 2
    stock = "SELECT quantity FROM stock WHERE sku = 'TEA'"
    for node in (place.centre, *place.tills):
        assert query(node, stock) == [(-10000,)]


def test_a_void_beside_a_payment_loses(wasl):
    place = Place(wasl, 2)
    place.write(0, opened("O1"), added("O1", str(uuid.uuid4()), "4"))
    place.agree()
    place.centre.stop(signal.SIGKILL)
    place.write(0, paid("O1", 1000), completed("O1", 1000))
    place.write(1, order_event("order_voided", "O1", reason="left"))
    assert query(place.tills[1], "SELECT status FROM orders") == [("voided",)]
    place.centre.serve()
    _, orders, _, _, reviews = place.agree(40)
    assert orders[0][1] == "paid"
    assert [row[1] for row in reviews] == ["void_lost"]


def test_a_till_that_joins_later_has_the_open_orders(wasl):
    place = Place(wasl, 1)
    place.write(0, opened("O1"), added("O1", str(uuid.uuid4()), "4"))
    place.write(0, opened("O2", "T6"), added("O2", str(uuid.uuid4())))
    place.write(0, paid("O2", 250), completed("O2", 250))
    place.agree()
    late = wasl.joined(place.centre, "late", PLACE).serve()
    wait_for(lambda: query(late, "SELECT 1 FROM orders WHERE id = 'O1'") == [(1,)], "the order")
    verify_clean(wasl, late)


def test_an_event_on_an_order_repeated_by_its_client_counts_once(wasl):
    place = Place(wasl, 2)
    line = str(uuid.uuid4())
    place.write(0, opened("O1"), added("O1", line, "4"))
    change = order_event("line_changed", "O1", line=line, quantity="2")
    place.write(0, change)
    status, answer = post(place.tills[0], place.tokens[0], [change])
    assert (status, answer["results"][0]["status"]) == (200, "duplicate")
    place.agree()
    status, answer = post(place.tills[1], place.tokens[1], [change])  # at another till
    assert status == 200
    lines, *_ = place.agree()
    assert lines[0][3] == 60000


class Mortal:
    """A till that dies before the n-th step of what it does next, if it is told to."""

    def __init__(self, place, till):
        self.place, self.till = place, till
        self.file = place.wasl.folder / "kill_at"
        self.arm(0)
        place.tills[till].stop()
        self.serve()

    @property
    def node(self):
        return self.place.tills[self.till]

    def arm(self, n):
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("@q", n))

    def serve(self):
        self.node.serve(LD_PRELOAD=str(KILL_AT), KILL_AT_FILE=str(self.file))

    def is_dead(self):
        return self.node.process.poll() is not None

    def bury_and_serve(self):
        self.arm(0)
        self.node.process = None
        self.place.wasl.nodes.remove(self.node)
        self.serve()

    def pay(self, order, events):
        """Posts each until it has an answer, as a client does; how often the till died."""
        deaths, acknowledged = 0, []
        for event_ in events:
            status = None
            while status is None:
                status, answer = post(self.node, self.place.tokens[self.till], [event_])
                if self.is_dead():
                    deaths += 1
                    self.bury_and_serve()
                    self.keeps(order, acknowledged)
            assert status == 200 and answer["results"][0]["status"] in ("accepted", "duplicate")
            acknowledged.append(event_["type"])
        return deaths

    def keeps(self, order, acknowledged):
        """What the client was told is there after the start."""
        if "payment_taken" in acknowledged:
            sql = "SELECT count(*) FROM order_payments WHERE order_id = ?"
            assert query(self.node, sql, order) == [(1,)]
        if "sale_completed" in acknowledged:
            assert self.receipt(order) == ("paid", f"R-{order}")

    def receipt(self, order):
        sql = "SELECT status, receipt FROM order_bills WHERE order_id = ?"
        return query(self.node, sql, order)[0]


def test_s2(wasl):
    """Orders known as drafts are paid offline while the till dies at every step, and cancelled by
    who did not see it: they are paid, once, with their receipts, and never drafts again."""
    if not KILL_AT.exists():
        pytest.skip(f"{KILL_AT} is not built")
    place = Place(wasl, 2)
    orders = [f"O{i}" for i in range(1, 61)]
    for order in orders:
        place.write(0, opened(order), added(order, str(uuid.uuid4()), "4"))
    place.agree()
    assert query(place.centre, "SELECT DISTINCT status FROM orders") == [("draft",)]
    place.centre.stop(signal.SIGKILL)
    mortal, deaths = Mortal(place, 0), 0
    for n, order in enumerate(orders, 1):
        mortal.arm(n)
        done = completed(order, 1000) | {"id": str(uuid.uuid4())}
        done["body"]["receipt"] = f"R-{order}"
        died = mortal.pay(order, [paid(order, 1000), done])
        mortal.arm(0)
        assert mortal.receipt(order) == ("paid", f"R-{order}"), n  # the client prints it
        place.write(1, order_event("order_voided", order, reason="left"))
        deaths += died
        if not died:
            break
    assert 6 < deaths < len(orders)  # every step was the last one once
    used = orders[: deaths + 1]
    voided = "SELECT count(*) FROM orders WHERE status = 'voided'"
    assert query(place.tills[1], voided) == [(len(used),)]  # as far as that till knows
    place.centre.serve()
    marks = ",".join("?" * len(used))
    sql = f"SELECT DISTINCT status FROM orders WHERE id IN ({marks})"

    def synced():
        assert query(mortal.node, sql, *used) == [("paid",)]  # at no time anything else
        pending = "SELECT count(*) FROM journal WHERE status IN ('pending', 'held')"
        return all(query(till, pending) == [(0,)] for till in place.tills)

    wait_for(synced, "tills to sync", seconds=60)
    place.agree(60)
    for node in (place.centre, *place.tills):
        assert query(node, sql, *used) == [("paid",)]
        bills = f"SELECT order_id, receipt, paid FROM order_bills WHERE order_id IN ({marks})"
        assert sorted(query(node, bills, *used)) == sorted((o, f"R-{o}", 1000) for o in used)
    lost = "SELECT count(*) FROM reviews WHERE kind = 'order_void_lost' AND open = 1"
    assert query(place.centre, lost) == [(len(used),)]
    drafts = "SELECT count(*) FROM orders WHERE status = 'draft'"
    assert query(place.centre, drafts) == [(len(orders) - len(used),)]


def rows_told(centre):
    return query(
        centre, "SELECT count(*) FROM feed_rows WHERE type = 'event' AND bytes IS NOT NULL"
    )[0][0]


def restart(node):
    node.stop()
    node.serve()


def test_what_is_over_is_not_told_for_good_and_told_again_when_it_is_touched(wasl):
    place = Place(wasl, 2)
    late, line = str(uuid.uuid4()), str(uuid.uuid4())
    place.write(0, opened("OVER"), added("OVER", line, "4"), paid("OVER", 1000))
    place.write(0, completed("OVER", 1000), opened("OPEN", "T6"), added("OPEN", str(uuid.uuid4())))
    place.agree()
    assert rows_told(place.centre) == 6
    place.tills[1].stop(signal.SIGKILL)
    place.centre.stop()
    with sqlite3.connect(place.centre.database) as db:  # the place goes on for years
        db.execute("UPDATE feeds SET head = head + 20000 WHERE location = ?", [PLACE])
        db.execute("UPDATE device_status SET last_seen_at = last_seen_at + 600000")  # not lost
    db.close()
    path = place.centre.path / "wasl.ini"
    path.write_text(path.read_text().replace("[store]\n", "[store]\nkeep_ms = 1000\n"))
    place.centre.serve()
    place.write(0, opened("NEW", "T7"))
    wait_for(lambda: query(place.centre, "SELECT count(*) FROM orders") == [(3,)], "the new order")
    restart(place.tills[0])  # it says how far it is
    time.sleep(3)
    assert rows_told(place.centre) == 7  # the other till has not read of it
    place.tills[1].serve()
    wait_for(lambda: query(place.tills[1], "SELECT count(*) FROM orders") == [(3,)], "the till")
    restart(place.tills[1])
    wait_for(lambda: rows_told(place.centre) == 3, "the order to go", seconds=20)
    place.tills.append(wasl.joined(place.centre, "new", PLACE).serve())
    place.tokens.append(token_of(wasl, place.tills[2], "manager"))
    open_ones = "SELECT id FROM orders ORDER BY 1"
    wait_for(lambda: query(place.tills[2], open_ones) == [("NEW",), ("OPEN",)], "the new till")
    assert len(query(place.tills[0], open_ones)) == 3
    place.write(1, added("OVER", late))  # a waiter who was away
    place.agree()
    assert len(query(place.tills[2], open_ones)) == 3
    assert rows_told(place.centre) == 8
