# SPDX-License-Identifier: Apache-2.0
"""Bad folders, disks, links, certificates and devices: what holds, and what a person is told."""

import contextlib
import http.server
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import uuid

import pytest
from conftest import PROGRAM, free_port, wait_for
from shop import event, post, query, sale, sell, sold_ids, token_of, unsettled, verify_clean
from test_room import small_disk

NOBODY = 65534
PAUSE_S = 1.0


def refuses_to_serve(wasl, node, saying, code=1):
    return wasl.bad("serve", node.name, code=code, saying=saying, timeout=20)


def set_key(node, section, key, value):
    """Sets a key of wasl.ini; value None takes it out."""
    path = node.path / "wasl.ini"
    lines = path.read_text().split("\n")
    kept = [line for line in lines if line.split("=")[0].strip(" ;") != key]
    if value is not None:
        kept.insert(kept.index(f"[{section}]") + 1, f"{key} = {value}")
    path.write_text("\n".join(kept))


def online(till):
    return till.status()["online"]


def drained(till):
    return lambda: unsettled(till) == 0


def reviews(node):
    return {row[0] for row in query(node, "SELECT kind FROM reviews WHERE open = 1")}


def pair(wasl):
    """A serving centre and a till that joined it and serves."""
    centre = wasl.centre().serve()
    till = wasl.joined(centre).serve()
    return centre, till, token_of(wasl, till)


def copy_folder(node, name):
    shutil.copytree(node.path, node.wasl.folder / name)


