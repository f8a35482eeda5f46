# SPDX-License-Identifier: Apache-2.0
"""The demonstration: it counts right, finds what is planted, and leaves nothing running."""

import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

import chain
import tally
from conftest import ROOT, wait_for

DEMO = ROOT / "tools" / "demo"


@pytest.fixture(autouse=True)
def built():
    for program in (chain.WASL, chain.PROXY, chain.LOAD):
        if not program.exists():
            pytest.skip(f"{program} is not built")


def demo(*words, **options):
    command = [sys.executable, str(DEMO), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def children_of(folder):
    """Processes that have this folder in their command line."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            pass
    return found


def test_counts_a_chain_that_lost_its_network(tmp_path):
    folder = tmp_path / "chain"
    words = ["--headless", "--seconds", 6, "--branches", 2, "--tills", 2, "--keep", folder]
    done = demo(*words)
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout.splitlines()[-1])
    assert list(counts) == [
        "committed", "arrived", "lost", "doubled", "reviews", "visibility_p99_ms",
    ]  # fmt: skip
    assert 80 <= counts["committed"] == counts["arrived"] <= 130
    assert (counts["lost"], counts["doubled"]) == (0, 0)
    assert "loses its network" in done.stderr and "is back" in done.stderr
    assert children_of(folder) == []
    assert (folder / "centre" / "wasl.db").exists()


def test_refuses_tickets_that_are_not_there_or_cannot_be_read(tmp_path):
    (tmp_path / "map.ini").write_text("[columns]\n")
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    words = ["--headless", "--seconds", 60, "--branches", 1, "--tills", 1]
    missing = demo(*words, "--tickets", "none.csv", "--map", "map.ini", cwd=tmp_path)
    assert missing.returncode == 2 and "none.csv: no such file" in missing.stderr
    began = time.monotonic()
    bad = demo(*words, "--tickets", "rows.csv", "--map", "map.ini", cwd=tmp_path)
    assert bad.returncode == 1 and bad.stdout == "", bad.stdout
    assert bad.stderr.splitlines()[-1].endswith("map.ini: columns.ticket is missing")
    assert time.monotonic() - began < 30  # at once, not after all the seconds


def test_replays_ones_own_tickets(tmp_path):
    rows = ["no,time,sku,quantity,price"]
    rows += [f"{n},2026-11-20 08:{n % 60:02}:00,A{n % 7},2,1.50" for n in range(100)]
    (tmp_path / "rows.csv").write_text("\n".join(rows) + "\n")
    columns = "ticket = no\ntime = time\nsku = sku\nquantity = quantity\nunit_price = price\n"
    (tmp_path / "map.ini").write_text(f"[columns]\n{columns}[rules]\ncurrency = USD\n")
    words = ["--tickets", "rows.csv", "--map", "map.ini", "--branches", 2, "--tills", 2]
    done = demo("--headless", "--seconds", 20, "--rate", 10, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout.splitlines()[-1])
    assert counts["committed"] == counts["arrived"] == 100


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_leaves_no_process_behind(tmp_path, how):
    folder = tmp_path / "chain"
    words = ["--headless", "--seconds", "60", "--branches", "1", "--tills", "1", "--keep", folder]
    with subprocess.Popen(
        [sys.executable, DEMO, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        wait_for(lambda: list(folder.glob("*.sales")), "the load to begin")
        time.sleep(0.2)
        process.send_signal(how)
        process.wait(timeout=30)
    wait_for(lambda: children_of(folder) == [], "all processes to end")


def test_stops_when_people_say_so(tmp_path):
    folder = tmp_path / "chain"
    words = ["--branches", "1", "--tills", "1", "--keep", folder]
    with subprocess.Popen(
        [sys.executable, DEMO, *words], stdout=subprocess.PIPE, text=True
    ) as process:
        wait_for(lambda: any(p.stat().st_size for p in folder.glob("*.sales")), "a sale")
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "The console: http://127.0.0.1:" in out
    assert "A till of Beirut Hamra: http://127.0.0.1:" in out
    counts = json.loads(out.splitlines()[-1])
    assert 0 < counts["committed"] == counts["arrived"]
    assert children_of(folder) == []


def test_refuses_a_folder_that_is_not_empty(tmp_path):
    (tmp_path / "mine").write_text("x")
    done = demo("--headless", "--keep", tmp_path)
    assert done.returncode == 2 and "is not empty" in done.stderr


# ---- the tally finds what is planted --------------------------------------------------------


A, B, C = (f"01a1fbff-e22a-715f-91f6-00000000000{n}" for n in range(3))


@pytest.fixture
def books(tmp_path):
    """Two sales in the log of a till, and both at the centre."""
    log = tmp_path / "till.sales"
    log.write_text(
        f"{A}\t1000000\taccepted\t500\tUSD\t2\tS1\t20000\tS2\t10000\n"
        f"{B}\t2000000\tduplicate\t300\tUSD\t1\tS1\t10000\n"
        f"{C}\t3000000\trejected\t100\tUSD\t1\tS1\t10000\n"
    )
    sql = sqlite3.connect(":memory:")
    sql.executescript(
        """CREATE TABLE journal (id BLOB, received_at INTEGER, status TEXT, type TEXT);
        CREATE TABLE tickets (event_id BLOB, total INTEGER);
        CREATE TABLE stock (location TEXT, sku TEXT, quantity INTEGER);
        CREATE TABLE reviews (open INTEGER);
        INSERT INTO stock VALUES ('BR01', 'S1', -30000), ('BR01', 'S2', -10000);"""
    )
    for name, received, total in ((A, 1004, 500), (B, 2010, 300)):
        blob = bytes.fromhex(name.replace("-", ""))
        values = (blob, received, "settled", "ticket_recorded")
        sql.execute("INSERT INTO journal VALUES (?, ?, ?, ?)", values)
        sql.execute("INSERT INTO tickets VALUES (?, ?)", (blob, total))
    return [tally.Log(log, "BR01")], sql


def test_tally_of_what_is_right(books):
    assert tally.tally(*books) == {
        "committed": 2, "arrived": 2, "lost": 0, "doubled": 0, "reviews": 0,
        "visibility_p99_ms": 10,
    }  # fmt: skip


def test_tally_leaves_out_what_it_is_told(books):
    assert tally.tally(*books, lambda sale: sale.answered_ms > 1500)["visibility_p99_ms"] == 4


@pytest.mark.parametrize(
    "planted",
    [
        "INSERT INTO journal SELECT * FROM journal LIMIT 1",
        "INSERT INTO tickets SELECT event_id, 0 FROM tickets LIMIT 1",
        "UPDATE tickets SET total = total + 1 WHERE total = 300",
        "UPDATE stock SET quantity = quantity - 10000 WHERE sku = 'S1'",
        "INSERT INTO stock VALUES ('BR02', 'S1', -10000)",
    ],
)
def test_tally_finds_what_counts_twice(books, planted):
    books[1].execute(planted)
    counts = tally.tally(*books)
    assert (counts["lost"], counts["doubled"]) == (0, 1)


def test_tally_finds_what_is_lost(books):
    books[1].execute("DELETE FROM journal WHERE received_at = 2010")
    assert tally.tally(*books)["lost"] == 1


def test_tally_reads_only_whole_lines(books):
    (log,), _ = books
    log.read()
    with open(log.path, "a") as f:
        f.write(f"{C}\t4000000\tacc")
    log.read()
    assert len(log.kept) == 2
    with open(log.path, "a") as f:
        f.write("epted\t1\tUSD\t0\n")
    log.read()
    assert len(log.kept) == 3
