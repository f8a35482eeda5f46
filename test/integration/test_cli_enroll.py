# SPDX-License-Identifier: Apache-2.0
"""wasl enroll code and wasl enroll join."""

import hashlib
import json
import re
import sqlite3
import subprocess
import urllib.error
import urllib.request
import uuid

import pytest

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32
CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){6}\n")


def make_code(wasl, name="centre", location="BR01", role="terminal"):
    result = wasl.good("enroll", "code", name, "--location", location, "--role", role)
    assert CODE.fullmatch(result.out), result.out
    return result.out.strip()


def secret_of(code):
    """The first 80 bits."""
    digits = [DIGITS.index(c) for c in code.replace("-", "")[:16]]
    return sum(d << 5 * (15 - i) for i, d in enumerate(digits)).to_bytes(10, "big")


def http_post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def locations(node):
    with sqlite3.connect(f"file:{node.database}?mode=ro", uri=True) as db:
        return {row[0] for row in db.execute("SELECT id FROM locations")}


@pytest.fixture
def centre(wasl):
    return wasl.centre().serve()


@pytest.mark.parametrize("running", [False, True])
def test_a_code_is_made_whether_the_centre_runs_or_not(wasl, running):
    centre = wasl.centre()
    if running:
        centre.serve()
    codes = {make_code(wasl), make_code(wasl), make_code(wasl, location="BR02", role="branch")}
    assert len(codes) == 3
    assert {"BR01", "BR02"} <= locations(centre)
    assert wasl.good("verify", "centre", "--json").last["events"] == 4  # two places, two runs
    for code in codes:  # only its hash is kept
        assert code.encode() not in centre.database.read_bytes()


def test_a_till_joins_once(wasl, centre):
    till = wasl.till(location=None)
    code = make_code(wasl)
    out = wasl.good("enroll", "join", "till", code, "--upstream", centre.url("ws")).out
    assert "BR01" in out
    ini = (till.path / "wasl.ini").read_text()
    assert "\nlocation = BR01\n" in ini and f"\nupstream = {centre.url('ws')}\n" in ini
    assert till.status()["location"] == "BR01"
    wasl.bad("enroll", "join", "till", code, saying="used")
    wasl.good("enroll", "join", "till", make_code(wasl))  # of the same chain: nothing changes
    with sqlite3.connect(f"file:{centre.database}?mode=ro", uri=True) as db:
        assert db.execute("SELECT count(*) FROM devices").fetchone() == (1,)


def test_no_code_gives_a_device_another_key(wasl, centre):
    till = wasl.till()
    wasl.good("enroll", "join", "till", make_code(wasl), "--upstream", centre.url("ws"))
    (till.path / "keys" / "device.seed").write_text("ab" * 32 + "\n")
    wasl.bad("enroll", "join", "till", make_code(wasl), saying="another key")


def test_a_code_reads_as_people_write(wasl, centre):
    wasl.till(upstream=centre.url())
    code = make_code(wasl).lower().replace("-", " ").replace("0", "o").replace("1", "l")
    wasl.good("enroll", "join", "till", code)


def test_a_mistyped_code_is_told_before_anything_is_sent(wasl):
    wasl.centre()
    wasl.till(upstream="ws://127.0.0.1:9")
    code = make_code(wasl)
    other = "A" if code[2] != "A" else "B"
    wasl.bad("enroll", "join", "till", code[:2] + other + code[3:], saying="mistyped")
    wasl.bad("enroll", "join", "till", code[:-1], saying="34")
    wasl.bad("enroll", "join", "till", code + "A", saying="longer")
    wasl.bad("enroll", "join", "till", code[:2] + "!" + code[3:], saying="!")


def test_an_unreachable_upstream(wasl):
    wasl.centre()
    wasl.till(upstream="ws://127.0.0.1:9")
    wasl.bad("enroll", "join", "till", make_code(wasl), saying="http://127.0.0.1:9")
    wasl.good("init", "terminal", "other")
    wasl.bad("enroll", "join", "other", make_code(wasl), code=2, saying="--upstream")


def test_the_next_upstream_is_tried(wasl, centre):
    wasl.good(
        "init", "terminal", "till", "--upstream", "ws://127.0.0.1:9", "--upstream", centre.url("ws")
    )
    wasl.good("enroll", "join", "till", make_code(wasl))


def test_a_code_of_another_chain(wasl, centre):
    wasl.centre("stranger")
    till = wasl.till(upstream=centre.url())
    code = make_code(wasl, "stranger")
    wasl.bad("enroll", "join", "till", code, saying="not the one that this code is from")
    assert not (till.path / "keys" / "ca.pem").exists()


def test_a_wrong_code_of_the_right_chain(wasl):
    centre = wasl.centre()
    code = make_code(wasl)
    with sqlite3.connect(centre.database) as db:
        assert db.execute("DELETE FROM codes").rowcount == 1
    centre.serve()
    wasl.till(upstream=centre.url())
    wasl.bad("enroll", "join", "till", code, saying="wrong")


