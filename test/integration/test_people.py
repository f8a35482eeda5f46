# SPDX-License-Identifier: Apache-2.0
"""Who may do what: where an event is made, and where it is judged."""

import signal

import pytest
from conftest import wait_for
from shop import event, post, query, sale, sell, token_of, unsettled, verify_clean

PLACE = "BR01"
JUDGED = "SELECT json_extract(bytes, '$.body') FROM journal WHERE type = 'event_judged'"


def user(who, **body):
    return event("user_set", "*", ("user", who), body)


def cashier(who, *places):
    return user(who, role="cashier", places=[{"location": place} for place in places or (PLACE,)])


def by(who, made):
    return {**made, "actor": who}


def received(sku="TEA"):
    return event("inventory_received", PLACE, ("stock", sku), {"sku": sku, "quantity": "10"})


def opened(order="O1"):
    body = {"kind": "dine_in", "table": "T5", "currency": "USD", "places": 2}
    return event("order_opened", PLACE, ("order", order), body)


def voided(order="O1"):
    return event("order_voided", PLACE, ("order", order), {"reason": "left"})


class Shop:
    """A centre that declares people, and a till that knows them."""

    def __init__(self, wasl):
        self.wasl = wasl
        self.centre = wasl.centre().serve()
        self.owner = token_of(wasl, self.centre, "owner")
        self.till = wasl.joined(self.centre, "till", PLACE).serve()
        self.token = token_of(wasl, self.till, "manager")

    def say(self, *events):
        return sell(self.centre, self.owner, list(events))

    def known(self, sql="SELECT count(*) FROM users", count=1):
        wait_for(lambda: query(self.till, sql) == [(count,)], "people")

    def at_till(self, *events):
        status, answer = post(self.till, self.token, list(events))
        assert status == 200, answer
        return [(r["status"], r.get("reason", "")) for r in answer["results"]]

    def settle(self):
        wait_for(lambda: unsettled(self.till) == 0, "everything to settle")

    def judged(self):
        return [row[0] for row in query(self.centre, JUDGED)]


def test_a_till_takes_what_its_people_may_do_and_says_what_they_may_not(wasl):
    shop = Shop(wasl)
    (hired,) = shop.say(cashier("C1"))
    shop.say(cashier("C2", "BR02"), user("M1", role="manager", places=[{"location": "*"}]))
    shop.known(count=3)
    sold = by("C1", sale(PLACE, "1"))
    results = shop.at_till(
        sold,
        by("C1", received()),
        by("C2", sale(PLACE, "2")),
        by("M1", received()),
        by("C9", sale(PLACE, "3")),
        sale(PLACE, "4"),
    )
    assert [status for status, _ in results] == [
        "accepted",
        "rejected",
        "rejected",
        "accepted",
        "accepted",  # perhaps somebody new: the centre knows
        "accepted",
    ]
    assert results[1][1] == "event: actor: C1 lacks the right 'stock'"
    assert results[2][1] == "event: actor: C2 does not work at this place"
    grants = "SELECT bytes ->> '$.grant' FROM journal WHERE bytes ->> '$.actor' = ?"
    assert query(shop.till, grants, "C1") == [(hired,)]
    assert query(shop.till, grants, "C9") == [(None,)]
    assert shop.at_till(sold) == [("duplicate", "")]  # whatever the node filled in
    shop.settle()
    wait_for(lambda: len(shop.judged()) == 1, "a judgement", shop.judged)
    assert '"unauthorised"' in shop.judged()[0]
    reviews = wasl.good("review", "list", "centre", "--json").json
    assert [r["kind"] for r in reviews] == ["ticket_unauthorised"], reviews
    verify_clean(wasl, shop.centre)
    verify_clean(wasl, shop.till)


@pytest.mark.parametrize(("decision", "status"), [("accept", "voided"), ("reject", "draft")])
def test_an_intent_without_the_right_is_held_and_the_till_shows_what_counts(wasl, decision, status):
    shop = Shop(wasl)
    shop.say(cashier("C1"))
    shop.known()
    shop.at_till(by("C1", opened()))
    shop.settle()
    shop.centre.stop(signal.SIGKILL)
    shop.at_till(by("C9", voided()))  # never heard of here: the centre must say
    state = "SELECT status FROM orders"
    assert query(shop.till, state) == [("voided",)]
    shop.centre.serve()
    shop.settle()
    wait_for(lambda: query(shop.till, state) == [("draft",)], "the official value")
    assert query(shop.centre, state) == [("draft",)]
    (judged,) = shop.judged()
    assert '"held"' in judged and '"unauthorised"' in judged
    kept = "SELECT count(*) FROM journal WHERE type = 'order_voided' AND status <> 'dead_letter'"
    assert query(shop.centre, kept) == [(1,)]
    (review,) = wasl.good("review", "list", "centre", "--json").json
    assert review["kind"] == "order_unauthorised", review
    wasl.good("review", "resolve", "centre", str(review["number"]), "--decision", decision)
    for node in (shop.centre, shop.till):
        wait_for(lambda node=node: query(node, state) == [(status,)], "the answer")
        verify_clean(wasl, node)
    assert wasl.good("review", "list", "centre", "--json").json == []


