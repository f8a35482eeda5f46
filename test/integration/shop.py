# SPDX-License-Identifier: Apache-2.0
"""What tests of whole processes sell, and how they look at what became of it."""

import http.client
import json
import sqlite3
import time
import uuid


def sale(location, ticket, sku="TEA", at=None):
    """A ticket of one cup, as POST /api/v1/events takes it."""
    line = {"n": 1, "sku": sku, "quantity": "1", "unit_price": "2.50", "amount": 250}
    body = {"ticket": ticket, "kind": "sale", "currency": "USD", "places": 2, "lines": [line]}
    body |= {"total": 250, "payments": [{"method": "cash", "currency": "USD", "amount": 250}]}
    return event("ticket_recorded", location, ("ticket", ticket), body, at)


def event(kind, location, record, body, at=None):
    return {
        "id": str(uuid.uuid4()),
        "type": kind,
        "location": location,
        "record": {"type": record[0], "id": record[1]},
        "at": int(time.time() * 1000) if at is None else at,
        "body": body,
    }


def post(node, token, events):
    """(status, parsed answer); (None, None) when there was none."""
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=10)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/events", json.dumps({"events": events}), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    except (OSError, http.client.HTTPException):
        return None, None
    finally:
        connection.close()


def sell(node, token, events):
    """Posts events that must be accepted; their ids."""
    status, answer = post(node, token, events)
    assert status == 200, answer
    assert [r["status"] for r in answer["results"]] == ["accepted"] * len(events), answer
    return [e["id"] for e in events]


def token_of(wasl, node, role="cashier"):
    return wasl.good("token", node.name, "--name", "test", "--role", role).out.strip()


def query(node, sql, *values):
    with sqlite3.connect(f"file:{node.database}?mode=ro", uri=True, timeout=10) as db:
        return db.execute(sql, values).fetchall()


def sold_ids(node, location=None):
    sql = "SELECT id FROM journal WHERE type = 'ticket_recorded' AND location = ifnull(?, location)"
    return [str(uuid.UUID(bytes=row[0])) for row in query(node, sql, location)]


def unsettled(node):
    return query(node, "SELECT count(*) FROM journal WHERE status IN ('pending', 'held')")[0][0]


def verify_clean(wasl, node):
    verdict = wasl.good("verify", node.name, "--json").last
    assert (verdict["gaps"], verdict["chain_errors"]) == (0, 0), verdict
    assert verdict["refold_equal"] is True, verdict
    assert query(node, "PRAGMA integrity_check") == [("ok",)]  # what SQLite's own tools would say
    return verdict