def test_an_expired_code(wasl):
    centre = wasl.centre()
    code = make_code(wasl)
    with sqlite3.connect(centre.database) as db:
        assert db.execute("UPDATE codes SET expires_at = 1").rowcount == 1
    centre.serve()
    wasl.till(upstream=centre.url())
    wasl.bad("enroll", "join", "till", code, saying="expired")


def devices(centre):
    with sqlite3.connect(f"file:{centre.database}?mode=ro", uri=True) as db:
        return sorted(db.execute("SELECT location, role FROM devices"))


def test_a_code_for_another_role_or_place_stays_good(wasl, centre):
    wasl.till(upstream=centre.url())
    hub, far = make_code(wasl, role="branch"), make_code(wasl, location="BR02")
    wasl.bad("enroll", "join", "till", hub, saying="branch")
    wasl.bad("enroll", "join", "till", far, saying="BR02")
    assert devices(centre) == []
    wasl.good("init", "branch", "hub", "--location", "BR01", "--upstream", centre.url("ws"))
    wasl.good("enroll", "join", "hub", hub)
    wasl.till("far", location="BR02", upstream=centre.url())
    wasl.good("enroll", "join", "far", far)
    assert devices(centre) == [("BR01", "branch"), ("BR02", "terminal")]


def test_a_device_that_is_enrolled_is_not_moved(wasl, centre):
    wasl.joined(centre)
    code = make_code(wasl, location="BR02")
    wasl.bad("enroll", "join", "till", code, saying="BR02")
    assert devices(centre) == [("BR01", "terminal")]


def sign(folder, seed, message):
    """Ed25519, by OpenSSL: the private key in PKCS#8 is this prefix and the seed."""
    (folder / "key").write_bytes(bytes.fromhex("302e020100300506032b657004220420" + seed))
    (folder / "message").write_bytes(message)
    words = ["pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", folder / "key"]
    return subprocess.check_output(["openssl", *words, "-in", folder / "message"])


def test_only_who_holds_the_key_may_join(wasl, centre, tmp_path):
    """A request as a stranger to this program would make it, and everything that is wrong."""
    code = make_code(wasl)
    with sqlite3.connect(f"file:{centre.database}?mode=ro", uri=True) as db:
        (code_hash,) = db.execute("SELECT secret FROM codes").fetchone()
    secret = secret_of(code)
    assert hashlib.blake2b(secret, digest_size=32).digest() == code_hash
    seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"  # of RFC 8032
    key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    device = uuid.uuid4()

    def body(location="BR01", signed=(code_hash, device.bytes, bytes.fromhex(key), b"BR01")):
        proof = sign(tmp_path, seed, b"wasl.v1 join\n" + b"".join(signed))
        return {
            "code_secret": secret.hex(), "device": str(device), "key": key, "role": "terminal",
            "location": location, "name": "x", "proof": proof.hex(),
        }

    def post(body):
        return http_post(centre.url() + "/api/v1/enroll", body)

    parts = [code_hash, device.bytes, bytes.fromhex(key), b"BR01"]
    assert post({k: v for k, v in body().items() if k != "proof"}) == 400
    assert post({**body(), "proof": "00" * 64}) == 403
    assert post({**body(), "key": "ab" * 32}) == 403
    for i, part in enumerate(parts):
        assert post(body(signed=[*parts[:i], bytes(len(part)), *parts[i + 1 :]])) == 403
    assert post(body(location="BR02")) == 403
    assert devices(centre) == []
    assert post(body()) == 200
    assert devices(centre) == [("BR01", "terminal")]
    assert post(body()) == 403  # used up


def test_the_device_must_be_at_rest_and_a_centre_joins_nobody(wasl, centre):
    till = wasl.till(upstream=centre.url()).serve()
    code = make_code(wasl)
    wasl.bad("enroll", "join", "till", code, saying="in use")
    till.stop()
    wasl.centre("second")
    wasl.bad("enroll", "join", "second", code, saying="joins no other")
    wasl.good("enroll", "join", "till", code)
    words = ["--location", "BR01", "--role", "terminal"]
    wasl.bad("enroll", "code", "till", *words, saying="made at the centre")


def test_usage(wasl):
    wasl.centre()
    wasl.bad("enroll", "code", "centre", "--role", "terminal", code=2, saying="--location")
    wasl.bad("enroll", "code", "centre", "--location", "BR01", code=2, saying="--role")
    words = ["--location", "*", "--role", "terminal"]
    wasl.bad("enroll", "code", "centre", *words, code=2, saying="--location")
    for role in ("central", "king"):
        words = ["--location", "BR01", "--role", role]
        wasl.bad("enroll", "code", "centre", *words, code=2, saying="--role")


def test_over_tls_only_the_pinned_authority_is_trusted(wasl):
    centre = wasl.centre(address="0.0.0.0").serve()
    stranger = wasl.centre("stranger", address="0.0.0.0").serve()
    wasl.till(upstream=f"wss://localhost:{centre.port}")
    code = make_code(wasl)
    url = f"wss://localhost:{stranger.port}"
    wasl.bad("enroll", "join", "till", code, "--upstream", url, saying="not the one")
    wasl.good("enroll", "join", "till", code)
    assert wasl.good("status", "centre", "--json").json["online"] is True  # by TLS, here too