# ---------------------------------------------------------------------------- folders and disks


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
def test_a_folder_that_may_not_be_written_is_refused(wasl):
    till = wasl.till()
    program = shutil.copy(PROGRAM, wasl.folder / "program")
    for folder, names, _ in os.walk(till.path):
        for path in [folder, *(os.path.join(folder, name) for name in names)]:
            os.chmod(path, 0o755)
    os.chmod(till.path / "keys" / "device.seed", 0o644)
    os.chmod(wasl.folder, 0o755)
    done = subprocess.run(
        [program, "serve", str(till.path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
    )
    assert done.returncode == 1, done
    assert done.stderr.count("\n") == 1 and "ermission denied" in done.stderr, done.stderr


def fill_up(till, token, ids, what):
    """Sells until the till refuses; at most what fits a few megabytes."""
    for number in range(4000):
        events = [sale("BR01", f"{what}-{number}-{i}") for i in range(20)]
        status, answer = post(till, token, events)
        if status != 200:
            return status, answer
        ids += [e["id"] for e in events]
    raise AssertionError("it never became full")


def test_a_full_quota_refuses_and_goes_on_when_it_is_raised(wasl):
    centre, till, token = pair(wasl)
    ids = sell(till, token, [sale("BR01", "first")])
    wait_for(drained(till), "the first sale")
    till.stop()
    set_key(till, "store", "max_bytes", till.database.stat().st_size + 300_000)
    till.serve()
    status, answer = fill_up(till, token, ids, "quota")
    assert status == 507 and answer["status"] == 507, answer
    assert till.get("/api/v1/status", token)["lanes"]["critical"]["pending"] >= 0
    wait_for(drained(till), "what was taken to reach the centre")  # acks fit, or come later
    till.stop()
    verify_clean(wasl, till)
    set_key(till, "store", "max_bytes", None)
    till.serve()
    ids += sell(till, token, [sale("BR01", "last")])
    wait_for(drained(till), "the last sale")
    assert sorted(sold_ids(centre)) == sorted(ids)


def test_a_store_on_a_read_only_medium_can_be_read(wasl):
    with small_disk(wasl.folder / "disk", 48) as disk:
        till = wasl.till("disk/till").serve()
        sell(till, token_of(wasl, till), [sale("BR01", f"T-{i}") for i in range(20)])
        till.stop(signal.SIGKILL)  # most of it is in the log
        os.unlink(till.path / "wasl.db-shm")
        subprocess.run(["mount", "-o", "remount,ro", str(disk.path)], check=True)
        verdict = wasl.good("verify", till.name, "--json").last
        assert verdict["refold_equal"] and verdict["tickets"] == 20
        assert till.status()["lanes"]["critical"]["pending"] == 20
        assert wasl.good("export", till.name).out.count("ticket_recorded") == 20
        wasl.bad("serve", till.name, saying="Read-only")


def test_an_empty_store_is_damaged_and_its_log_is_kept(wasl):
    till = wasl.till().serve()
    sell(till, token_of(wasl, till), [sale("BR01", "T-1")])
    till.stop(signal.SIGKILL)
    log = till.path / "wasl.db-wal"
    before = log.read_bytes()
    till.database.write_bytes(b"")
    for command in ("serve", "verify", "rebuild"):
        wasl.bad(command, till.name, saying="empty")
    assert before and log.read_bytes() == before


def test_a_store_of_a_newer_version_is_refused(wasl):
    till = wasl.till()
    with contextlib.closing(sqlite3.connect(till.database)) as db:
        db.execute("INSERT INTO schema_version VALUES (9999, 'later', 0)")
        db.commit()
    before = till.database.read_bytes()
    refuses_to_serve(wasl, till, "9999")
    wasl.bad("verify", till.name, saying="newer")
    assert till.database.read_bytes() == before


def test_a_port_in_use_is_named(wasl):
    first = wasl.till("first").serve()
    second = wasl.till("second")
    set_key(second, "node", "listen", f"127.0.0.1:{first.port}")
    refuses_to_serve(wasl, second, f"listen in wasl.ini: 127.0.0.1:{first.port} is already in use")
    assert first.process.poll() is None


def test_a_centre_takes_more_devices_than_the_usual_limit_of_files(wasl):
    centre = wasl.centre()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        centre.serve()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with contextlib.ExitStack() as kept:
        for _ in range(300):
            kept.enter_context(socket.create_connection(("127.0.0.1", centre.port), timeout=5))
        assert centre.get("/healthz")["status"] == "ok"
        assert len(os.listdir(f"/proc/{centre.process.pid}/fd")) > 300


# ------------------------------------------------------------------------------- wrong upstreams


def test_a_till_sells_while_its_upstream_cannot_be_reached(wasl):
    centre = wasl.centre().serve()
    till = wasl.joined(centre)
    centre.stop()
    till.serve()
    token = token_of(wasl, till)
    ids = sell(till, token, [sale("BR01", f"T-{i}") for i in range(5)])
    assert not online(till)
    centre.serve()
    wait_for(drained(till), "the till to find its centre")
    assert sorted(sold_ids(centre)) == sorted(ids)


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html><body>It works!</body></html>" * 50)

    def log_message(self, *_):
        pass


class Silence(threading.Thread):
    """Accepts connections and never says a word."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.kept = []

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                self.kept.append(self.socket.accept()[0])


@pytest.mark.parametrize("kind", ["page", "silence", "another till"])
def test_a_till_sells_while_its_upstream_is_something_else(wasl, kind):
    centre = wasl.centre().serve()
    till = wasl.joined(centre)
    if kind == "page":
        other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        port = other.server_address[1]
        threading.Thread(target=other.serve_forever, daemon=True).start()
    elif kind == "silence":
        other = Silence()
        other.start()
        port = other.port
    else:
        port = wasl.till("another", "BR02").serve().port
    set_key(till, "node", "upstream", f"ws://127.0.0.1:{port}")
    till.serve()
    token = token_of(wasl, till)
    ids = sell(till, token, [sale("BR01", "T-1")])
    time.sleep(PAUSE_S)
    assert not online(till) and unsettled(till) > 0
    till.stop()
    set_key(till, "node", "upstream", centre.url("ws"))
    till.serve()
    wait_for(drained(till), "the right upstream to have it")
    assert sold_ids(centre) == ids


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def replace_server_certificate(wasl, centre, authority):
    """A server certificate of another CA, or one of the chain's own that has run out."""
    keys = centre.path / "keys"
    ca, ca_key = keys / "ca.pem", keys / "ca.key"
    if authority == "another":
        ca, ca_key = wasl.folder / "other.pem", wasl.folder / "other.key"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", 9,
                "-keyout", ca_key, "-out", ca)  # fmt: skip
    request, names = wasl.folder / "server.csr", wasl.folder / "names.cnf"
    names.write_text("subjectAltName = IP:127.0.0.1\nextendedKeyUsage = serverAuth\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=centre",
            "-keyout", keys / "server.key", "-out", request)  # fmt: skip
    days = -1 if authority == "expired" else 9
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-set_serial", 77,
            "-extfile", names, "-days", days, "-out", keys / "server.pem")  # fmt: skip


