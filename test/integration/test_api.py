# SPDX-License-Identifier: Apache-2.0
"""The HTTP API of a running node: shapes, refusals, and what survives a kill."""

import base64
import http.client
import itertools
import json
import os
import signal
import socket
import sqlite3
import struct
import time
import uuid

import pytest
from conftest import wait_for

LIMIT = 2 * 1024 * 1024


class Answer:
    def __init__(self, response):
        self.code = response.status
        self.headers = {key.lower(): value for key, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    def is_problem(self, code):
        """RFC 9457, with this status."""
        assert self.code == code, (self.code, self.body[:300])
        assert self.headers["content-type"] == "application/problem+json"
        problem = self.json
        assert problem["status"] == code and problem["type"] == "about:blank"
        assert problem["title"] and problem["detail"]
        return problem["detail"]


class Client:
    def __init__(self, node, token=None):
        self.node, self.token = node, token

    def __call__(self, method, path, body=None, token=None, headers=None, host=None):
        line = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=30)
        headers = dict(headers or {})
        token = self.token if token is None else token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        line.putrequest(method, path, skip_host=True)
        headers["Host"] = host or f"127.0.0.1:{self.node.port}"
        if body is not None:
            headers["Content-Length"] = str(len(body))
        for key, value in headers.items():
            line.putheader(key, value)
        line.endheaders(body)
        answer = Answer(line.getresponse())
        line.close()
        return answer

    def get(self, path, **options):
        return self("GET", path, **options)

    def post(self, events, **options):
        return self("POST", "/api/v1/events", {"events": events}, **options)

    def results(self, *events):
        answer = self.post(list(events))
        assert answer.code == 200, answer.body
        return answer.json["results"]

    def rejects(self, event, saying):
        (result,) = self.results(event)
        assert result["status"] == "rejected", result
        assert saying in result["reason"], result
        return result


def sold(sku="soup", quantity="1", location="BR01", **changes):
    event = {
        "id": str(uuid.uuid4()),
        "location": location,
        "type": "inventory_sold",
        "record": {"type": "stock", "id": sku},
        "at": int(time.time() * 1000),
        "body": {"sku": sku, "quantity": quantity},
    }
    event.update(changes)
    return {key: value for key, value in event.items() if value is not ...}


def token_of(wasl, node, role="manager"):
    return wasl.good("token", node.name, "--name", f"test-{role}", "--role", role).out.strip()


@pytest.fixture
def centre(wasl):
    return wasl.centre().serve()


@pytest.fixture
def api(wasl, centre):
    return Client(centre, token_of(wasl, centre))


# ---- appending ---------------------------------------------------------------------------------


def test_events_are_accepted_in_order_and_once(api):
    events = [sold(quantity=str(n)) for n in range(1, 6)]
    expected = [{"id": event["id"], "status": "accepted"} for event in events]
    assert api.results(*events) == expected
    assert {result["status"] for result in api.results(*events)} == {"duplicate"}
    assert api.get("/api/v1/stock?sku=soup").json["stock"] == [
        {"location": "BR01", "sku": "soup", "quantity": "-15", "kept": "0"}
    ]


def test_an_id_twice_in_one_request_counts_once(api):
    event = sold()
    assert [r["status"] for r in api.results(event, event)] == ["accepted", "duplicate"]


def test_an_id_with_other_content_is_rejected(api):
    event = sold()
    api.results(event)
    api.rejects({**event, "body": {**event["body"], "quantity": "2"}}, "other content")
    api.rejects({**event, "at": event["at"] + 1}, "other content")
    assert api.get("/api/v1/stock").json["stock"][0]["quantity"] == "-1"


def test_the_same_id_counts_once_in_each_location(api):
    here = sold()
    there = {**here, "location": "BR02"}
    assert [r["status"] for r in api.results(here, there)] == ["accepted", "accepted"]


