# SPDX-License-Identifier: Apache-2.0
"""What a chain decides for itself, and who goes by it."""

import signal

import pytest
from catalog import Centre, item, price
from conftest import wait_for
from shop import event, post, query, sale, sell, token_of, unsettled, verify_clean
from test_api import Client
from test_judged import JUDGED, away
from test_reservations import SKU, Kitchen, reserved

PLACE = "BR01"
ASKED = "SELECT record, kind, open FROM record_reviews ORDER BY 1, 2"
PRICES = "SELECT id, price FROM prices WHERE location = 'BR01' AND price IS NOT NULL"


def setting(key, value, location="*"):
    return event("setting_set", location, ("setting", key), {"value": value})


def decide(wasl, centre, *settings):
    centre.serve()
    sell(centre, token_of(wasl, centre, "owner"), list(settings))
    centre.stop()


@pytest.mark.parametrize("hours", [None, "24", "36"])
def test_a_chain_says_how_long_a_price_may_wait(wasl, hours):
    centre = wasl.centre()
    settings = [setting("price_authority", "branch")]
    if hours:
        settings.append(setting("pending_hours/price_set", hours))
    decide(wasl, centre, *settings)
    till = away(wasl, centre, -30, [price("TEA", "3.00", PLACE), sale(PLACE, "T1")])
    held = hours == "24"
    assert query(centre, "SELECT count(*) FROM tickets") == [(1,)]
    assert query(centre, PRICES) == ([] if held else [("TEA", 30000)])
    assert [row[1:] for row in query(centre, JUDGED)][:1] == ([("held", "late")] if held else [])
    for node in (centre, till):
        wait_for(lambda node=node: query(node, PRICES) == query(centre, PRICES), "what counts")
        verify_clean(wasl, node)


CASES = [  # the setting, whether the head office has a price, whether the branch's counts
    (None, True, False),
    (None, False, False),
    ("centre", False, False),
    ("branch_if_none", True, False),
    ("branch_if_none", False, True),
    ("branch", True, True),
]


@pytest.mark.parametrize(("value", "published", "counts"), CASES)
def test_the_head_office_wins_over_a_branch_unless_the_chain_says_otherwise(
    wasl, value, published, counts
):
    head = Centre(wasl)
    till = head.till()
    token = token_of(wasl, till, "manager")
    if value:
        sell(head.node, head.token, [setting("price_authority", value)])
    head.draft([item("TEA"), item("CAKE"), price("TEA" if published else "CAKE", "2.00")])
    head.published()
    head.node.stop(signal.SIGKILL)
    sell(till, token, [price("TEA", "3.00", PLACE)])
    assert query(till, PRICES) == [("TEA", 30000)]
    head.node.serve()
    wait_for(lambda: unsettled(till) == 0, "the price")
    official = [("TEA", 30000)] if counts else []
    for node in (head.node, till):
        wait_for(lambda node=node: query(node, PRICES) == official, "what counts")
    asked = [] if counts else [("TEA", "outranked", 1)]
    assert query(head.node, ASKED) == asked
    for node in (head.node, till):
        verify_clean(wasl, node)


@pytest.mark.parametrize(("decision", "counts"), [("accept", True), ("reject", False)])
def test_a_person_lets_a_branch_have_its_price_or_not(wasl, decision, counts):
    head = Centre(wasl)
    till = head.till()
    sell(till, token_of(wasl, till, "manager"), [price("TEA", "3.00", PLACE)])
    wait_for(lambda: query(head.node, ASKED) == [("TEA", "outranked", 1)], "the question")
    (review,) = wasl.good("review", "list", "centre", "--json").json
    assert review["kind"] == "price_outranked", review
    wasl.good("review", "resolve", "centre", str(review["number"]), "--decision", decision)
    for node in (head.node, till):
        wait_for(lambda node=node: query(node, ASKED) == [("TEA", "outranked", 0)], "the answer")
        assert query(node, PRICES) == ([("TEA", 30000)] if counts else [])
        verify_clean(wasl, node)