@pytest.mark.parametrize("authority", ["another", "expired"])
def test_a_till_trusts_no_certificate_but_a_valid_one_of_its_chain(wasl, authority):
    centre = wasl.centre(address="0.0.0.0")
    till = wasl.till(upstream=f"wss://127.0.0.1:{centre.port}")
    kept = wasl.folder / "kept"
    shutil.copytree(centre.path / "keys", kept)
    code = wasl.good("enroll", "code", centre.name, "--location", "BR01", "--role", "terminal")
    centre.serve()
    wasl.good("enroll", "join", till.name, code.out.strip())
    centre.stop()
    replace_server_certificate(wasl, centre, authority)
    centre.serve()
    till.serve()
    token = token_of(wasl, till)
    ids = sell(till, token, [sale("BR01", "T-1")])
    time.sleep(PAUSE_S)
    assert not online(till) and unsettled(till) > 0 and sold_ids(centre) == []
    centre.stop()
    shutil.rmtree(centre.path / "keys")
    shutil.copytree(kept, centre.path / "keys")
    centre.serve()
    wait_for(drained(till), "the right certificate to be trusted")
    assert sold_ids(centre) == ids


# --------------------------------------------------------------------------------------- devices


def device_of(node):
    return node.status()["device"]


def revoke(wasl, centre, device, how):
    """As a person would, as an integrator would, and at a centre that rests."""
    if how == "event":
        owner = token_of(wasl, centre, "owner")
        given = event("device_revoked", "hq", ("device", device), {"reason": "stolen"})
        sell(centre, owner, [given])
        _, answer = post(centre, owner, [given])  # an answer that was lost
        assert answer["results"][0]["status"] == "duplicate", answer
        return
    if how == "resting":
        centre.stop()
    out = wasl.good("enroll", "revoke", centre.name, device, "--reason", "stolen").out
    assert device in out and "BR01" in out
    wasl.bad("enroll", "revoke", centre.name, device, saying="already")
    if how == "resting":
        centre.serve()


def tickets(node):
    return {row[0] for row in query(node, "SELECT number FROM tickets")}


def statuses(node, ids):
    rows = query(node, "SELECT id, status FROM journal")
    return {row[1] for row in rows if row[0] and str(uuid.UUID(bytes=row[0])) in ids}


