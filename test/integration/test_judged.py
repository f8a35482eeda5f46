# SPDX-License-Identifier: Apache-2.0
"""What the centre decides about events that reach it: said once, to everybody."""

import json
import signal
import uuid

import chain
import pytest
from conftest import wait_for
from shop import query, sale, sell, token_of, unsettled, verify_clean
from test_api import Client
from test_orders import PLACE, Place, added, completed, opened, order_event, paid

SHIFT = chain.BUILD / "test" / "chaos" / "libclock_shift.so"
HOUR_S = 3600
JUDGED = (
    "SELECT json_extract(bytes, '$.record.type'), json_extract(bytes, '$.body.outcome'),"
    " json_extract(bytes, '$.body.reason') FROM journal WHERE type = 'event_judged' ORDER BY lsn"
)
BATCHES = "SELECT events, held FROM batches"
ASKED = "SELECT type, kind, open FROM record_reviews ORDER BY 1, 2"


def test_a_bill_that_two_tills_completed_takes_stock_once(wasl):
    place = Place(wasl, 2)
    place.write(0, opened("O1"), added("O1", str(uuid.uuid4()), "4"))
    place.agree()
    place.centre.stop(signal.SIGKILL)
    for till in range(2):
        place.write(till, paid("O1", 1000), completed("O1", 1000))
    place.centre.serve()
    _, _, bills, payments, reviews = place.agree(40)
    assert query(place.centre, JUDGED) == [("order", "duplicate", "completed_twice")]
    assert len(payments) == 2 and bills[0][4] == 2000  # money that was taken is a fact
    assert [row[1] for row in reviews] == ["completed_twice", "payment"]
    for node in (place.centre, *place.tills):
        assert query(node, "SELECT sku, quantity FROM stock") == [("BEANS", -200)]


def away(wasl, centre, hours, events):
    """A till sells while it is alone, by a clock that is off; then it is right, and reaches the
    centre."""
    if not SHIFT.exists():
        pytest.skip(f"{SHIFT} is not built")
    shift = wasl.folder / "shift"
    shift.write_text(str(hours * HOUR_S))
    centre.serve()
    till = wasl.joined(centre)
    centre.stop()
    token = token_of(wasl, till, "manager")
    till.serve(LD_PRELOAD=str(SHIFT), CLOCK_SHIFT_FILE=str(shift))
    sell(till, token, events)
    till.stop()
    centre.serve()
    till.serve()
    wait_for(lambda: unsettled(till) == 0, "the backlog")
    till.token = token
    return till


def test_a_second_completion_from_the_future_gets_the_time_of_its_coming(wasl):
    place = Place(wasl, 1)
    place.write(0, opened("O1"), added("O1", str(uuid.uuid4()), "4"))
    place.write(0, paid("O1", 1000), completed("O1", 1000))
    place.agree()
    place.centre.stop()
    away(wasl, place.centre, 24, [completed("O1", 1000)])
    assert query(place.centre, JUDGED) == [
        ("order", "applied", "clock"),
        ("order", "duplicate", "completed_twice"),
        ("batch", "applied", "clock"),
    ]
    effective = "SELECT json_extract(bytes, '$.body.effective') IS NOT NULL FROM journal"
    assert query(place.centre, effective + " WHERE type = 'event_judged' LIMIT 1") == [(1,)]
    assert query(place.centre, "SELECT sku, quantity FROM stock") == [("BEANS", -200)]
    assert query(place.centre, ASKED) == [("batch", "clock", 1), ("order", "completed_twice", 1)]
    verify_clean(wasl, place.centre)