def test_who_was_promoted_while_the_till_was_away_had_not_the_right_yet(wasl):
    shop = Shop(wasl)
    shop.say(cashier("C1"))
    shop.known()
    shop.centre.stop(signal.SIGKILL)
    ((status, reason),) = shop.at_till(by("C1", received()))
    assert status == "rejected" and "'stock'" in reason
    shop.at_till(by("C1", sale(PLACE, "1")))
    shop.centre.serve()
    shop.say(user("C1", role="manager"))
    shop.known("SELECT role FROM users", "manager")
    assert shop.at_till(by("C1", received())) == [("accepted", "")]
    shop.settle()
    assert shop.judged() == []


def test_a_token_is_a_ceiling_whoever_is_named(wasl):
    shop = Shop(wasl)
    shop.say(user("B1", role="owner", places=[{"location": "*"}]))
    shop.known()
    kitchen = token_of(wasl, shop.till, "kitchen")
    status, answer = post(shop.till, kitchen, [sale(PLACE, "1"), by("B1", sale(PLACE, "2"))])
    assert status == 200
    assert [r["status"] for r in answer["results"]] == ["rejected", "rejected"]
    assert "the right 'sell'" in answer["results"][1]["reason"]


def test_a_role_is_changed_for_people_and_tokens_alike(wasl):
    shop = Shop(wasl)
    rights = [{"right": "sell"}, {"right": "stock"}]
    shop.say(cashier("C1"), event("role_set", "*", ("role", "cashier"), {"rights": rights}))
    shop.known("SELECT count(*) FROM role_rights", 2)
    assert shop.at_till(by("C1", received())) == [("accepted", "")]
    token = token_of(wasl, shop.till, "cashier")
    status, answer = post(shop.till, token, [received("CUP"), opened()])
    assert [r["status"] for r in answer["results"]] == ["accepted", "rejected"], (status, answer)


def test_who_was_dismissed_counts_until_the_till_is_told(wasl):
    shop = Shop(wasl)
    shop.say(user("M1", role="manager", places=[{"location": PLACE}]))
    shop.known()
    shop.at_till(by("M1", opened()))
    shop.settle()
    shop.till.stop()
    ini = shop.till.path / "wasl.ini"
    reaches = ini.read_text()
    ini.write_text(reaches.replace(f":{shop.centre.port}", ":9"))  # nobody answers there
    shop.till.serve()
    shop.say(user("M1", active=False))
    assert shop.at_till(by("M1", voided())) == [("accepted", "")]
    shop.till.stop()
    ini.write_text(reaches)
    shop.till.serve()
    shop.settle()
    shop.known("SELECT active FROM users", 0)
    assert shop.judged() == []  # it could not know
    assert query(shop.centre, "SELECT status FROM orders") == [("voided",)]
    ((status, reason),) = shop.at_till(by("M1", opened("O2")))
    assert status == "rejected" and "does not work here any more" in reason


def test_a_till_that_joins_later_knows_everybody_and_a_rebuilt_centre_says_it_again(wasl):
    shop = Shop(wasl)
    shop.say(cashier("C1"), cashier("C2"), user("C2", active=False))
    shop.known(count=2)
    late = wasl.joined(shop.centre, "late", "BR02").serve()
    rows = "SELECT id, role, active, hex(changed_in) FROM users ORDER BY id"
    wait_for(lambda: query(late, rows) == query(shop.centre, rows), "the people")
    shop.centre.stop()
    wasl.good("rebuild", "centre")
    shop.centre.serve()
    shop.say(cashier("C3"))
    for till in (late, shop.till):
        wait_for(lambda: query(till, rows) == query(shop.centre, rows), "all of them")
        verify_clean(wasl, till)
    verify_clean(wasl, shop.centre)


def test_only_the_centre_says_who_works_in_the_chain(wasl):
    shop = Shop(wasl)
    owner = token_of(wasl, shop.till, "owner")
    status, answer = post(shop.till, owner, [cashier("C1")])
    assert status == 200
    assert "another location" in answer["results"][0]["reason"]
    manager = token_of(wasl, shop.centre, "manager")
    status, answer = post(shop.centre, manager, [cashier("C1")])
    assert "the right 'people'" in answer["results"][0]["reason"]
    misplaced = event("user_set", PLACE, ("user", "C1"), {})
    status, answer = post(shop.centre, shop.owner, [misplaced])
    assert "whole chain" in answer["results"][0]["reason"]


@pytest.mark.parametrize(("decision", "first"), [("accept", "confirmed"), ("reject", "denied")])
def test_a_reservation_that_a_person_lets_in_still_wants_stock(wasl, decision, first):
    shop = Shop(wasl)
    shop.say(cashier("C1"))
    shop.known()
    shop.at_till(by("C1", sale(PLACE, "1")), received("LAMB"))
    shop.settle()
    states = "SELECT id, state FROM reservations ORDER BY id"

    def reserve(name, who):
        body = {"sku": "LAMB", "quantity": "10"}
        shop.at_till(by(who, event("reservation_requested", PLACE, ("reservation", name), body)))
        shop.settle()

    reserve("first", "C9")  # never heard of at the till: it waits
    reserve("second", "C9")
    assert query(shop.centre, states) == [("first", "held"), ("second", "held")]
    for name in ("first", "second"):
        listed = wasl.good("review", "list", "centre", "--json").json
        (number,) = [r["number"] for r in listed if r["record"] == name]
        wasl.good("review", "resolve", "centre", str(number), "--decision", decision)
    for node in (shop.centre, shop.till):
        wanted = [("first", first), ("second", "denied")]
        wait_for(lambda node=node: query(node, states) == wanted, "the answers")
        verify_clean(wasl, node)