@pytest.mark.parametrize("how", ["command", "resting", "event"])
def test_what_a_revoked_device_delivers_waits_for_a_person(wasl, how):
    centre, till, token = pair(wasl)
    other = wasl.joined(centre, "other").serve()
    other_token = token_of(wasl, other)
    before = sell(till, token, [sale("BR01", "before")])
    wait_for(drained(till), "the sale before")
    revoke(wasl, centre, device_of(till), how)
    wait_for(lambda: till.status()["revoked"], "the till to be told")  # also a silent one
    fed = query(till, "SELECT * FROM feed_cursors ORDER BY location")
    after = [i for n in range(3) for i in sell(till, token, [sale("BR01", f"after-{n}")])]
    theirs = sell(other, other_token, [sale("BR01", "theirs")])
    wait_for(drained(till), "what came after to be delivered")
    wait_for(drained(other), "the other till's sale")
    assert statuses(centre, after) == {"review"} and statuses(centre, before) == {"settled"}
    assert tickets(centre) == {"before", "theirs"}
    assert query(centre, "SELECT quantity FROM stock WHERE sku = 'TEA'") == [(-20000,)]
    assert sorted(sold_ids(centre)) == sorted(before + after + theirs)
    listed = wasl.good("review", "list", centre.name, "--json").json
    (review,) = [r for r in listed if r["kind"] == "revoked"]
    assert review["record"] == device_of(till) and review["detail"]["events"] == len(after)
    till.stop()
    assert till.status()["revoked"] and "revoked" in wasl.good("status", till.name).out
    till.serve()  # a new run: its beginning waits as well
    after += sell(till, token, [sale("BR01", "restarted")])
    wait_for(drained(till), "the sale after a restart")
    assert statuses(centre, after) == {"review"}
    assert query(till, "SELECT * FROM feed_cursors ORDER BY location") == fed
    assert not other.status()["revoked"] and tickets(centre) == {"before", "theirs"}
    verify_clean(wasl, centre)
    verify_clean(wasl, till)
    centre.stop()
    wasl.good("rebuild", centre.name)
    verify_clean(wasl, centre)
    assert statuses(centre, after) == {"review"} and tickets(centre) == {"before", "theirs"}
    listed = wasl.good("review", "list", centre.name, "--json").json
    (review,) = [r for r in listed if r["kind"] == "revoked"]
    wasl.good("review", "resolve", centre.name, str(review["number"]), "--decision", "accept")
    for _ in range(2):
        assert statuses(centre, after) == {"settled"}
        assert len(tickets(centre)) == 2 + len(after)
        verify_clean(wasl, centre)
        wasl.good("rebuild", centre.name)


def test_a_clone_of_a_revoked_device_takes_nothing_away(wasl):
    """The thief has the disk as it was, and says again what was said, earlier and otherwise."""
    centre, till, token = pair(wasl)
    first = [sale("BR01", f"T-{n}") for n in range(5)]
    ids = sell(till, token, first)
    wait_for(drained(till), "the sales before")
    till.stop()
    copy_folder(till, "clone")
    till.serve()
    ids += sell(till, token, [sale("BR01", "own")])
    wait_for(drained(till), "one more")
    wasl.good("enroll", "revoke", "centre", device_of(till))
    till.stop()
    clone = type(till)(wasl, "clone", free_port())
    set_key(clone, "node", "listen", f"127.0.0.1:{clone.port}")
    clone.serve()
    wait_for(lambda: clone.status()["revoked"], "the clone to be told")
    day = 86_400_000
    again = [{**e, "id": str(uuid.uuid4()), "at": e["at"] - day} for e in first]  # the tickets
    sell(clone, token, [*again, sale("BR01", "own"), sale("BR01", "T-5", sku="GOLD")])
    wait_for(drained(clone), "what the clone says")
    assert tickets(centre) == {"own", *(f"T-{n}" for n in range(5))}
    assert query(centre, "SELECT sku, quantity FROM stock") == [("TEA", -60000)]
    assert statuses(centre, ids) == {"settled"}
    assert reviews(centre) == {"revoked"}
    (branch,) = [
        b for b in centre.get("/api/v1/branches")["branches"] if b["branch_id"] == "BR01"
    ]
    assert (branch["devices"], branch["devices_online"], branch["pending_events"]) == (0, 0, 0)
    verify_clean(wasl, centre)


def test_who_may_be_revoked_and_by_whom(wasl):
    centre, till, token = pair(wasl)
    wasl.bad("enroll", "revoke", "centre", str(uuid.uuid4()), saying="no device")
    wasl.bad("enroll", "revoke", "centre", "till 1", code=2, saying="till 1")
    wasl.bad("enroll", "revoke", "centre", device_of(centre), saying="no device")
    wasl.bad("enroll", "revoke", "till", device_of(till), saying="at the centre")
    owner = token_of(wasl, centre, "owner")
    for device, body, saying in [
        (device_of(centre), {}, "the centre itself"),
        (str(uuid.uuid4()), {}, "no device"),
        (device_of(till), {"heads": []}, "written by the centre"),
    ]:
        _, answer = post(centre, owner, [event("device_revoked", "hq", ("device", device), body)])
        assert saying in answer["results"][0]["reason"], answer
    assert not till.status()["revoked"]