def test_every_optional_member_is_kept(wasl, centre):
    api = Client(centre, token_of(wasl, centre, "owner"))
    event = sold(cause=str(uuid.uuid4()), actor="ali", grant=str(uuid.uuid4()))
    location = sold(
        type="location_set",
        record={"type": "location", "id": "BR01"},
        base=[str(uuid.uuid4())],
        body={"name": "الحمرا", "x-more": [1, {"a": None}]},
    )
    api.results(event, location)
    found = [entry["event"] for entry in api.get("/api/v1/events").json["events"]]
    for given in (event, location):
        (kept,) = [one for one in found if one["id"] == given["id"]]
        assert {key: kept[key] for key in given} == given
        assert kept["v"] == 1 and kept["lane"] == "critical" and kept["seq"] >= 2
        assert len(kept["hlc"]) == 16 and uuid.UUID(kept["origin"]).version == 7


@pytest.mark.parametrize("member", ["v", "origin", "lane", "seq", "hlc"])
def test_what_the_node_assigns_may_not_be_given(api, member):
    api.rejects(sold(**{member: 1}), f"{member}: is assigned by the node")


@pytest.mark.parametrize("member", ["id", "location", "type", "record", "at", "body"])
def test_a_missing_member_is_rejected(api, member):
    api.rejects(sold(**{member: ...}), f"{member}: missing")


@pytest.mark.parametrize(
    "changes, saying",
    [
        ({"id": "no-uuid"}, "id: not a UUID"),
        ({"id": 7}, "id: not a UUID"),
        ({"id": "00000000-0000-0000-0000-000000000000"}, "id: must be a UUID of version 7, 4 or 8"),
        ({"id": str(uuid.uuid1())}, "id: must be a UUID of version 7, 4 or 8"),
        ({"location": "*"}, "whole chain"),
        ({"location": ""}, "location"),
        ({"location": "x" * 65}, "location"),
        ({"location": " x"}, "location"),
        ({"location": ["x"]}, "location"),
        ({"type": "no_such_type"}, "'no_such_type' is unknown"),
        ({"type": "é" * 32}, "is unknown"),
        ({"record": "stock"}, "record"),
        ({"record": {"type": "stock"}}, "record"),
        ({"record": {"type": "ticket", "id": "x"}}, "changes a stock"),
        ({"record": {"type": "stock", "id": "x", "z": 1}}, "record"),
        ({"at": "now"}, "at: not an integer"),
        ({"at": 1.5}, "at: not an integer"),
        ({"at": -1}, "at: out of range"),
        ({"at": 2**63}, "at"),
        ({"at": 2**48}, "at: out of range"),
        ({"base": "x"}, "base"),
        ({"base": [str(uuid.uuid4())] * 17}, "base: more than 16"),
        ({"cause": 1}, "cause"),
        ({"actor": 5}, "actor"),
        ({"body": []}, "body: not an object"),
        ({"body": {"sku": "soup"}}, "quantity: missing"),
        ({"body": {"sku": "soup", "quantity": 1}}, "quantity"),
        ({"body": {"sku": "soup", "quantity": "0"}}, "above zero"),
        ({"body": {"sku": "soup", "quantity": "1.00001"}}, "quantity"),
        ({"body": {"sku": "soup", "quantity": "1e3"}}, "quantity"),
        ({"body": {"sku": "soup", "quantity": "١"}}, "quantity"),
        ({"body": {"sku": "soup", "quantity": "9" * 30}}, "quantity"),
        ({"surprise": 1}, "unknown member 'surprise'"),
        ({"x" * 39 + "é": 1}, "unknown member"),
    ],
)
def test_one_bad_event_is_rejected_and_its_neighbours_are_not(api, changes, saying):
    bad = sold(**changes)
    first, middle, last = api.results(sold(), bad, sold())
    assert first["status"] == last["status"] == "accepted"
    assert middle["status"] == "rejected" and saying in middle["reason"], middle


def test_an_event_over_its_limit_is_rejected(api):
    api.rejects(sold(body={"sku": "soup", "quantity": "1", "note": "n" * 262144}), "256 KiB")


