# SPDX-License-Identifier: Apache-2.0
"""A month of a real retailer through eight tills, a cut network and lost answers, to the cent."""

import csv
import datetime
import gzip
import json
import subprocess
import time
import zlib

import pytest

import chain
import network
from conftest import RETAIL_MAP
from network import processes  # noqa: F401

LOCATIONS, TILLS = 4, 2
REPLAY_S = 12  # the month takes so long, and its middle third is without a network
TICKETS, LINES, VALUE, QUANTITY = 2025, 42481, "748957.02", "342228"

@pytest.fixture
def parts(retail, tmp_path):
    """The month in eight files: the invoice's number says where and at which till it was."""
    (tmp_path / "retail.ini").write_text(RETAIL_MAP)
    with gzip.open(retail, "rt", newline="", encoding="utf-8") as f:
        rows = csv.reader(f)
        head = next(rows)
        shares = [[] for _ in range(LOCATIONS * TILLS)]
        for row in rows:
            shares[zlib.crc32(row[0].encode()) % len(shares)].append(row)
    assert sum(map(len, shares)) == LINES
    paths = []
    for i, share in enumerate(shares):
        share.sort(key=lambda row: row[4])  # stable: a till's file is in the order of its day
        paths.append(tmp_path / f"till{i}.csv")
        with open(paths[i], "w", newline="", encoding="utf-8") as f:
            csv.writer(f).writerows([head, *share])
    return paths


def seconds_of(paths):
    """From the first sale to the last."""
    times = []
    for path in paths:
        with open(path, newline="", encoding="utf-8") as f:
            times += [row["InvoiceDate"] for row in csv.DictReader(f)]
    ends = [datetime.datetime.fromisoformat(end) for end in (min(times), max(times))]
    return (ends[1] - ends[0]).total_seconds()


def play(processes, verb, tills, paths, *words):
    """The same command at every till at once."""
    command = [chain.WASL, verb]
    return [
        processes.start(
            [*command, till.folder, "--map", path.with_name("retail.ini"), *words, path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for till, path in zip(tills, paths)
    ]


def totals(runs):
    found = []
    for run in runs:
        out, err = run.communicate(timeout=120)
        assert run.returncode == 0, err
        found.append(json.loads(out.splitlines()[-1]))
    return {key: sum(each[key] for each in found) for key in ("added", "duplicates", "rejected")}


def holds_the_month(node):
    verdict = network.verify(node)
    assert (verdict["tickets"], verdict["lines"]) == (TICKETS, LINES)
    assert (verdict["value"], verdict["quantity"]) == ({"GBP": VALUE}, QUANTITY)
    with node.sql() as sql:
        found = sql.execute(
            "SELECT count(*), sum(total), sum(line_count), count(DISTINCT event_id) FROM tickets"
        ).fetchone()
        assert found == (TICKETS, 74895702, LINES, TICKETS)
        lines = sql.execute("SELECT count(*), sum(quantity), sum(amount) FROM ticket_lines")
        assert lines.fetchone() == (LINES, 342228 * 10000, 74895702)
        (left,) = sql.execute("SELECT -sum(quantity) FROM stock").fetchone()
        assert left == 342228 * 10000
        rows = sql.execute(
            "SELECT count(*), count(DISTINCT id) FROM journal"
            " WHERE type = 'ticket_recorded' AND status = 'settled'"
        )
        assert rows.fetchone() == (TICKETS, TICKETS)


def test_a_month_through_eight_tills_and_a_cut(processes, tmp_path, parts):  # noqa: F811
    world = network.Chain(processes, tmp_path, [("fault", "drop_acks_every", 3)])
    for i in range(LOCATIONS * TILLS):
        world.till(f"till{i}", f"UK{i // TILLS + 1}")
    runs = play(processes, "replay", world.tills, parts, "--speed", seconds_of(parts) / REPLAY_S)
    time.sleep(REPLAY_S / 3)
    world.network("cut")
    time.sleep(REPLAY_S / 3)
    assert all(run.poll() is None for run in runs), "the month was over before the cut was"
    assert sum(till.pending() for till in world.tills) > TICKETS / 10
    world.network("heal")
    assert totals(runs) == {"added": TICKETS, "duplicates": 0, "rejected": 0}
    world.drain()
    holds_the_month(world.centre)

    again = play(processes, "import", world.tills, parts)
    assert totals(again) == {"added": 0, "duplicates": TICKETS, "rejected": 0}
    world.drain()
    holds_the_month(world.centre)
    network.chains_hold(world.centre)
    for till in world.tills:
        network.verify(till)