def test_nobody_moves_a_device_or_gives_it_another_key(wasl):
    centre, till, token = pair(wasl)
    owner = token_of(wasl, centre, "owner")
    (key,) = query(centre, "SELECT lower(hex(key)) FROM devices")[0]
    as_it_is = {"role": "terminal", "location": "BR01", "key": key, "name": "Till"}
    for changed, saying in [
        ({"key": "77" * 32}, "another key"),
        ({"location": "BR02"}, "another place"),
        ({"role": "branch"}, "another role"),
    ]:
        said = event("device_enrolled", "hq", ("device", device_of(till)), as_it_is | changed)
        status, answer = post(centre, owner, [said])
        assert status == 200 and answer["results"][0]["status"] == "rejected", answer
        assert saying in answer["results"][0]["reason"], answer
    sell(centre, owner, [event("device_enrolled", "hq", ("device", device_of(till)), as_it_is)])
    sell(till, token, [sale("BR01", "T-1")])
    wait_for(drained(till), "the sale")
    verify_clean(wasl, centre)
    revoke(wasl, centre, device_of(till), "command")
    said = event("device_enrolled", "hq", ("device", device_of(till)), as_it_is)
    _, answer = post(centre, owner, [said])
    assert "revoked" in answer["results"][0]["reason"], answer


@pytest.mark.parametrize("together", [True, False])
def test_a_cloned_till_counts_twice_over_and_is_reviewed(wasl, together):
    centre, till, token = pair(wasl)
    ids = sell(till, token, [sale("BR01", "before")])
    wait_for(drained(till), "the sale before")
    till.stop()
    copy_folder(till, "clone")
    clone = type(till)(wasl, "clone", free_port())
    set_key(clone, "node", "listen", f"127.0.0.1:{clone.port}")
    nodes = [till, clone]
    for node in nodes:
        node.serve()
        ids += sell(node, token, [sale("BR01", f"{node.name}-{i}") for i in range(20)])
        if not together:
            wait_for(drained(node), f"{node.name} to drain")
            node.stop()
    if together:
        for node in nodes:
            wait_for(drained(node), f"{node.name} to drain, turn by turn", seconds=60)
    assert sorted(sold_ids(centre)) == sorted(ids)
    assert reviews(centre) & {"clone", "fork"}
    verify_clean(wasl, centre)


def test_a_restored_till_loses_nothing_and_is_reviewed(wasl):
    centre, till, token = pair(wasl)
    ids = sell(till, token, [sale("BR01", f"old-{i}") for i in range(10)])
    wait_for(drained(till), "the first sales")
    till.stop()
    copy_folder(till, "backup")
    till.serve()
    ids += [i for n in range(100) for i in sell(till, token, [sale("BR01", f"mid-{n}")])]
    wait_for(drained(till), "100 more sales")
    till.stop()
    centre.stop()
    shutil.rmtree(till.path)
    shutil.move(wasl.folder / "backup", till.path)
    till.serve()
    ids += sell(till, token, [sale("BR01", f"new-{i}") for i in range(30)])
    centre.serve()
    wait_for(drained(till), "the sales after the restore")
    assert sorted(sold_ids(centre)) == sorted(ids)
    assert reviews(centre) & {"clone", "fork"}
    verify_clean(wasl, centre)
    verify_clean(wasl, till)
    stock = "SELECT sum(quantity) FROM stock WHERE location = 'BR01' AND sku = 'TEA'"
    wait_for(lambda: query(till, stock) == query(centre, stock), "the feed to bring the rest")
    assert query(centre, stock) == [(-10000 * len(ids),)]


