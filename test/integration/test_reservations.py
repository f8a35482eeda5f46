# SPDX-License-Identifier: Apache-2.0
"""Goods that are kept for somebody: the centre decides, once, against what is really there."""

import shutil
import signal
import threading
import time

import pytest
from conftest import wait_for
from shop import event, query, unsettled, verify_clean
from test_api import Client
from test_orders import PLACE, Place, completed, opened, paid

SKU = "LAMB"
STATES = "SELECT id, state FROM reservations ORDER BY 1"
JUDGED = (
    "SELECT json_extract(bytes, '$.body.outcome') || ' ' || json_extract(bytes, '$.body.reason')"
    " FROM journal WHERE type = 'event_judged' AND json_extract(bytes, '$.record.type')"
    " = 'reservation' AND json_extract(bytes, '$.record.id') = ?"
)


def reserved(name, quantity="1", at=None, **body):
    record = ("reservation", name)
    body = {"sku": SKU, "quantity": quantity, **body}
    return event("reservation_requested", PLACE, record, body, at=at)


def released(name):
    return event("reservation_released", PLACE, ("reservation", name), {"reason": "they left"})


def sold(order, quantity="1"):
    """An order's whole visit, and what it takes from stock."""
    what = completed(order, 250)
    what["body"]["uses"] = [{"sku": SKU, "quantity": quantity}]
    return [opened(order), paid(order, 250), what]


class Kitchen(Place):
    """Two tills of one place, with so much meat, as everybody knows."""

    def __init__(self, wasl, quantity, count=2):
        super().__init__(wasl, count)
        self.write(0, event("inventory_received", PLACE, ("stock", SKU),
                            {"sku": SKU, "quantity": quantity}))
        for node in (*self.tills, self.centre):
            wait_for(lambda n=node: query(n, "SELECT count(*) FROM stock") == [(1,)], "the stock")

    def states(self, node=None):
        return dict(query(node or self.centre, STATES))

    def become(self, **wanted):
        for node in (self.centre, *self.tills):
            if node.process is not None:
                wait_for(lambda n=node: self.states(n) == wanted, f"{wanted}",
                         lambda n=node: str(self.states(n)))

    def come(self, till):
        self.tills[till].serve()
        wait_for(lambda: unsettled(self.tills[till]) == 0, "what the till wrote")

    def alone(self, *written):
        """Each till writes while it reaches nobody; then all are off and the centre is back."""
        self.centre.stop(signal.SIGKILL)
        for till, what in written:
            self.write(till, *what)
        for till in self.tills:
            till.stop(signal.SIGKILL)
        self.centre.serve()

    def check(self):
        for node in (*self.tills, self.centre):
            verify_clean(self.wasl, node)
        twice = (
            "SELECT json_extract(bytes, '$.body.target') FROM journal WHERE type = 'event_judged'"
            " GROUP BY 1 HAVING count(*) > 1"
        )
        assert query(self.centre, twice) == []


def test_of_two_who_want_the_last_one_who_comes_first_has_it(wasl):
    """Arrival decides, not who asked first, and the waiter's table and station are named."""
    kitchen = Kitchen(wasl, "1")
    late = reserved("late", order_id="O1", station="grill")
    kitchen.alone((0, [late]), (1, [reserved("early")]))
    kitchen.come(1)
    kitchen.come(0)
    kitchen.become(early="confirmed", late="denied")
    wanted = "SELECT kind, record, open, detail FROM reviews WHERE kind = 'reservation_denied'"
    for node in (kitchen.centre, *kitchen.tills):
        wait_for(lambda n=node: len(query(n, wanted)) == 1, "the question")
        ((_, record, is_open, detail),) = query(node, wanted)
        assert (record, is_open) == ("late", 1)
        assert "1 LAMB, order O1, station grill" in detail
    kitchen.check()


def test_what_is_released_is_there_for_the_next(wasl):
    kitchen = Kitchen(wasl, "1")
    kitchen.write(0, reserved("first"))
    kitchen.become(first="confirmed")
    kitchen.write(1, reserved("second"))
    kitchen.become(first="confirmed", second="denied")
    kitchen.write(0, released("first"))
    kitchen.become(first="released", second="denied")
    kitchen.write(1, reserved("third"))
    kitchen.become(first="released", second="denied", third="confirmed")
    kitchen.check()


def test_what_ran_out_is_there_for_the_next(wasl):
    kitchen = Kitchen(wasl, "1")
    soon = int(time.time() * 1000) + 1500
    kitchen.write(0, reserved("short", until_at=soon))
    kitchen.become(short="confirmed")
    kitchen.write(1, reserved("during"))
    kitchen.become(short="confirmed", during="denied")
    wait_for(lambda: time.time() * 1000 > soon, "its end")
    kitchen.write(1, reserved("after"))
    kitchen.become(short="confirmed", during="denied", after="confirmed")
    kitchen.check()


