# SPDX-License-Identifier: Apache-2.0
"""What authors say they saw of stock, held against what they could know."""

import json
import signal
import sqlite3
import time
import uuid

import pytest
from conftest import wait_for
from shop import event, query, sale, token_of, unsettled, verify_clean
from test_api import Client
from test_orders import PLACE, Place

SAID = (
    "SELECT json_extract(bytes, '$.body.reason'), json_extract(bytes, '$.body.shown'),"
    " json_extract(bytes, '$.body.expected'), json_extract(bytes, '$.body.correction')"
    " FROM journal WHERE type = 'event_judged' ORDER BY lsn"
)
APART_S = 1  # more than what tills' clocks differ by as they follow that of the centre
STOCK = "SELECT quantity FROM stock WHERE sku = 'TEA'"


def stock_event(what, **body):
    return event(what, PLACE, ("stock", "TEA"), {"sku": "TEA", **body})


def received(quantity):
    return stock_event("inventory_received", quantity=quantity)


def sold(quantity, seen=None):
    more = {} if seen is None else {"seen_quantity": seen}
    return stock_event("inventory_sold", quantity=quantity, **more)


def counted(system, found, what="inventory_adjusted", **more):
    variance = str(int(found) - int(system))
    return stock_event(what, counted=found, system=system, variance=variance, **more)


class Shelf(Place):
    """A place with so much on its shelf, as every till knows."""

    def __init__(self, wasl, quantity):
        super().__init__(wasl, 2)
        self.write(0, received(quantity))
        self.show(quantity)

    def show(self, quantity):
        for node in (*self.tills, self.centre):
            wait_for(lambda n=node: query(n, STOCK) == [(int(quantity) * 10000,)], "the stock")

    def arrive(self, till):
        """A till comes back with what it has, while no other is there."""
        self.tills[till].serve()
        wait_for(lambda: unsettled(self.tills[till]) == 0, "the till's events")
        self.tills[till].stop()

    def apart(self, *written):
        """Each till writes while it is alone; then they come in the order given."""
        self.centre.stop(signal.SIGKILL)
        for till, what in written:
            self.write(till, what)
            time.sleep(APART_S)
        for till in self.tills:
            till.stop(signal.SIGKILL)
        self.centre.serve()

    def end(self, quantity):
        for till in self.tills:
            if till.process is None:
                till.serve()
        self.show(quantity)
        for node in (*self.tills, self.centre):
            verify_clean(self.wasl, node)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("what", ["inventory_adjusted", "inventory_counted"])
def test_a_count_and_a_sale_that_it_could_not_know_of(wasl, first, what):
    """100 units, a count to 95 and a sale of 5: 90, and a person is asked."""
    more = {"count": "C1", "part": 1, "parts": 1} if what == "inventory_counted" else {}
    shelf = Shelf(wasl, "100")
    shelf.apart((1, sold("5")), (0, counted("100", "95", what, **more)))
    shelf.arrive(first)
    shelf.arrive(1 - first)
    assert query(shelf.centre, SAID) == [("overlap", "100", "100", "5")]
    shelf.end("90")


def test_no_id_and_no_cause_keeps_a_count_from_being_looked_at(wasl):
    shelf = Shelf(wasl, "100")
    count = counted("100", "95") | {
        "id": "017f22e2-79b0-8cc3-98c4-dc0c0c07398f",  # of version 8, as of an import
        "cause": str(uuid.uuid4()),
    }
    shelf.apart((1, sold("5")), (0, count))
    shelf.arrive(1)
    shelf.arrive(0)
    assert query(shelf.centre, SAID) == [("overlap", "100", "100", "5")]
    shelf.end("90")


def test_a_sale_after_a_count_is_a_sale(wasl):
    shelf = Shelf(wasl, "100")
    shelf.apart((0, counted("100", "95")), (1, sold("5")))
    shelf.arrive(0)
    shelf.arrive(1)
    assert query(shelf.centre, SAID) == []
    shelf.end("90")


def test_tickets_of_another_till_before_a_count_are_one_overlap(wasl):
    shelf = Shelf(wasl, "100")
    shelf.centre.stop(signal.SIGKILL)
    shelf.write(1, *(sale(PLACE, f"T{i}") for i in range(7)))
    time.sleep(APART_S)
    shelf.write(0, counted("100", "93"))
    shelf.tills[1].stop(signal.SIGKILL)
    shelf.centre.serve()
    wait_for(lambda: unsettled(shelf.tills[0]) == 0, "the count")
    shelf.tills[1].serve()
    wait_for(lambda: unsettled(shelf.tills[1]) == 0, "the tickets")
    said = query(shelf.centre, SAID)
    assert {row[0] for row in said} == {"overlap"} and sum(int(row[3]) for row in said) == 7
    shelf.end("86")