def test_an_order_takes_as_many_lines_as_it_may(api):
    order = {"type": "order", "id": str(uuid.uuid4())}

    def add(line):
        body = {"line": line, "sku": "soup", "quantity": "1", "unit_price": "1"}
        return sold(type="line_added", record=order, body=body)

    lines = [str(uuid.uuid4()) for _ in range(2000)]
    for line in lines:
        (taken,) = api.results(add(line))
        assert taken["status"] == "accepted", taken
    api.rejects(add(str(uuid.uuid4())), "2000 lines")
    (again,) = api.results(add(lines[0]))  # no line more
    assert again["status"] == "accepted"


def nested(levels):
    """An event of so many levels: itself, its body, and lists."""
    deep = 1
    for _ in range(levels - 2):
        deep = [deep]
    return sold(body={"sku": "soup", "quantity": "1", "deep": deep})


def test_an_event_that_is_too_deep_is_refused(api):
    assert api.results(nested(16))[0]["status"] == "accepted"
    assert "deeper" in api.post([nested(17)]).is_problem(400)


def test_five_hundred_events_are_taken_and_one_more_is_not(api):
    events = [sold() for _ in range(501)]
    assert "more than 500" in api.post(events).is_problem(413)
    assert len(api.results(*events[:500])) == 500


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"events"',
        b"{}",
        b'{"events":{}}',
        b'{"events":[]}',
        b'{"events":[{}]',
        b'{"events":[{}]} x',
        b'{"events":[{"id":"\xff\xfe"}]}',
        b'{"events":[{"id":"\\u0000"}]}',
        b'{"events":[{"id":"\\ud800"}]}',
        b'{"events":[{"at":NaN}]}',
        b'{"events":[{"at":1,"at":2}]}',
        b'{"events":' + b"[" * 100 + b"]" * 100 + b"}",
        b"[" * 1000000,
        b"\xef\xbb\xbf{}",
    ],
    ids=itertools.count(),
)
def test_a_malformed_body_is_refused_whole(api, body):
    api("POST", "/api/v1/events", body).is_problem(400)
    assert api.get("/api/v1/events").json["events"] == []


def test_a_body_over_its_limit_is_refused_before_it_is_read(centre, api):
    head = (
        f"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {api.token}\r\nContent-Length: {LIMIT + 1}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", centre.port), timeout=10) as s:
        s.sendall(head.encode())
        assert s.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_truncated_body_leaves_nothing(centre, api):
    with socket.create_connection(("127.0.0.1", centre.port), timeout=10) as s:
        s.sendall(
            b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n"
            + f"Authorization: Bearer {api.token}\r\n\r\n".encode()
            + json.dumps({"events": [sold()]}).encode()[:200]
        )
    assert api.get("/api/v1/events").json["events"] == []


