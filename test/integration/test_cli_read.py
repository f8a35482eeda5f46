# SPDX-License-Identifier: Apache-2.0
"""What commands show: status, stock, export, trace, reviews, dead letters, tokens."""

import csv
import io
import json
import re
import sqlite3

import pytest
from conftest import wait_for

STATUS = [
    "role", "device", "location", "upstream", "online", "lanes", "oldest_pending_ms",
    "last_sync_at", "conflicts", "reviews", "dead_letters", "disk_free_bytes", "clock_offset_ms",
    "version", "room", "revoked", "catalog", "recovery",
]


@pytest.fixture
def centre(wasl, tickets):
    node = wasl.centre()
    wasl.good("import", "centre", "--map", "map.ini", "rows.csv")
    return node


def lines_of(result):
    return [json.loads(line) for line in result.out.splitlines()]


# ---- status ---------------------------------------------------------------------------


def test_status_has_one_shape_running_or_not(wasl, centre):
    still = centre.status()
    centre.serve()
    running = centre.status()
    assert list(still) == STATUS and list(running) == STATUS
    assert (still["online"], running["online"]) == (False, True)
    for status in (still, running):
        assert status["role"] == "central" and status["location"] == "hq"
        assert list(status["lanes"]) == ["critical", "normal", "deferred"]
        assert status["lanes"]["critical"] == {"pending": 0, "held": 0, "settled": 3}
        assert status["disk_free_bytes"] > 0


def test_status_of_a_till_that_is_alone(wasl, tickets):
    till = wasl.till(upstream="ws://127.0.0.1:9")
    wasl.good("import", "till", "--map", "plain.ini", "rows.csv")
    status = till.status()
    assert status["upstream"] == "ws://127.0.0.1:9"
    assert status["lanes"]["critical"]["pending"] == 3  # run_started is not counted
    assert status["oldest_pending_ms"] >= 0
    assert status["last_sync_at"] is None


def test_status_for_people(wasl, centre):
    out = wasl.good("status", "centre").out
    assert "central" in out and "not running" in out and "settled 3" in out
    assert "oldest pending   none" in out and "last sync" not in out


def test_status_for_people_says_when_the_last_sync_was(wasl, tickets):
    centre = wasl.centre().serve()
    till = wasl.joined(centre)
    wasl.good("import", "till", "--map", "plain.ini", "rows.csv")
    out = wasl.good("status", "till").out
    assert re.search(r"^oldest pending   for [0-9.]+ s\nlast sync        never$", out, re.M), out
    till.serve()
    wait_for(lambda: till.status()["last_sync_at"], "a sync")
    out = wasl.good("status", "till").out
    assert re.search(r"^last sync        20\d\d-[0-9T:.-]+Z$", out, re.M), out


# ---- stock ----------------------------------------------------------------------------


def test_stock_lists_and_filters(wasl, centre):
    rows = wasl.good("stock", "centre", "--json").json
    assert rows == [
        {"location": "BR01", "sku": "A", "quantity": "-2"},
        {"location": "BR01", "sku": "B", "quantity": "-1"},
        {"location": "BR01", "sku": "C", "quantity": "-0.5"},
        {"location": "BR02", "sku": "A", "quantity": "-1"},
    ]
    assert wasl.good("stock", "centre", "--location", "BR02", "--json").json == rows[3:]
    assert len(wasl.good("stock", "centre", "--sku", "A", "--json").json) == 2
    assert wasl.good("stock", "centre", "--sku", "none", "--json").json == []
    assert re.search(r"BR01 +C +-0\.5\n", wasl.good("stock", "centre").out)
    assert wasl.good("stock", "centre", "--sku", "none").out == "No stock.\n"


# ---- export ---------------------------------------------------------------------------


def test_export_gives_the_bytes_as_they_are(wasl, centre):
    out = wasl.good("export", "centre").out
    with sqlite3.connect(centre.database) as db:
        stored = [row[0] for row in db.execute("SELECT bytes FROM journal ORDER BY lsn")]
    stored = [b.decode() if isinstance(b, bytes) else b for b in stored]
    assert out == "".join(text + "\n" for text in stored)
    assert wasl.good("export", "centre", "--format", "jsonl").out == out


def test_export_as_csv(wasl, centre):
    rows = list(csv.reader(io.StringIO(wasl.good("export", "centre", "--format", "csv").out)))
    assert rows[0] == "lsn id origin lane seq location type record at status".split()
    tickets = [dict(zip(rows[0], row)) for row in rows[1:] if row[6] == "ticket_recorded"]
    assert [t["record"] for t in tickets] == ["ticket/1", "ticket/2", "ticket/3"]
    assert {t["status"] for t in tickets} == {"settled"}
    assert tickets[0]["at"] == "1795161600000"


