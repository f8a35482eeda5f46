# SPDX-License-Identifier: Apache-2.0
"""Shifts that are closed while the network is away, over what is unsynced, open, or elsewhere."""

import signal
import time
import uuid

from conftest import wait_for
from shop import query, sale
from test_orders import PLACE, Place, added, completed, opened, order_event, paid

SHIFT_ROWS = (
    "SELECT id, state, till, z, opened_at, closed_at, hex(closing) FROM shift_heads ORDER BY 1",
    "SELECT id, hex(origin), lane, upto FROM shift_frozen ORDER BY 1, 2, 3",
    "SELECT hex(event), kind, amount, section, counted_in, shift FROM shift_sections"
    " WHERE type <> 'ticket' ORDER BY 1, 2, 3",  # of whole tickets other tills hear nothing
)


def shift_event(what, shift, **body):
    event = order_event(what, shift, **body)
    event["record"] = {"type": "shift", "id": shift}
    return event


def pay(order, amount, shift, **more):
    event = paid(order, amount)
    event["body"] |= {"shift": shift} | more
    return event


def complete(order, total, shift):
    event = completed(order, total)
    event["body"]["shift"] = shift
    return event


def closing(node, shift, z, counted):
    """A Z as a till's client makes it: of what its node shows, in one look."""
    frontier = "SELECT hex(origin), lane, upto FROM shift_frontier WHERE shift = ?"
    single = "SELECT hex(event) FROM shift_frontier_events WHERE shift = ?"
    totals = (
        "SELECT method, currency, sum(amount) FROM shift_totals WHERE shift = ?"
        " AND section = 'own' AND kind IN ('payment', 'refund') GROUP BY 1, 2"
    )
    lanes = ("critical", "normal", "deferred")
    return shift_event(
        "shift_closed",
        shift,
        z=z,
        streams=[
            {"origin": str(uuid.UUID(hex=origin)), "lane": lanes[lane], "upto": upto}
            for origin, lane, upto in query(node, frontier, shift)
        ],
        events=[{"event": str(uuid.UUID(hex=row[0]))} for row in query(node, single, shift)],
        totals=[
            {"method": method, "currency": currency, "amount": amount}
            for method, currency, amount in query(node, totals, shift)
        ],
        counted=[{"currency": "USD", "amount": counted}],
    )


def total(node, shift, section, kinds="('payment', 'refund')"):
    sql = (
        f"SELECT coalesce(sum(amount), 0) FROM shift_totals WHERE shift IS ? AND section = ?"
        f" AND kind IN {kinds}"
    )
    return query(node, sql, shift, section)[0][0]


def agree(place, seconds=40):
    """Until every node shows the same shifts."""
    place.agree(seconds)

    def shown():
        return [[query(n, sql) for sql in SHIFT_ROWS] for n in (place.centre, *place.tills)]

    wait_for(lambda: all(rows == shown()[0] for rows in shown()), "shifts", lambda: str(shown()))


