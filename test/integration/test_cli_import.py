# SPDX-License-Identifier: Apache-2.0
"""wasl import, replay and verify."""

import csv
import fcntl
import gzip
import os
import re
import sqlite3
import time

import pytest

from conftest import MAP, RETAIL_MAP, ROWS, wait_for

KEYS = ["tickets", "lines", "added", "duplicates", "rejected", "value", "quantity", "seconds"]
VERDICT = [
    "events", "tickets", "lines", "value", "quantity", "gaps", "duplicates", "chain_errors",
    "refold_equal",
]


def imported(result, **wanted):
    assert list(result.last) == KEYS
    assert {k: result.last[k] for k in wanted} == wanted
    return result.last


def verdict(wasl, name="centre"):
    result = wasl.good("verify", name, "--json")
    assert list(result.last) == VERDICT
    assert result.last["refold_equal"] is True
    assert (result.last["gaps"], result.last["chain_errors"]) == (0, 0)
    return result.last


def test_a_second_import_adds_nothing(wasl, tickets):
    wasl.centre()
    imported(
        wasl.good("import", "centre", "--map", "map.ini", "rows.csv"),
        tickets=3, lines=4, added=3, duplicates=0, rejected=0, value={"USD": "11.50"},
        quantity="4.5",
    )
    first = verdict(wasl)
    imported(
        wasl.good("import", "centre", "--map", "map.ini", "rows.csv"),
        tickets=3, lines=4, added=0, duplicates=3, value={"USD": "11.50"},
    )
    again = verdict(wasl)
    assert first == again
    assert (again["tickets"], again["lines"], again["quantity"]) == (3, 4, "4.5")
    assert again["value"] == {"USD": "11.50"}


def test_the_same_rows_packed_are_the_same_file(wasl, tickets):
    wasl.centre()
    with gzip.open(wasl.folder / "rows.csv.gz", "wt") as f:
        f.write(ROWS)
    wasl.good("import", "centre", "--map", "map.ini", "rows.csv")
    imported(
        wasl.good("import", "centre", "--map", "map.ini", "rows.csv.gz"), added=0, duplicates=3
    )


def test_honest_repeats_stay(wasl, tickets):
    wasl.centre()
    line = "1,2026-11-20 08:00:00,A,Apple,2,1.50,BR01\n"
    wasl.write("twice.csv", ROWS.split("\n")[0] + "\n" + 3 * line)
    imported(
        wasl.good("import", "centre", "--map", "map.ini", "twice.csv"),
        tickets=1, lines=3, value={"USD": "9.00"},
    )


def test_several_files_and_a_place_over_the_map(wasl, tickets):
    wasl.centre()
    wasl.write("more.csv", re.sub(r"\n(\d)", r"\n1\1", ROWS))
    words = ["--map", "map.ini", "--location", "X", "rows.csv", "more.csv"]
    imported(wasl.good("import", "centre", *words), tickets=6, added=6)
    rows = wasl.good("stock", "centre", "--json").json
    assert {row["location"] for row in rows} == {"X"}


def test_bad_rows_are_kept_aside(wasl, tickets):
    wasl.centre()
    wasl.write("bad.csv", ROWS + "4,yesterday,A,Apple,1,1,BR01\n5,2026-11-20 09:00:00,A,Apple\n")
    result = wasl.good("import", "centre", "--map", "map.ini", "bad.csv")
    imported(result, tickets=3, rejected=2)
    assert "bad.csv.rejected.csv" in result.err
    with open(wasl.folder / "bad.csv.rejected.csv", newline="") as f:
        rejected = list(csv.reader(f))
    assert rejected[0] == ["line", "reason", "record"]
    assert [row[0] for row in rejected[1:]] == ["6", "7"]
    assert "yesterday" in rejected[1][1]
    assert rejected[2][2] == "5,2026-11-20 09:00:00,A,Apple"
    wasl.write("bad.csv", ROWS)
    wasl.good("import", "centre", "--map", "map.ini", "bad.csv")
    assert not (wasl.folder / "bad.csv.rejected.csv").exists()