class Recorder(threading.Thread):
    """Passes bytes on between a till and its centre, and keeps what the till said."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.target = port
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.said = bytearray()

    def run(self):
        with contextlib.suppress(OSError):
            near = self.socket.accept()[0]
            far = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.pump, args=(far, near, None), daemon=True).start()
            self.pump(near, far, self.said)

    @staticmethod
    def pump(a, b, copy):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                if copy is not None:
                    copy += data
                b.sendall(data)
            b.close()


def say_again(port, said):
    """Sends recorded bytes to the centre; what it answers."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.settimeout(2)
        s.sendall(said)
        with contextlib.suppress(OSError):
            while data := s.recv(65536):
                heard += data
    return heard


def test_a_replayed_hello_is_refused(wasl):
    centre = wasl.centre().serve()
    till = wasl.joined(centre)
    recorder = Recorder(centre.port)
    recorder.start()
    set_key(till, "node", "upstream", f"ws://127.0.0.1:{recorder.port}")
    till.serve()
    token = token_of(wasl, till)
    ids = sell(till, token, [sale("BR01", "T-1")])
    wait_for(drained(till), "the sale")
    till.stop()
    heard = say_again(centre.port, bytes(recorder.said))
    assert b"101 Switching Protocols" in heard and b'"m":"challenge"' in heard
    assert b'"m":"welcome"' not in heard and b'"m":"ack"' not in heard
    assert sold_ids(centre) == ids


# ---------------------------------------------------------------------------------------- damage


def flip(node, ticket):
    """Changes one byte of an event, as a failing disk would."""
    with sqlite3.connect(node.database) as db:
        changed = db.execute(
            "UPDATE events SET rest = replace(rest, '\"2.50\"', '\"2.58\"')"
            " WHERE instr(rest, ?) > 0",
            (f'"ticket":"{ticket}"',),
        )
        assert changed.rowcount == 1


def test_a_flipped_bit_in_the_outbox_stops_nothing_else(wasl):
    centre, till, token = pair(wasl)
    centre.stop()
    events = [sale("BR01", f"T-{i}") for i in range(30)]
    sell(till, token, events)
    till.stop()
    flip(till, "T-17")
    wasl.bad("verify", till.name, saying="chain")
    centre.serve()
    till.serve()
    good = {e["id"] for e in events} - {events[17]["id"]}
    wait_for(lambda: set(sold_ids(centre)) >= good, "the undamaged sales")
    assert set(sold_ids(centre)) == good
    assert "damaged" in reviews(till)
    evidence = query(till, "SELECT bytes FROM quarantine")
    assert len(evidence) == 1 and b'"2.58"' in bytes(evidence[0][0])
    more = sell(till, token, [sale("BR01", "T-99")])
    wait_for(lambda: set(more) <= set(sold_ids(centre)), "a later sale")
    verify_clean(wasl, centre)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE journal SET bytes = replace(bytes, '\"2.50\"', '\"2.58\"') WHERE lsn = (SELECT"
        " max(lsn) FROM journal)",
        "DELETE FROM journal WHERE lsn = (SELECT max(lsn) - 1 FROM journal)",
        "UPDATE tickets SET total = total + 1",
        "UPDATE streams SET location = 'BR77' WHERE own = 0",
        "UPDATE streams SET lane = 2 WHERE own = 0",
        "UPDATE streams SET device = zeroblob(16) WHERE own = 0",
        "UPDATE streams SET certificate = zeroblob(64) WHERE own = 0",
        "UPDATE streams SET seal_seq = 0 WHERE own = 0",
        "UPDATE streams SET settled_seq = 9 WHERE own = 0",
        "DELETE FROM meta WHERE name = 'chain'",
    ],
)
def test_an_edited_journal_of_the_centre_is_found(wasl, edit):
    centre, till, token = pair(wasl)
    sell(till, token, [sale("BR01", f"T-{i}") for i in range(5)])
    wait_for(drained(till), "the sales")
    centre.stop()
    verify_clean(wasl, centre)
    with sqlite3.connect(centre.database) as db:
        db.execute(edit)
    result = wasl("verify", centre.name, "--json")
    assert result.code == 1 and result.err.count("\n") == 1, result.err
    verdict = result.last
    assert verdict["chain_errors"] or verdict["gaps"] or not verdict["refold_equal"]