def renew_feeds(centre):
    """Every till takes a fresh copy when it comes back."""
    centre.stop()
    with sqlite3.connect(centre.database) as db:
        db.execute("UPDATE feeds SET id = randomblob(16)")
    db.close()
    centre.serve()


@pytest.mark.parametrize("first", [0, 1])
def test_a_count_by_a_feed_that_is_gone_is_asked_about(wasl, first):
    """Nobody can tell any more what its author had not seen."""
    shelf = Shelf(wasl, "100")
    shelf.apart((1, sold("5")), (0, counted("100", "95")))
    renew_feeds(shelf.centre)
    shelf.arrive(first)
    shelf.arrive(1 - first)
    asked = [("overlap", "100", "100", "5"), ("unchecked", "100", "95", "0")][first]
    assert query(shelf.centre, SAID) == [asked]
    shelf.end("90")
    ((number, *asks),) = query(shelf.centre, "SELECT number, kind, open FROM reviews")
    assert asks == [f"stock_{asked[0]}", 1]
    shown = wasl.good("review", "show", shelf.centre.name, str(number)).out
    assert "to edit    --value is added to the stock" in shown, shown


def test_a_till_that_starts_afresh_is_told_what_is_asked(wasl):
    shelf = Shelf(wasl, "100")
    shelf.apart((1, sold("5")), (0, counted("100", "95")))
    shelf.arrive(0)
    shelf.arrive(1)
    asked = "SELECT kind, part, triggers, open FROM record_reviews"
    told = query(shelf.centre, asked)
    assert [(row[0], row[3]) for row in told] == [("overlap", 1)]
    shelf.tills.append(wasl.joined(shelf.centre, "new", PLACE))
    shelf.tills[0].serve()
    wait_for(lambda: query(shelf.tills[0], asked) == told, "the till that was there")
    renew_feeds(shelf.centre)
    for till in shelf.tills[1:]:
        till.serve()
    feed = query(shelf.centre, "SELECT id FROM feeds WHERE location = ?", PLACE)
    copied = "SELECT feed FROM feed_cursors WHERE location = ? AND fresh = 0"
    for till in shelf.tills:
        wait_for(lambda t=till: query(t, copied, PLACE) == feed, f"{till.name}'s copy")
        assert query(till, asked) == told
    number = query(shelf.centre, "SELECT number FROM reviews")[0][0]
    owner = Client(shelf.centre, token_of(wasl, shelf.centre, "owner"))
    body = {"decision": "reject", "outcome": "other"}
    assert owner("POST", f"/api/v1/reviews/{number}/resolve", body).code == 200
    renew_feeds(shelf.centre)
    for till in shelf.tills:
        wait_for(lambda t=till: [r[3] for r in query(t, asked)] == [0], f"{till.name} to know")
    shelf.end("90")


def test_an_answer_puts_back_what_a_count_took_twice(wasl):
    shelf = Shelf(wasl, "100")
    shelf.apart((1, sold("5")), (0, counted("100", "95")))
    shelf.arrive(0)
    shelf.arrive(1)
    asked = "SELECT number, kind, open FROM reviews WHERE kind LIKE 'stock_%'"
    [(number, kind, is_open)] = query(shelf.centre, asked)
    assert (kind, is_open) == ("stock_overlap", 1)
    detail = json.loads(query(shelf.centre, "SELECT detail FROM reviews")[0][0])
    assert detail["suggested"]["decision"] == "edit" and detail["suggested"]["value"] == "5"
    body = {"decision": "edit", "value": "much", "outcome": "other"}
    token = token_of(wasl, shelf.centre, "owner")
    path = f"/api/v1/reviews/{number}/resolve"
    assert Client(shelf.centre, token)("POST", path, body).code == 400
    body["value"] = "5"  # added to what is there
    assert Client(shelf.centre, token)("POST", path, body).code == 200
    assert query(shelf.centre, asked) == [(number, kind, 0)]
    assert len(query(shelf.centre, SAID)) == 1  # what makes up for it is no count
    shelf.end("95")