def test_s5(wasl):
    """A shift is closed offline over drafts, unsynced sales and a payment that another till took:
    nothing vanishes, the Z stays what was printed, and what it did not know is in the next one."""
    place = Place(wasl, 2)
    a, b = place.tills
    drawer = [{"currency": "USD", "amount": 5000}]
    place.write(0, shift_event("shift_opened", "S1", till="T1", float=drawer))
    place.write(0, opened("draft"), added("draft", str(uuid.uuid4()), "4"))
    place.write(0, opened("online"), added("online", str(uuid.uuid4()), "1"))
    place.write(0, pay("online", 250, "S1"), complete("online", 250, "S1"))
    place.write(0, opened("elsewhere"), added("elsewhere", str(uuid.uuid4()), "2"))
    agree(place)
    place.centre.stop(signal.SIGKILL)

    place.write(0, opened("offline"), added("offline", str(uuid.uuid4()), "3"))
    place.write(0, pay("offline", 750, "S1"), complete("offline", 750, "S1"))
    place.write(0, opened("unsynced draft"), added("unsynced draft", str(uuid.uuid4())))
    ticket = sale(PLACE, "T-1")
    ticket["body"]["shift"] = "S1"
    place.write(0, ticket)
    place.write(0, shift_event("cash_moved", "S1", kind="drop", currency="USD", amount=4000))
    before = int(time.time() * 1000)
    late = pay("elsewhere", 500, "S1")  # till B, which A does not see
    place.write(1, late, complete("elsewhere", 500, "S1"))

    z = closing(a, "S1", 1, counted=2250)
    place.write(0, z)
    a.stop(signal.SIGKILL)
    a.serve()
    assert query(a, "SELECT state, z FROM shifts WHERE id = 'S1'") == [("closed", 1)]
    printed = {
        "own": total(a, "S1", "own"),
        "cash": query(a, "SELECT expected, counted, difference FROM shift_cash"),
    }
    assert printed == {"own": 1250, "cash": [(2250, 2250, 0)]}
    drafts = "SELECT id FROM orders WHERE status = 'draft' ORDER BY 1"
    assert query(a, drafts) == [("draft",), ("elsewhere",), ("unsynced draft",)]
    place.write(0, shift_event("shift_opened", "S2", till="T1"))
    place.write(0, pay("draft", 1000, "S2"), complete("draft", 1000, "S2"))  # goes on in the next

    place.centre.serve()
    agree(place)
    for node in (place.centre, a):
        assert total(node, "S1", "own") == 1250  # as printed
        checks = "SELECT said, taken FROM shift_checks WHERE method = 'cash'"
        assert query(node, checks) == [(1250, 1250)]
    for node in (place.centre, a, b):
        assert total(node, None, "waiting") == 500
        assert query(node, "SELECT late FROM shift_cash WHERE shift = 'S1'") == [(500,)]
        assert query(node, drafts) == [("unsynced draft",)]
    assert query(place.centre, "SELECT count(*) FROM reviews WHERE open = 1") == [(0,)]

    place.write(0, closing(a, "S2", 2, counted=1000))
    agree(place)
    for node in (place.centre, a, b):
        assert total(node, "S2", "own") == 1000
        assert total(node, "S2", "late") == 500
        assert total(node, None, "waiting") == 0
        dated = "SELECT at, shift FROM shift_sections WHERE section = 'late' AND kind = 'payment'"
        ((at, of_shift),) = query(node, dated)
        assert (at, of_shift) == (late["at"], "S1") and at >= before
    taken = "SELECT sum(amount) FROM shift_sections WHERE kind IN ('payment', 'refund')"
    assert query(place.centre, taken) == [(250 + 750 + 250 + 500 + 1000,)]
    place.write(0, pay("unsynced draft", 250, "S3"), complete("unsynced draft", 250, "S3"))
    agree(place)
    assert total(place.centre, "S3", "own") == 250  # nobody opened it, and it is there


def test_two_closings_of_one_shift_are_asked_about(wasl):
    place = Place(wasl, 2)
    place.write(0, shift_event("shift_opened", "S1", till="T1"))
    agree(place)
    place.centre.stop(signal.SIGKILL)
    place.write(0, closing(place.tills[0], "S1", 1, counted=0))
    place.write(1, closing(place.tills[1], "S1", 2, counted=5))
    place.centre.serve()
    agree(place)  # on the first in the order, which the tills' clocks say
    ((z,),) = query(place.tills[1], "SELECT z FROM shifts")
    kinds = "SELECT kind, open FROM reviews"
    assert query(place.centre, kinds) == [("shift_closed_twice", 1)]
    (shown,) = wasl.good("review", "list", "centre", "--json").json
    first, second = [side["value"] for side in shown["detail"]["sides"]]
    assert {first, second} == {"Z 1", "Z 2"} and first == f"Z {z}"


def test_the_floor_is_the_same_on_every_till(wasl):
    place = Place(wasl, 2)

    def on(kind, record, what, **body):
        event = order_event(what, record, **body)
        event["record"]["type"] = kind
        return event

    place.write(0, on("table", "T5", "table_set", status="occupied"))
    place.agree()
    place.centre.stop(signal.SIGKILL)
    place.write(0, on("table", "T5", "table_set", status="dirty"))
    place.write(1, on("table", "T5", "table_set", status="available"))
    place.write(0, on("availability", "LAMB", "item_unavailable", state="sold_out", reason="gone"))
    place.write(0, on("customer", "C-17", "customer_set", tier="gold"))
    place.write(1, on("customer", "C-17", "customer_set", locale="ar-LB"))
    place.write(1, on("reservation", "V1", "reservation_requested", sku="LAMB", quantity="2"))
    place.write(1, on("unmet", "D1", "demand_unmet", sku="LAMB", quantity="1", reason="sold_out"))
    place.centre.serve()
    rows = (
        "SELECT id, status IN ('dirty', 'available') FROM floor_tables",
        "SELECT sku, state, reason FROM availability",
        "SELECT code, tier, locale FROM customers",
        "SELECT id, state, sku, quantity FROM reservations",
        "SELECT sku, quantity FROM unmet_demand",
    )
    wanted = [
        [("T5", 1)],
        [("LAMB", "sold_out", "gone")],
        [("C-17", "gold", "ar-LB")],
        [("V1", "denied", "LAMB", 20000)],
        [("LAMB", 10000)],
    ]
    for node in (place.centre, *place.tills):
        wait_for(lambda n=node: [query(n, sql) for sql in rows] == wanted, node.name)
    place.agree()
    assert query(place.centre, "SELECT count(*) FROM stock") == [(0,)]
    newest = "SELECT status, changed_at FROM floor_tables"  # as the tills' clocks say
    assert query(place.tills[0], newest) == query(place.tills[1], newest)