def test_what_the_head_office_sets_for_a_branch_stands(wasl):
    head = Centre(wasl)
    till = head.till()
    head.draft([price("TEA", "3.00", PLACE)])
    wait_for(lambda: query(till, PRICES) == [("TEA", 30000)], "the price")
    assert query(head.node, ASKED) == [] and query(head.node, JUDGED) == []


def test_a_cashier_away_from_the_centre_sets_no_price(wasl):
    head = Centre(wasl)
    till = head.till()
    sell(head.node, head.token, [setting("price_authority", "branch")])
    cashier = {"role": "cashier", "places": [{"location": PLACE}]}
    sell(head.node, head.token, [event("user_set", "*", ("user", "C1"), cashier)])
    wait_for(lambda: query(till, "SELECT id FROM users") == [("C1",)], "the people")
    token = token_of(wasl, till, "manager")
    status, answer = post(till, token, [price("TEA", "3.00", PLACE) | {"actor": "C1"}])
    assert status == 200 and answer["results"][0]["status"] == "rejected"
    assert "'price'" in answer["results"][0]["reason"]
    head.node.stop(signal.SIGKILL)
    sell(till, token, [price("TEA", "3.00", PLACE) | {"actor": "C9"}])  # the till has no C9
    head.node.serve()
    asked = [("TEA", "unauthorised", 1)]
    wait_for(lambda: query(head.node, ASKED) == asked, "the question")
    wait_for(lambda: query(till, PRICES) == [], "the till to be told")


def test_settings_go_to_the_tills_and_those_of_a_place_to_the_centre(wasl):
    centre = wasl.centre().serve()
    till = wasl.joined(centre, "till", PLACE).serve()
    owner, manager = token_of(wasl, centre, "owner"), token_of(wasl, till, "manager")
    sell(centre, owner, [setting("deferred_window", "00:00-23:59")])
    assert unsettled(till) == 0
    sell(till, manager, [setting("oversell/BREAD", "5", PLACE)])
    rows = "SELECT location, id, value FROM settings ORDER BY 1"
    assert Client(till, manager)("POST", "/api/v1/sync", {"lanes": ["deferred"]}).code == 200
    both = [("*", "deferred_window", "00:00-23:59"), (PLACE, "oversell/BREAD", "5")]
    for node in (centre, till):
        wait_for(lambda node=node: query(node, rows) == both, "the settings", till.log.read_text)
        verify_clean(wasl, node)


def test_settings_that_are_none_are_refused(wasl):
    centre = wasl.centre().serve()
    till = wasl.joined(centre, "till", PLACE).serve()
    owner, manager = token_of(wasl, centre, "owner"), token_of(wasl, till, "manager")
    refused = [
        (centre, owner, setting("colour", "red"), "there is no setting 'colour'"),
        (centre, owner, setting("pending_hours/flying", "1"), "there is no setting"),
        (centre, owner, setting("pending_hours", "0"), "from 1 to 8760"),
        (centre, owner, setting("price_authority", "me"), "one of"),
        (centre, token_of(wasl, centre, "manager"), setting("oversell", "1"), "'chain'"),
        (till, manager, setting("price_authority", "branch", PLACE), "no place has its own"),
        (till, token_of(wasl, till, "owner"), setting("oversell", "1"), "another location"),
        (till, token_of(wasl, till), setting("oversell", "1", PLACE), "'settings'"),
    ]
    for node, token, given, reason in refused:
        status, answer = post(node, token, [given])
        if status == 200:
            assert answer["results"][0]["status"] == "rejected", (given, answer)
        assert reason in str(answer), (given, answer)
    assert query(centre, "SELECT count(*) FROM settings") == [(0,)]


def test_a_chain_may_promise_more_than_there_is(wasl):
    kitchen = Kitchen(wasl, "1")
    owner = token_of(wasl, kitchen.centre, "owner")
    sell(kitchen.centre, owner, [setting("oversell", "5"), setting(f"oversell/{SKU}", "1")])
    kitchen.write(0, reserved("R1"))
    kitchen.become(R1="confirmed")
    kitchen.write(0, reserved("R2"))
    kitchen.become(R1="confirmed", R2="confirmed")  # one more than there is
    kitchen.write(0, reserved("R3"))
    kitchen.become(R1="confirmed", R2="confirmed", R3="denied")
    kitchen.check()