def test_a_slow_body_holds_up_nobody(centre, api):
    slow = []
    for _ in range(20):
        s = socket.create_connection(("127.0.0.1", centre.port), timeout=10)
        s.sendall(b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{")
        slow.append(s)
    start = time.monotonic()
    assert api.results(sold())[0]["status"] == "accepted"
    assert time.monotonic() - start < 5
    for s in slow:
        s.close()


# ---- who may -----------------------------------------------------------------------------------


def test_no_token_and_wrong_tokens_are_refused(wasl, centre):
    api = Client(centre)
    answer = api.post([sold()])
    answer.is_problem(401)
    assert answer.headers["www-authenticate"] == "Bearer"
    codes = [api.post([sold()], token=f"{n:064x}").code for n in range(40)]
    assert codes[0] == 401 and codes[-1] == 429 and sorted(codes) == codes
    refused = api.get("/api/v1/events", token="x")
    refused.is_problem(429)
    assert int(refused.headers["retry-after"]) > 0
    right = token_of(wasl, centre)
    assert api.post([sold()], token=right).code == 200, "a right token is never locked out"


def received():
    body = {"sku": "TEA", "quantity": "10"}
    return sold(type="inventory_received", record={"type": "stock", "id": "TEA"}, body=body)


def test_roles_decide_who_writes_and_who_administers(wasl, centre):
    api = Client(centre)
    every = ["accepted", "rejected"]
    for role, sells, receives, admin in [
        ("auditor", None, None, 403),
        ("kitchen", 1, 1, 403),
        ("waiter", 1, 1, 403),
        ("cashier", 0, 1, 403),
        ("manager", 0, 0, 403),
        ("owner", 0, 0, 200),
    ]:
        token = token_of(wasl, centre, role)
        answer = api.post([sold(), received()], token=token)
        if sells is None:
            answer.is_problem(403)
        else:
            results = answer.json["results"]
            assert [r["status"] for r in results] == [every[sells], every[receives]], role
            assert not sells or "the right 'sell'" in results[0]["reason"], role
        assert api.get("/api/v1/events", token=token).code == 200, role
        body = {"name": "more", "role": "cashier"}
        assert api("POST", "/api/v1/tokens", body, token=token).code == admin, role


def device_event(kind, body):
    device = str(uuid.uuid4())
    return sold(type=kind, record={"type": "device", "id": device}, body=body)


def test_only_an_owner_lets_devices_in(wasl, centre, api):
    body = {"role": "terminal", "location": "BR01", "key": "ab" * 32}
    api.rejects(device_event("device_enrolled", body), "the right 'chain'")
    api.rejects(device_event("device_revoked", {}), "the right 'chain'")
    started = {"device": str(uuid.uuid4()), "run": str(uuid.uuid4()), "software": "x"}
    owner = Client(centre, token_of(wasl, centre, "owner"))
    for client in (api, owner):
        event = device_event("run_started", {**started, "previous": []})
        client.rejects(event, "by nodes only")
    assert owner.results(device_event("device_enrolled", body))[0]["status"] == "accepted"


def test_local_reading_needs_a_local_name_and_no_proxy(centre):
    api = Client(centre)
    for path in ("/api/v1/status", "/api/v1/branches", "/api/v1/stock", "/metrics"):
        assert api.get(path).code == 200
        assert api.get(path, host="localhost").code == 200
        api.get(path, host="evil.example").is_problem(401)
        api.get(path, host="127.0.0.1.evil.example").is_problem(401)
        api.get(path, headers={"X-Forwarded-For": "10.0.0.1"}).is_problem(401)
        api.get(path, token="wrong").is_problem(401)


def test_a_till_writes_for_its_own_location_only(wasl, centre):
    till = wasl.joined(centre).serve()
    api = Client(till, token_of(wasl, till))
    assert api.results(sold())[0]["status"] == "accepted"
    api.rejects(sold(location="BR02"), "another location")


def test_wrong_enrolment_codes_are_slowed_down(centre):
    """The example of the description is signed well, but nobody made its code."""
    api = Client(centre)
    described = api.get("/openapi.json").json["paths"]["/api/v1/enroll"]["post"]
    body = described["requestBody"]["content"]["application/json"]["example"]
    answer = api("POST", "/api/v1/enroll", body)
    assert answer.code == 403 and "wrong" in answer.json["detail"]
    codes = [api("POST", "/api/v1/enroll", body).code for _ in range(30)]
    assert codes[0] == 403 and codes[-1] == 429 and set(codes) == {403, 429}


# ---- reading -----------------------------------------------------------------------------------


def test_the_journal_is_read_in_pages(api):
    events = [sold() for _ in range(7)]
    api.results(*events)
    after, found = 0, []
    while True:
        page = api.get(f"/api/v1/events?after={after}&limit=3").json
        if not page["events"]:
            assert page["next"] == after
            break
        assert len(page["events"]) <= 3 and page["next"] == page["events"][-1]["lsn"]
        after, found = page["next"], found + page["events"]
    assert [entry["lsn"] for entry in found] == list(range(1, 9))
    assert [entry["event"]["type"] for entry in found][0] == "run_started"
    assert [entry["event"]["id"] for entry in found[1:]] == [event["id"] for event in events]
    assert {entry["status"] for entry in found} <= {"held", "settled"}
    assert all(abs(entry["received_at"] / 1000 - time.time()) < 60 for entry in found)


@pytest.mark.parametrize(
    "query",
    ["after=-1", "after=x", "after=9223372036854775808", "limit=0", "limit=1.5", "after=%00"],
)
def test_a_bad_query_is_refused(api, query):
    api.get(f"/api/v1/events?{query}").is_problem(400)


def test_a_query_that_is_not_utf8_is_refused(api):
    api.get("/api/v1/stock?sku=%ff").is_problem(400)


def test_status_has_its_shape(wasl, centre):
    till = wasl.joined(centre).serve()
    api = Client(till, token_of(wasl, till))
    api.results(sold(), sold())
    wait_for(lambda: api.get("/api/v1/status").json["lanes"]["critical"]["settled"] == 2, "settled")
    status = api.get("/api/v1/status").json
    assert set(status) == {
        *("role", "device", "location", "upstream", "online", "lanes", "oldest_pending_ms"),
        *("last_sync_at", "conflicts", "reviews", "dead_letters", "disk_free_bytes"),
        *("clock_offset_ms", "version", "fsync_us", "sessions", "memory_bytes", "room", "catalog"),
        *("revoked", "recovery"),
    }
    assert status["role"] == "terminal" and status["location"] == "BR01" and status["online"]
    assert status["lanes"]["critical"] == {"pending": 0, "held": 0, "settled": 2}
    assert status["upstream"].startswith("ws://") and status["oldest_pending_ms"] == 0
    assert 0 < status["memory_bytes"] < 2**30 and status["disk_free_bytes"] > 0
    assert not status["room"]["reserve"] and status["room"]["outbox_percent"] == 0


def test_the_age_of_pending_events_follows_them(wasl, centre):
    till = wasl.joined(centre).serve()
    api = Client(till, token_of(wasl, till))
    critical = lambda: api.get("/api/v1/status").json["lanes"]["critical"]
    for n in (1, 2):
        api.results(sold())
        wait_for(lambda: critical()["settled"] == n, "settled")
        assert api.get("/api/v1/status").json["oldest_pending_ms"] == 0
    centre.stop()
    api.results(sold())
    time.sleep(0.3)
    assert critical()["pending"] == 1
    assert 250 < api.get("/api/v1/status").json["oldest_pending_ms"] < 20000


def branch_of(api, location="BR01"):
    document = api.get("/api/v1/branches").json
    assert abs(document["as_of"] / 1000 - time.time()) < 60
    (branch,) = [b for b in document["branches"] if b["branch_id"] == location]
    return branch


def test_branches_show_a_till_come_and_go(wasl, centre):
    till = wasl.joined(centre)
    api = Client(centre)
    assert set(branch_of(api)) == {
        *("branch_id", "branch_name", "region", "last_synced_at", "pending_events"),
        *("conflict_count", "minutes_since_sync", "behind_seconds", "online", "dead_letters"),
        *("oldest_pending_ms", "last_seen_at", "devices", "devices_online", "offline"),
        "catalog_version",
    }
    assert not branch_of(api)["online"] and branch_of(api)["last_synced_at"] is None
    till.serve()
    wait_for(lambda: branch_of(api)["online"], "the till to be seen")
    till.stop()
    wait_for(lambda: not branch_of(api)["online"], "the till to be missed")
    assert branch_of(api)["last_synced_at"] and branch_of(api)["devices"] == 1


def test_a_backlog_that_was_sent_is_soon_not_pending(wasl, centre):
    till = wasl.joined(centre).serve()
    api = Client(till, token_of(wasl, till))
    api.results(sold())
    wait_for(lambda: branch_of(Client(centre))["last_synced_at"], "a first sync")
    centre.stop()
    api.results(*[sold() for _ in range(5)])
    centre.serve()
    up = lambda: branch_of(Client(centre))["online"]
    wait_for(up, "the till to come back", seconds=40)
    assert branch_of(Client(centre))["last_synced_at"], "a new session forgets no old sync"
    wait_for(lambda: branch_of(Client(centre))["pending_events"] == 0, "none pending", seconds=8)


def test_a_killed_centre_believes_nobody_connected(wasl, centre):
    till = wasl.joined(centre).serve()
    wait_for(lambda: branch_of(Client(centre))["online"], "the till to be seen")
    till.stop(signal.SIGKILL)
    centre.stop(signal.SIGKILL)
    with sqlite3.connect(centre.database) as db:
        db.execute("UPDATE device_status SET online = 1, last_seen_at = last_seen_at - 36000")
    db.close()
    centre.serve()
    assert not branch_of(Client(centre))["online"]


def test_metrics_count_what_happened(api):
    api.results(sold())
    lines = api.get("/metrics").body.decode().split("\n")
    values = dict(line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    assert values['wasl_node_info{role="central",version="0.1.0"}'] == "1"
    assert values['wasl_events_settled{lane="critical"}'] == "1"
    assert int(values["wasl_http_requests_total"]) >= 2
    assert int(values["wasl_commit_seconds_count"]) >= 1
    assert 0 < float(values['wasl_commit_seconds{quantile="0.99"}']) < 60


def test_health_asks_for_nothing(centre):
    assert Client(centre).get("/healthz", host="anything.example").json == {"status": "ok"}


# ---- routes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *("/api/v1/orders", "/api/v1/tables", "/api/v1/shifts", "/api/v1/reports/x"),
        "/api/v1/receipts/1",
        *("/api/v1/availability", "/api/v1/trends", "/api/v1/transfers", "/api/v1/forecasts"),
    ],
)
def test_later_parts_say_so(centre, path):
    for method in ("GET", "POST"):
        Client(centre)(method, path).is_problem(501)


def test_unknown_paths_and_methods_say_so(centre):
    api = Client(centre)
    for path in ("/nothing", "/api/v1/", "/api/v1/status/", "//", "/api/v1/%73tatus", "/till.js"):
        api.get(path).is_problem(404)
    api.get("/" + "x" * 3000).is_problem(404)
    answer = api("DELETE", "/api/v1/events")
    answer.is_problem(405)
    assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}
    api("GET", "/api/v1/sync").is_problem(426)
    assert api("HEAD", "/api/v1/status").body == b""