def test_a_backlog_that_came_late_is_one_question(wasl):
    centre = wasl.centre()
    line = str(uuid.uuid4())
    events = [sale(PLACE, f"T{i}") for i in range(20)]
    events += [opened("O1"), added("O1", line, "4")]
    events += [order_event("order_set", "O1", field="note", value="window")]
    till = away(wasl, centre, -96, events)
    assert query(centre, "SELECT count(*) FROM tickets") == [(20,)]  # facts count
    assert query(centre, "SELECT total, note FROM orders") == [(1000, None)]  # intents wait
    assert query(centre, BATCHES) == [(23, 1)]
    assert query(centre, ASKED) == [("batch", "late", 1)]
    assert query(centre, JUDGED) == [("order", "held", "late"), ("batch", "applied", "late")]
    wait_for(lambda: query(till, "SELECT note FROM orders") == [(None,)], "the till to be told")
    for node in (centre, till):
        verify_clean(wasl, node)
    sell(till, till.token, [sale(PLACE, "now")])
    wait_for(lambda: unsettled(till) == 0, "a sale in time")
    assert query(centre, BATCHES) == [(23, 1)]


def number_of(wasl, kind):
    (review,) = [
        r for r in wasl.good("review", "list", "centre", "--json").json if r["kind"] == kind
    ]
    return str(review["number"])


@pytest.mark.parametrize(("decision", "note"), [("accept", "window"), ("reject", None)])
def test_an_answer_to_a_backlog_lets_its_intents_in_or_not(wasl, decision, note):
    centre = wasl.centre()
    events = [opened("O1"), opened("O2")]
    for order in ("O1", "O2"):
        events += [order_event("order_set", order, field="note", value="window")]
    till = away(wasl, centre, -96, events)
    number = number_of(wasl, "batch_late")
    words = ["review", "resolve", "centre", number, "--decision", decision]
    wasl.good(*words, "--note", "the till was in the flood")
    wasl.bad(*words, saying="settled already")
    assert query(centre, ASKED) == [("batch", "late", 0)]
    notes = [(note,), (note,)]
    for node in (centre, till):
        wait_for(lambda node=node: query(node, "SELECT note FROM orders") == notes, "the answer")
        verify_clean(wasl, node)
    judged = query(centre, JUDGED)[-2:]
    outcome = "applied" if decision == "accept" else "denied"
    assert judged == [("order", outcome, "answered")] * 2
    answer = "SELECT json_extract(bytes, '$.body.note') FROM journal WHERE type = 'review_resolved'"
    assert query(centre, answer) == [("the till was in the flood",)]
    centre.stop()
    wasl.good("rebuild", "centre")
    assert query(centre, "SELECT note FROM orders") == notes
    verify_clean(wasl, centre)


def resolve(node, token, number, **body):
    return Client(node, token)("POST", f"/api/v1/reviews/{number}/resolve", body)


def test_questions_are_answered_over_http_by_who_has_the_right(wasl):
    place = Place(wasl, 2)
    line = str(uuid.uuid4())
    place.write(0, opened("O1"), added("O1", line, "4"))
    place.agree()
    place.centre.stop()
    for till in range(2):
        place.write(till, order_event("line_changed", "O1", line=line, quantity="1"))
    place.centre.serve()
    place.agree()
    number = number_of(wasl, "order_line")
    manager = token_of(wasl, place.centre, "manager")
    resolve(place.centre, token_of(wasl, place.centre), number, decision="accept").is_problem(403)
    resolve(place.centre, manager, "999", decision="accept").is_problem(404)
    resolve(place.centre, manager, "x", decision="accept").is_problem(404)
    resolve(place.centre, manager, number, decision="maybe").is_problem(400)
    detail = resolve(place.centre, manager, number, decision="edit").is_problem(400)
    assert detail == "value: missing, with the decision edit"
    resolve(place.centre, manager, number, decision="edit", value="3").is_problem(400)
    answer = resolve(place.centre, manager, number, decision="accept", outcome="mood")
    assert answer.is_problem(400).startswith("outcome: must be ")
    assert resolve(place.centre, manager, number, decision="accept", note="both").code == 200
    resolve(place.centre, manager, number, decision="reject").is_problem(409)
    for node in (place.centre, *place.tills):
        wait_for(lambda node=node: query(node, ASKED) == [("order", "line", 0)], "the answer")
    by = "SELECT json_extract(bytes, '$.body.by') FROM journal WHERE type = 'review_resolved'"
    assert query(place.centre, by) == [("test",)]
    for node in (place.centre, *place.tills):
        told = "SELECT json_extract(detail, '$.answers') FROM record_reviews"
        (answer,) = json.loads(query(node, told)[0][0])
        assert {key: answer[key] for key in ("decision", "by", "note")} == {
            "decision": "accept",
            "by": "test",
            "note": "both",
        }


