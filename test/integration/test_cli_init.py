# SPDX-License-Identifier: Apache-2.0
"""wasl init and wasl serve."""

import configparser
import os
import re
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess

import pytest

from conftest import PROGRAM


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def ini(path):
    parser = configparser.ConfigParser(comment_prefixes=";")
    parser.read(path / "wasl.ini")
    return parser


@pytest.mark.parametrize(
    "role, listen", [("central", 7400), ("branch", 7401), ("terminal", 7402)]
)
def test_makes_a_node(wasl, role, listen):
    result = wasl.good("init", role, "n")
    assert ("not built" if role == "branch" else "wasl serve n") in result.out
    path = wasl.folder / "n"
    assert ini(path)["node"]["role"] == role
    assert ini(path)["node"]["listen"] == f"127.0.0.1:{listen}"
    assert (path / "wasl.db").exists()
    assert mode(path / "keys") == 0o700
    assert mode(path / "keys" / "device.seed") == 0o600
    assert (path / "keys" / "ca.key").exists() == (role == "central")


def test_keeps_what_it_is_told(wasl):
    wasl.good(
        "init", "terminal", "n", "--location", "BR 01", "--region", "east", "--listen", "[::1]:7",
        "--upstream", "wss://hub:7401", "--upstream", "ws://127.0.0.1:7400",
    )
    node = ini(wasl.folder / "n")["node"]
    assert node["location"] == "BR 01"
    assert node["region"] == "east"
    assert node["listen"] == "[::1]:7"
    assert node["upstream"] == "wss://hub:7401, ws://127.0.0.1:7400"
    assert wasl.good("status", "n", "--json").json["location"] == "BR 01"


def test_bad_usage(wasl):
    wasl.bad("init", "king", "n", code=2, saying="king")
    wasl.bad("init", "terminal", "n", "--listen", "here", code=2, saying="--listen")
    wasl.bad("init", "terminal", "n", "--upstream", "ftp://x", code=2, saying="--upstream")
    wasl.bad("init", "terminal", "n", "--location", " x", code=2, saying="--location")
    wasl.bad("init", "terminal", "n", "--location", "x" * 65, code=2)
    wasl.bad("init", "terminal", "n", "--location", "*", code=2, saying="--location")
    wasl.bad("init", "central", "n", "--upstream", "ws://x", code=2, saying="upstream")
    wasl.bad("init", "central", "n", "--location", "BR01", code=2, saying="hq")
    wasl.bad("init", "terminal", "", code=2)
    assert os.listdir(wasl.folder) == []


def test_never_over_another_node(wasl):
    wasl.good("init", "central", "n")
    before = (wasl.folder / "n" / "keys" / "device.seed").read_bytes()
    wasl.bad("init", "central", "n", saying="holds a node already")
    assert (wasl.folder / "n" / "keys" / "device.seed").read_bytes() == before


def test_a_missing_parent(wasl):
    wasl.bad("init", "central", "a/b", saying="a/b")


def test_a_folder_that_may_not_be_written(wasl):
    """As somebody without rights: the rights of root know no limits."""
    shutil.copy(PROGRAM, wasl.folder / "wasl")
    os.chmod(wasl.folder, 0o755)
    (wasl.folder / "closed").mkdir(mode=0o555)
    who = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    for folder in ("closed", "closed/n"):
        done = subprocess.run(
            [wasl.folder / "wasl", "init", "central", folder],
            cwd=wasl.folder, capture_output=True, text=True, check=False, **who,
        )
        assert done.returncode == 1
        assert "closed" in done.stderr and done.stderr.count("\n") == 1
    assert os.listdir(wasl.folder / "closed") == []


def test_leaves_nothing_behind_when_the_disk_is_full(wasl):
    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    wasl.bad("init", "central", "n", preexec_fn=no_room)
    assert os.listdir(wasl.folder) == []
    wasl.good("init", "central", "n")


def test_unknown_keys_are_named(wasl):
    wasl.good("init", "terminal", "n", "--location", "BR01")
    with open(wasl.folder / "n" / "wasl.ini", "a") as f:
        f.write("[node]\ncolour = red\n")
    wasl.bad("status", "n", saying="colour")
    wasl.bad("serve", "n", saying="wasl.ini")


def test_a_database_of_a_newer_version(wasl):
    wasl.good("init", "terminal", "n", "--location", "BR01")
    with sqlite3.connect(wasl.folder / "n" / "wasl.db") as db:
        db.execute("INSERT INTO schema_version VALUES (9999, 'from_tomorrow', 0)")
    for words in (["status", "n"], ["serve", "n"], ["verify", "n"], ["rebuild", "n"]):
        wasl.bad(*words, saying="version")


def test_a_file_that_is_no_database(wasl):
    wasl.good("init", "terminal", "n", "--location", "BR01")
    (wasl.folder / "n" / "wasl.db").write_bytes(b"not a database" * 1000)
    wasl.bad("status", "n")
    wasl.bad("serve", "n")


# ---- serve ----------------------------------------------------------------------------


def test_serves_until_it_is_told_to_stop(wasl):
    centre = wasl.centre().serve()
    assert centre.get("/healthz") == {"status": "ok"}
    assert mode(centre.path / "run" / "admin.token") == 0o600
    assert centre.stop() == 0
    assert os.listdir(centre.path / "run") == []


def test_stops_on_an_interrupt(wasl):
    assert wasl.centre().serve().stop(signal.SIGINT) == 0


def test_one_node_a_folder(wasl):
    centre = wasl.centre().serve()
    wasl.bad("serve", "centre", saying=f"process {centre.process.pid}")


def test_one_node_a_port(wasl):
    centre = wasl.centre().serve()
    wasl.good("init", "central", "other", "--listen", f"127.0.0.1:{centre.port}")
    wasl.bad("serve", "other", saying=str(centre.port))


def test_hubs_are_not_built(wasl):
    wasl.good("init", "branch", "hub", "--location", "BR01")
    wasl.bad("serve", "hub", saying="not built")


def test_off_this_machine_only_with_a_certificate(wasl):
    wasl.good("init", "terminal", "n", "--listen", "0.0.0.0:7499")
    wasl.bad("serve", "n", saying="server.pem")


def test_says_why_a_till_works_alone(wasl):
    centre = wasl.centre().serve()
    till = wasl.till("till", "BR01", centre.url("ws"))
    till.serve()
    assert till.stop() == 0
    assert "works alone: it has joined no chain (wasl enroll join till" in till.log.read_text()
    assert "works alone" not in centre.log.read_text()
    joined = wasl.joined(centre, "joined").serve()
    assert joined.stop() == 0
    assert "works alone" not in joined.log.read_text()
    path = joined.path / "wasl.ini"
    path.write_text(re.sub("(?m)^upstream = .*\n", "", path.read_text()))
    joined.serve()
    assert joined.stop() == 0
    assert "works alone: joined/wasl.ini names no upstream" in joined.log.read_text()


def test_starts_again_after_a_kill(wasl):
    centre = wasl.centre().serve()
    centre.stop(signal.SIGKILL)
    assert (centre.path / "run" / "admin.token").exists()  # stale
    wasl.good("token", "centre", "--name", "n", "--role", "owner")
    centre.serve()
    assert centre.status()["online"] is True