def test_a_file_whose_bad_row_was_mended_adds_that_ticket_alone(wasl, tickets):
    wasl.centre()
    row = "4,{},A,Apple,1,1,BR01\n"
    wasl.write("month.csv", ROWS + row.format("yesterday"))
    imported(wasl.good("import", "centre", "--map", "map.ini", "month.csv"), added=3, rejected=1)
    wasl.write("month.csv", ROWS + row.format("2026-11-20 09:00:00"))
    imported(
        wasl.good("import", "centre", "--map", "map.ini", "month.csv"),
        tickets=4, added=1, duplicates=3, rejected=0,
    )
    assert verdict(wasl)["tickets"] == 4
    assert wasl.good("review", "list", "centre", "--json").json == []


def test_a_ticket_that_lacks_a_rejected_row_is_told(wasl, tickets):
    wasl.centre()
    wasl.write("bad.csv", ROWS + "3,2026-11-20 08:09:00,A,Apple,many,1,BR01\n")
    result = wasl.good("import", "centre", "--map", "map.ini", "bad.csv")
    imported(result, tickets=3, lines=4, rejected=1)
    assert "without a rejected row of theirs: 1\n" in result.err
    wasl.write("worse.csv", ROWS + "4,yesterday,A,Apple,1,1,BR01\n")  # all of its rows
    result = wasl.good("import", "centre", "--map", "map.ini", "worse.csv")
    assert "without a rejected row" not in result.err


def test_rejected_rows_go_over_no_file_of_somebody_else(wasl, tickets):
    wasl.till()
    bad = "no,time,sku,name,quantity,price\n1,yesterday,A,Apple,1,1.50\n"
    wasl.write("bad.csv", bad)
    kept = wasl.write("bad.csv.rejected.csv", "what the owner put right by hand\n")
    result = wasl("import", "till", "--map", "plain.ini", "bad.csv")
    assert result.code == 1 and "could not be written" in result.err
    assert kept.read_text() == "what the owner put right by hand\n"


def test_nothing_but_bad_rows_is_an_error(wasl, tickets):
    wasl.centre()
    wasl.write("bad.csv", ROWS.split("\n")[0] + "\n4,yesterday,A,Apple,1,1,BR01\n")
    result = wasl("import", "centre", "--map", "map.ini", "bad.csv")
    assert result.code == 1
    imported(result, tickets=0, rejected=1)
    assert "every row was rejected" in result.err


def test_a_till_takes_its_own_place_only(wasl, tickets):
    wasl.till(location="BR01")
    imported(
        wasl.good("import", "till", "--map", "map.ini", "rows.csv"), tickets=2, added=2, rejected=1
    )
    rejected = (wasl.folder / "rows.csv.rejected.csv").read_text()
    assert "\n4," in rejected and "BR02" in rejected and "BR01" in rejected
    imported(
        wasl.good("import", "till", "--map", "plain.ini", "rows.csv"),
        tickets=3, added=1, duplicates=2,
    )


def test_a_place_is_needed(wasl, tickets):
    wasl.centre()
    wasl.bad("import", "centre", "--map", "plain.ini", "rows.csv", saying="--location")
    wasl.good("init", "terminal", "lost")
    wasl.bad("import", "lost", "--map", "plain.ini", "rows.csv", saying="enroll join")


@pytest.mark.parametrize(
    "text, saying",
    [
        (MAP.replace("sku = sku\n", ""), "sku"),
        (MAP.replace("= sku", "= barcode"), "barcode"),
        (MAP + "colour = red\n", "unknown key 'colour' in section [rules] (see wasl import"),
        (MAP + "kind = deliveries\n", "deliveries"),
        (MAP + "kind = counts\n", "counts"),
        ("nonsense\n", "broken.ini"),
    ],
)
def test_bad_maps(wasl, tickets, text, saying):
    wasl.centre()
    wasl.write("broken.ini", text)
    wasl.bad("import", "centre", "--map", "broken.ini", "rows.csv", saying=saying)
    assert verdict(wasl)["tickets"] == 0


def test_bad_usage_and_missing_files(wasl, tickets):
    wasl.centre()
    wasl.bad("import", "centre", "rows.csv", code=2, saying="--map")
    wasl.bad("import", "centre", "--map", "map.ini", code=2)
    wasl.bad("import", "centre", "--map", "none.ini", "rows.csv", saying="none.ini")
    wasl.bad("import", "centre", "--map", "map.ini", "none.csv", saying="none.csv")
    wasl.bad("import", "nowhere", "--map", "map.ini", "rows.csv", saying="no node")
    for speed in ("0", "-1", "fast", "inf", "nan"):
        wasl.bad("replay", "centre", "--map", "map.ini", "--speed", speed, "rows.csv", code=2)