def test_a_question_that_no_record_asks_is_answered_once_and_stays_so(wasl):
    centre = wasl.centre().serve()
    till = wasl.joined(centre).serve()
    token = token_of(wasl, till)
    twice = sale(PLACE, "T1"), sale(PLACE, "T1")
    for one in twice:
        sell(till, token, [one])
    wait_for(lambda: unsettled(till) == 0, "both")
    number = number_of(wasl, "ticket_conflict")
    words = ["review", "resolve", "centre", number, "--decision", "accept"]
    wasl.good(*words, "--note", "typed twice")
    wasl.bad(*words, saying="settled")
    assert query(centre, "SELECT decision, note FROM review_answers") == [("accept", "typed twice")]
    centre.stop()
    wasl.good("rebuild", "centre")
    assert wasl.good("review", "list", "centre", "--json").json == []
    verify_clean(wasl, centre)


def test_what_comes_from_tomorrow_takes_its_place_of_today(wasl):
    centre = wasl.centre()
    till = away(
        wasl, centre, 24, [opened("O1"), order_event("order_set", "O1", field="note", value="a")]
    )
    assert query(centre, BATCHES) == [(2, 0)]
    sell(till, till.token, [order_event("order_set", "O1", field="note", value="b")])
    wait_for(lambda: unsettled(till) == 0, "the note")
    for node in (centre, till):
        assert query(node, "SELECT note FROM orders") == [("b",)]
        verify_clean(wasl, node)


def test_a_ticket_whose_payments_are_not_its_total_is_asked_about(wasl):
    centre = wasl.centre()
    centre.serve()
    till = wasl.joined(centre)
    till.serve()
    tickets = [sale("BR01", f"T-{i}") for i in range(4)]
    tickets[1]["body"]["payments"][0]["amount"] = 200
    tickets[2]["body"]["payments"] = []
    tickets[3]["body"]["payments"][0] |= {"currency": "LBP", "amount": 20000000}
    sell(till, token_of(wasl, till), tickets)
    wait_for(lambda: unsettled(till) == 0, "the sales")
    assert query(centre, ASKED) == [("ticket", "payments", 1)]
    (review,) = wasl.good("review", "list", "centre", "--json").json
    assert review["kind"] == "ticket_payments", review
    number = str(review["number"])
    shown = wasl.good("review", "show", "centre", number).out
    assert "2.00 USD" in shown and "2.50 USD" in shown, shown
    assert "answered" not in shown and "suggested  accept: Money taken" in shown, shown
    wasl.good("review", "resolve", "centre", number, "--decision", "accept", "--note", "a gift")
    lines = wasl.good("review", "show", "centre", number).out.splitlines()
    assert lines[-2].startswith("answered   2") and lines[-2].endswith(": accept"), lines
    assert lines[-1].strip() == "a gift"
    (review,) = wasl.good("review", "list", "centre", "--all", "--json").json
    (answer,) = review["detail"]["answers"]
    assert (answer["decision"], answer["note"]) == ("accept", "a gift")
    assert query(centre, ASKED) == [("ticket", "payments", 0)]
    assert query(centre, "SELECT count(*), sum(amount) FROM payments WHERE currency = 'USD'") == [
        (2, 450)
    ]
    verify_clean(wasl, centre)
