# SPDX-License-Identifier: Apache-2.0
"""wasl enroll code and wasl enroll join."""

import re
import sqlite3

import pytest

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){6}\n")


def make_code(wasl, name="centre", location="BR01", role="terminal"):
    result = wasl.good("enroll", "code", name, "--location", location, "--role", role)
    assert CODE.fullmatch(result.out), result.out
    return result.out.strip()


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


def test_a_code_for_another_role_or_place(wasl, centre):
    wasl.till(upstream=centre.url())
    wasl.bad("enroll", "join", "till", make_code(wasl, role="branch"), saying="branch")
    wasl.bad("enroll", "join", "till", make_code(wasl, location="BR02"), saying="BR02")


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