def test_into_a_running_node(wasl, tickets):
    centre = wasl.centre().serve()
    imported(wasl.good("import", "centre", "--map", "map.ini", "rows.csv"), added=3)
    imported(wasl.good("import", "centre", "--map", "map.ini", "rows.csv"), duplicates=3)
    assert verdict(wasl)["tickets"] == 3  # beside the running node
    assert centre.stop() == 0
    imported(wasl.good("import", "centre", "--map", "map.ini", "rows.csv"), added=0, duplicates=3)


def test_a_store_that_another_command_holds(wasl, tickets):
    centre = wasl.centre()
    with open(centre.path / "wasl.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        who = f"process {os.getpid()}"
        wasl.bad("import", "centre", "--map", "map.ini", "rows.csv", saying=who)
        wasl.bad("token", "centre", "--name", "n", "--role", "owner", saying=who)
        wasl.bad("rebuild", "centre", saying=who)
        wasl.good("status", "centre")
        assert verdict(wasl)["tickets"] == 0


def test_sales_of_a_till_reach_the_centre(wasl, tickets):
    centre = wasl.centre().serve()
    till = wasl.joined(centre).serve()
    wasl.good("import", "till", "--map", "plain.ini", "rows.csv")
    wait_for(lambda: till.status()["lanes"]["critical"]["settled"] == 3, "settling")
    assert till.status()["lanes"]["critical"]["pending"] == 0
    assert verdict(wasl, "centre")["value"] == {"USD": "11.50"}
    assert verdict(wasl, "till")["value"] == {"USD": "11.50"}
    assert wasl.good("stock", "till", "--json").json == wasl.good("stock", "centre", "--json").json


def test_replay_keeps_the_pace(wasl, tickets):
    wasl.centre()
    began = time.monotonic()
    imported(  # nine minutes of the file
        wasl.good("replay", "centre", "--map", "map.ini", "--speed", 360, "rows.csv"), added=3
    )
    assert 1.4 < time.monotonic() - began < 10
    imported(wasl.good("import", "centre", "--map", "map.ini", "rows.csv"), duplicates=3)


def test_tampering_is_found(wasl, tickets):
    centre = wasl.centre()
    wasl.good("import", "centre", "--map", "map.ini", "rows.csv")
    with sqlite3.connect(centre.database) as db:
        lsn, data = db.execute(
            "SELECT lsn, bytes FROM journal WHERE type = 'ticket_recorded' LIMIT 1"
        ).fetchone()
        changed = data.replace(b"Apple", b"Apfel") if isinstance(data, bytes) else data.replace(
            "Apple", "Apfel"
        )
        assert changed != data
        db.execute("UPDATE journal SET bytes = ? WHERE lsn = ?", (changed, lsn))
    result = wasl.bad("verify", "centre", "--json")
    assert list(result.last) == VERDICT
    assert result.last["chain_errors"] > 0


def test_a_record_changed_by_hand_is_found_and_folded_afresh(wasl, tickets):
    centre = wasl.centre()
    wasl.good("import", "centre", "--map", "map.ini", "rows.csv")
    with sqlite3.connect(centre.database) as db:
        assert db.execute("UPDATE tickets SET total = total + 1").rowcount > 0
    assert wasl.bad("verify", "centre", "--json").last["refold_equal"] is False
    wasl.good("rebuild", "centre")
    assert verdict(wasl)["tickets"] == 3


def test_verify_for_people(wasl, tickets):
    wasl.centre()
    wasl.good("import", "centre", "--map", "map.ini", "rows.csv")
    assert "11.50 USD" in wasl.good("verify", "centre").out


def test_a_month_of_a_retailer(wasl, retail):
    wasl.centre()
    wasl.write("retail.ini", RETAIL_MAP)
    words = ["import", "centre", "--map", "retail.ini", "--location", "UK", retail]
    imported(
        wasl.good(*words), tickets=2025, lines=42481, added=2025, duplicates=0, rejected=0,
        value={"GBP": "748957.02"}, quantity="342228",
    )
    imported(wasl.good(*words), added=0, duplicates=2025)
    found = verdict(wasl)
    assert (found["tickets"], found["lines"], found["duplicates"]) == (2025, 42481, 0)
    assert found["value"] == {"GBP": "748957.02"}
    assert found["quantity"] == "342228"