def test_pages_and_their_tags(centre):
    api = Client(centre)
    for path, kind in [
        ("/", "text/html"),
        ("/console.js", "text/javascript"),
        ("/page.js", "text/javascript"),
        ("/page.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
        ("/openapi.json", "application/json"),
    ]:
        answer = api.get(path)
        assert answer.code == 200 and answer.headers["content-type"].startswith(kind)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        again = api.get(path, headers={"If-None-Match": f'"x", W/{answer.headers["etag"]}'})
        assert again.code == 304 and again.body == b""
    assert api.get("/openapi.json").json["openapi"] == "3.1.0"


def test_the_pages_are_small(centre):
    paths = ("/", "/console.js", "/page.js", "/page.css", "/icon.svg")
    assert sum(len(Client(centre).get(path).body) for path in paths) < 30000


# ---- the live line -----------------------------------------------------------------------------


class Live:
    """A WebSocket client, just enough."""

    def __init__(self, node, origin=None, token=None, host=None):
        key = base64.b64encode(os.urandom(16)).decode()
        self.s = socket.create_connection(("127.0.0.1", node.port), timeout=10)
        lines = [
            "GET /api/v1/live HTTP/1.1",
            f"Host: {host or '127.0.0.1'}:{node.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        lines += [f"Origin: {origin}"] if origin else []
        lines += [f"Authorization: Bearer {token}"] if token else []
        self.s.sendall("\r\n".join([*lines, "", ""]).encode())
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.s.recv(4096)
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        self.code = int(head.split()[1])

    def take(self, n):
        while len(self.rest) < n:
            piece = self.s.recv(4096)
            assert piece, "the line was closed"
            self.rest += piece
        taken, self.rest = self.rest[:n], self.rest[n:]
        return taken

    def frame(self):
        kind, size = self.take(2)
        if size == 126:
            (size,) = struct.unpack("!H", self.take(2))
        return kind & 15, self.take(size)

    def note(self):
        kind, text = self.frame()
        assert kind == 1
        return json.loads(text)


def test_live_tells_of_commits_and_of_time(centre, api):
    live = Live(centre, origin=f"http://127.0.0.1:{centre.port}")
    assert live.code == 101
    assert live.note()["changed"], "the first note comes at once"
    start = time.monotonic()
    note = live.note()
    assert not note["changed"] and abs(note["as_of"] / 1000 - time.time()) < 60
    assert 1 < time.monotonic() - start < 5
    api.results(sold())
    start = time.monotonic()
    assert live.note()["changed"]
    assert time.monotonic() - start < 1


def test_live_is_throttled(centre, api):
    live = Live(centre)
    live.note()
    start = time.monotonic()
    notes = 0
    for _ in range(60):
        api.results(sold())
    took = time.monotonic() - start
    live.s.settimeout(0.6)
    try:
        while True:
            live.note()
            notes += 1
    except TimeoutError:
        pass
    assert 1 <= notes <= 4 * (took + 1) + 2


def test_live_is_for_those_who_may_read(wasl, centre):
    assert Live(centre, origin="http://evil.example").code == 403
    assert Live(centre, host="evil.example").code == 401
    assert Live(centre, host="hq.example", token=token_of(wasl, centre, "auditor")).code == 101


def test_live_expects_no_message_and_ends_with_the_node(centre):
    talker, listener = Live(centre), Live(centre)
    talker.s.sendall(b"\x81\x82\0\0\0\0hi")
    while (frame := talker.frame())[0] != 8:
        pass
    assert frame[1][:2] == struct.pack("!H", 1008)
    start = time.monotonic()
    assert centre.stop() == 0
    assert time.monotonic() - start < 5
    while (frame := listener.frame())[0] != 8:
        pass
    assert frame[1][:2] == struct.pack("!H", 1001)


# ---- what survives -----------------------------------------------------------------------------


def test_what_was_acknowledged_survives_a_kill(centre, api):
    acknowledged = []
    for _ in range(3):
        events = [sold() for _ in range(50)]
        api.results(*events)
        acknowledged += [event["id"] for event in events]
        centre.stop(signal.SIGKILL)
        centre.serve()
    page = api.get("/api/v1/events?limit=500").json["events"]
    found = [entry["event"]["id"] for entry in page if entry["event"]["type"] != "run_started"]
    assert found == acknowledged
    assert api.get("/api/v1/stock").json["stock"][0]["quantity"] == "-150"


def test_requests_under_way_are_answered_when_the_node_stops(centre, api):
    lines = []
    body = json.dumps({"events": [sold() for _ in range(100)]}).encode()
    for _ in range(8):
        body = json.dumps({"events": [sold() for _ in range(100)]}).encode()
        s = socket.create_connection(("127.0.0.1", centre.port), timeout=10)
        s.sendall(
            b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            + f"Authorization: Bearer {api.token}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        lines.append(s)
    time.sleep(0.05)
    assert centre.stop() == 0
    promised = 0
    for s in lines:
        answer = b""
        try:
            while piece := s.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
        promised += answer.count(b'"accepted"')
    centre.serve()
    after, found = 0, 0
    while page := api.get(f"/api/v1/events?after={after}&limit=500").json["events"]:
        found += sum(entry["event"]["type"] != "run_started" for entry in page)
        after = page[-1]["lsn"]
    assert found >= promised


def test_a_full_store_says_507_and_keeps_what_it_took(wasl):
    centre = wasl.centre()
    ini = centre.path / "wasl.ini"
    quota = centre.database.stat().st_size + 700_000
    ini.write_text(ini.read_text() + f"\n[store]\nmax_bytes = {quota}\n")
    centre.serve()
    api = Client(centre, token_of(wasl, centre))
    taken = 0
    while True:
        body = {"sku": "soup", "quantity": "1", "x": "y" * 4000}
        answer = api.post([sold(body=body) for _ in range(20)])
        if answer.code != 200:
            break
        taken += 20
        assert taken < 2000, "the quota is kept"
    answer.is_problem(507)
    assert taken > 20
    centre.stop()
    centre.serve()
    assert api.get("/api/v1/status").json["lanes"]["critical"]["settled"] == taken