def test_a_branch_that_believes_in_less_than_there_is(wasl):
    """The system shows 50, a branch sells 3 believing 48."""
    shelf = Shelf(wasl, "50")
    shelf.write(1, sold("3", "48"))
    shelf.show("47")
    assert query(shelf.centre, SAID) == [("difference", "48", "50", "-2")]
    kinds = "SELECT kind, open FROM reviews"
    assert query(shelf.centre, kinds) == [("stock_difference", 1)]
    wait_for(lambda: query(shelf.tills[0], kinds) == [("stock_difference", 1)], "the question")
    bytes_ = query(shelf.tills[1], "SELECT bytes FROM journal WHERE type = 'inventory_sold'")
    assert json.loads(bytes_[0][0])["seen"]["position"] > 0
    shelf.end("47")


@pytest.mark.parametrize("first", [0, 1])
def test_a_sale_that_it_had_not_seen_explains_what_it_believed(wasl, first):
    shelf = Shelf(wasl, "50")
    shelf.apart((0, sold("2")), (1, sold("3", "50")))
    shelf.arrive(first)
    shelf.arrive(1 - first)
    assert query(shelf.centre, SAID) == []
    shelf.end("45")


def test_its_own_sale_before_explains_what_it_believed(wasl):
    shelf = Shelf(wasl, "50")
    shelf.apart((1, sold("2")), (1, sold("3", "48")), (1, sold("1")))
    shelf.arrive(1)
    assert query(shelf.centre, SAID) == []
    shelf.end("44")


def shown_at(shelf, till):
    """What a client sees; while a page is on its way it does not say up to where."""
    client = Client(shelf.tills[till], shelf.tokens[till])
    shown = []

    def look():
        shown[:] = [client("GET", "/api/v1/stock").json]
        return shown[0]["seen"]

    wait_for(look, "a position")
    return shown[0]


@pytest.mark.parametrize("says", [True, False])
def test_a_client_that_counts_what_it_was_shown_earlier(wasl, says):
    """It was shown 100, five left at another till, then it says what it counted then."""
    shelf = Shelf(wasl, "100")
    shown = shown_at(shelf, 0)
    assert [(row["sku"], row["quantity"]) for row in shown["stock"]] == [("TEA", "100")]
    (seen,) = shown["seen"]
    assert seen["location"] == PLACE
    shelf.write(1, sold("5"))
    shelf.show("95")
    count = counted("100", "100")
    if says:
        count["seen"] = {"feed": seen["feed"], "position": seen["position"]}
    shown_at(shelf, 0)  # else its node could not say either
    shelf.write(0, count)
    wait_for(lambda: unsettled(shelf.tills[0]) == 0, "the count")
    assert [row[0] for row in query(shelf.centre, SAID)] == ["overlap" if says else "difference"]
    shelf.end("95")


def test_a_position_that_nobody_was_shown_hides_no_count(wasl):
    shelf = Shelf(wasl, "100")
    client = Client(shelf.tills[0], shelf.tokens[0])
    (seen,) = shown_at(shelf, 0)["seen"]
    ahead = {"feed": seen["feed"], "position": seen["position"] + 1}
    foreign = {"feed": str(uuid.uuid4()), "position": 1}
    counts = [counted("100", "60") | {"seen": where} for where in (ahead, foreign)]
    sales = [sold("1", "60") | {"seen": where} for where in (ahead, foreign)]
    answers = client("POST", "/api/v1/events", {"events": counts + sales}).json["results"]
    said = [(answer["status"], answer.get("reason", "")[:20]) for answer in answers]
    assert said[:2] == [
        ("rejected", "seen: this node has "),
        ("rejected", "seen: of a feed that"),
    ]
    assert [status for status, _ in said[2:]] == ["accepted", "accepted"]
    shelf.end("98")


def test_an_id_with_two_contents_leaves_every_till_with_the_stock_of_the_centre(wasl):
    shelf = Shelf(wasl, "10")
    shelf.centre.stop()
    first = sold("1")
    shelf.write(0, first)
    time.sleep(APART_S)
    shelf.write(1, {**first, "body": {"sku": "TEA", "quantity": "2"}})
    shelf.centre.serve()
    for till in shelf.tills:
        wait_for(lambda t=till: unsettled(t) == 0, "the sales")
    shelf.show("9")
    assert query(shelf.centre, "SELECT kind, open FROM reviews") == [("id_conflict", 1)]
    lost = "SELECT type FROM journal WHERE status = 'conflict'"
    assert query(shelf.tills[0], lost) == []
    wait_for(lambda: query(shelf.tills[1], lost) == [("inventory_sold",)], "the loser to be told")
    for node in (shelf.centre, *shelf.tills):
        verify_clean(wasl, node)