def test_one_that_comes_behind_its_end_is_never_confirmed(wasl):
    kitchen = Kitchen(wasl, "5")
    soon = int(time.time() * 1000) + 500
    kitchen.alone((0, [reserved("slow", until_at=soon)]))
    assert kitchen.states(kitchen.tills[0]) == {"slow": "pending"}
    wait_for(lambda: time.time() * 1000 > soon, "its end")
    kitchen.come(0)
    kitchen.become(slow="expired")
    assert query(kitchen.centre, JUDGED, "slow") == [("denied deadline",)]
    kitchen.check()


def test_what_a_till_sold_while_it_was_alone_is_no_alarm(wasl):
    """Its own sale took the stock: nobody must be told that it is not there."""
    kitchen = Kitchen(wasl, "1")
    kitchen.alone((0, [reserved("mine", order_id="O1"), *sold("O1")]))
    kitchen.come(0)
    wait_for(lambda: kitchen.states() == {"mine": "confirmed"}, "the reservation")
    assert query(kitchen.centre, "SELECT quantity FROM stock") == [(0,)]
    assert query(kitchen.centre, "SELECT count(*) FROM reviews WHERE open") == [(0,)]
    kitchen.tills[1].serve()
    kitchen.write(1, reserved("other"))
    kitchen.become(mine="confirmed", other="denied")
    kitchen.check()


def test_a_sold_one_is_not_counted_twice(wasl):
    """Two there, one kept for an order: when that is sold, one is left and not none."""
    kitchen = Kitchen(wasl, "2")
    kitchen.write(0, reserved("mine", order_id="O1"))
    kitchen.become(mine="confirmed")
    kitchen.write(0, *sold("O1"))
    wait_for(lambda: query(kitchen.centre, "SELECT quantity FROM stock") == [(10000,)], "the sale")
    kitchen.write(1, reserved("next"))
    kitchen.become(mine="confirmed", next="confirmed")
    for node, token in zip(kitchen.tills, kitchen.tokens, strict=True):
        (row,) = Client(node, token)("GET", "/api/v1/stock").json["stock"]
        assert (row["quantity"], row["kept"]) == ("1", "1")
    kitchen.write(1, reserved("one_more"))
    kitchen.become(mine="confirmed", next="confirmed", one_more="denied")
    kitchen.check()


def test_a_clock_a_day_ahead_does_not_keep_goods_for_a_day(wasl):
    kitchen = Kitchen(wasl, "1")
    tomorrow = int(time.time() * 1000) + 24 * 3600 * 1000
    kitchen.write(0, reserved("ahead", at=tomorrow))
    kitchen.become(ahead="confirmed")
    ((until,),) = query(kitchen.centre, "SELECT until_at FROM reservations")
    assert abs(until - time.time() * 1000 - 15 * 60 * 1000) < 60 * 1000
    kitchen.check()


@pytest.mark.parametrize("kill", [False, True])
def test_many_at_once_get_what_there_is_and_no_more(wasl, kill):
    """Tills ask at the same time for more than there is, while the centre dies."""
    kitchen = Kitchen(wasl, "5")
    names = [f"R{i:02}" for i in range(20)]

    def ask(till):
        for name in names[till::2]:
            kitchen.write(till, reserved(name))

    threads = [threading.Thread(target=ask, args=(till,)) for till in (0, 1)]
    for thread in threads:
        thread.start()
    if kill:
        wait_for(lambda: len(kitchen.states()) > 2, "some")
        kitchen.centre.stop(signal.SIGKILL)
        kitchen.centre.serve()
    for thread in threads:
        thread.join()
    wait_for(lambda: sorted(kitchen.states()) == names, "all of them")
    states = list(kitchen.states().values())
    assert (states.count("confirmed"), states.count("denied")) == (5, 15)
    kitchen.become(**kitchen.states())
    kitchen.check()


def test_a_restored_centre_keeps_nothing_until_a_person_says_so(wasl):
    """What it had confirmed is told again; it is decided once people know what was lost."""
    kitchen = Kitchen(wasl, "1")
    kitchen.centre.stop()
    shutil.copytree(kitchen.centre.path, wasl.folder / "yesterday")
    kitchen.centre.serve()
    kitchen.write(0, reserved("mine"))
    kitchen.become(mine="confirmed")
    kitchen.centre.stop()
    shutil.rmtree(kitchen.centre.path)
    shutil.copytree(wasl.folder / "yesterday", kitchen.centre.path)
    kitchen.centre.serve()
    wait_for(lambda: kitchen.states() == {"mine": "pending"}, "the request", seconds=60)
    assert query(kitchen.centre, JUDGED, "mine") == []
    wasl.good("central", "recovered", "centre")
    kitchen.become(mine="confirmed")
    kitchen.check()