def test_export_of_a_time(wasl, centre):
    def tickets(*words):
        events = lines_of(wasl.good("export", "centre", *words))
        return [e["record"]["id"] for e in events if e["type"] == "ticket_recorded"]

    assert tickets("--from", "2026-11-20T08:05:00Z") == ["2", "3"]
    assert tickets("--from", "2026-11-20T10:05:00+02:00", "--to", "2026-11-20 08:09") == ["2"]
    assert tickets("--to", "1795161600001") == ["1"]
    assert tickets("--to", "2026-11-20") == []
    assert tickets("--from", "2026-11-20", "--to", "2026-11-21") == ["1", "2", "3"]


@pytest.mark.parametrize(
    "words",
    [
        ["--format", "xml"],
        ["--from", "yesterday"],
        ["--to", "2026-02-30"],
        ["--to", "2026-11-20T25:00"],
        ["--from", "2026-11-20T10:00+2"],
        ["--from", ""],
    ],
)
def test_export_refuses_what_it_does_not_know(wasl, centre, words):
    wasl.bad("export", "centre", *words, code=2)


# ---- trace ----------------------------------------------------------------------------


def test_trace_follows_one_event(wasl, centre):
    event = lines_of(wasl.good("export", "centre"))[-1]
    carrier = lines_of(wasl.good("trace", "centre", event["id"], "--json"))
    assert len(carrier) == 1
    assert carrier[0]["status"] == "settled"
    assert json.loads(carrier[0]["bytes"]) == event
    assert carrier[0]["origin"] == event["origin"] and carrier[0]["seq"] == event["seq"]
    out = wasl.good("trace", "centre", event["id"]).out
    assert "durable at the centre" in out and event["record"]["id"] in out


def test_trace_of_what_is_not_there(wasl, centre):
    wasl.bad("trace", "centre", "01a1fbec-a924-77c4-8f0e-13dd3e02ced7", saying="no such event")
    wasl.bad("trace", "centre", "1234", code=2, saying="1234")


# ---- questions ------------------------------------------------------------------------


def test_a_number_used_again_is_a_review(wasl, centre, tickets):
    wasl.write("other.csv", tickets.read_text().replace("Cake", "Cookie"))
    wasl.good("import", "centre", "--map", "map.ini", "other.csv")  # one ticket has other rows
    reviews = wasl.good("review", "list", "centre", "--json").json
    assert len(reviews) == 1
    assert list(reviews[0]) == [
        "number", "kind", "record", "location", "text", "opened_at", "open", "detail",
    ]
    assert {r["kind"] for r in reviews} == {"ticket_conflict"}
    one = wasl.good("review", "show", "centre", reviews[0]["number"], "--json").json
    assert one == reviews[0]
    assert reviews[0]["text"] in wasl.good("review", "show", "centre", reviews[0]["number"]).out
    assert reviews[0]["text"] in wasl.good("review", "list", "centre").out
    wasl.bad("review", "show", "centre", 99999, saying="99999")
    wasl.bad("review", "show", "centre", "first", code=2, saying="first")
    assert centre.status()["conflicts"] == 1


def test_no_questions(wasl, centre):
    assert wasl.good("review", "list", "centre", "--json").json == []
    assert wasl.good("review", "list", "centre").out == "No open reviews.\n"
    assert wasl.good("deadletter", "list", "centre", "--json").json == []
    assert wasl.good("deadletter", "list", "centre").out == "No dead letters.\n"
    assert wasl.good("deadletter", "retry", "centre", "--json").json == {"folded": 0, "left": 0}
    centre.serve()
    assert wasl.good("deadletter", "retry", "centre").out == "0 folded, 0 left\n"


# ---- tokens ---------------------------------------------------------------------------


def test_a_token_opens_the_api(wasl, centre):
    early = wasl.good("token", "centre", "--name", "a", "--role", "auditor")
    centre.serve()
    late = wasl.good("token", "centre", "--name", "b", "--role", "owner")
    for result in (early, late):
        assert re.fullmatch(r"[0-9a-f]{64}\n", result.out) and result.err == ""
        page = centre.get("/api/v1/events?after=0&limit=2", result.out.strip())
        assert page
    assert early.out != late.out


def test_token_usage(wasl, centre):
    wasl.bad("token", "centre", "--name", "n", code=2, saying="--role")
    wasl.bad("token", "centre", "--role", "owner", code=2, saying="--name")
    wasl.bad("token", "centre", "--name", "n", "--role", "king", code=2, saying="--role")
