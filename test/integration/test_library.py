# SPDX-License-Identifier: Apache-2.0
"""libwasl as a program meets it: the shared and the static library, and the example."""

import ctypes
import json
import os
import re
import sqlite3
import subprocess

import pytest
from conftest import ROOT, wait_for
from shop import sale
from test_room import small_disk

BUILD = ROOT / "build"
HEADER = ROOT / "include" / "wasl.h"
SHARED_LIBRARY = BUILD / "include" / "libwasl.so"
STATIC_LIBRARY = BUILD / "include" / "libwasl.a"
EXAMPLE = BUILD / "examples" / "example_till"
WASL_DISK_FULL = 4
STATIC_NEEDS = "-lsqlite3 -lsodium -luv -lssl -lcrypto -lzstd -lz -linih -lwslay -lpthread -lm"


def run_example(wasl, *words, program=EXAMPLE):
    return subprocess.run(
        [str(program), *words], cwd=wasl.folder, capture_output=True, text=True, check=False
    )


def rows(node, sql):
    with sqlite3.connect(f"file:{node.database}?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


def public_functions():
    return set(re.findall(r"\b(wasl_[a-z_]+)\(", HEADER.read_text()))


def symbols(path, option):
    done = subprocess.run(
        ["nm", "--defined-only", option, str(path)], capture_output=True, text=True, check=True
    )
    return {line.split()[2] for line in done.stdout.splitlines() if len(line.split()) == 3}


@pytest.mark.parametrize("path, option", [(SHARED_LIBRARY, "-D"), (STATIC_LIBRARY, "-g")])
def test_only_the_functions_of_the_header_can_be_linked_to(path, option):
    assert symbols(path, option) == public_functions()


def test_the_example_sells_and_counts_what_was_sold(wasl):
    till = wasl.till("shop")
    first = run_example(wasl, "shop", "A-1")
    assert first.returncode == 0, first.stderr
    assert re.fullmatch(
        r"sold A-1 as [0-9a-f-]{36}\nstock COFFEE -1\.0000\npending 1\n", first.stdout
    )
    second = run_example(wasl, "shop", "A-2")
    assert "stock COFFEE -2.0000\npending 2\n" in second.stdout
    assert rows(till, "SELECT id, total FROM tickets ORDER BY id") == [("A-1", 250), ("A-2", 250)]
    sold = rows(till, "SELECT type, status FROM journal WHERE type <> 'run_started'")
    assert sold == [("ticket_recorded", "pending")] * 2
    assert wasl.good("verify", "shop", "--json").last["refold_equal"] is True


def test_the_example_shows_less_than_one_unit_below_zero(wasl, tickets):
    wasl.till("shop")
    wasl.write("half.csv", "no,time,sku,name,quantity,price\n1,2026-11-20 08:00:00,C,Cake,0.5,1\n")
    wasl.good("import", "shop", "--map", "plain.ini", "half.csv")
    assert "stock C -0.5000\n" in run_example(wasl, "shop", "A-1").stdout


def test_a_used_ticket_number_is_kept_and_reviewed(wasl):
    """Each run makes a fresh id, so this is another sale under a number that is taken."""
    till = wasl.till("shop")
    assert run_example(wasl, "shop", "A-1").returncode == 0
    again = run_example(wasl, "shop", "A-1")
    assert again.returncode == 0, again.stderr
    assert rows(till, "SELECT count(*) FROM tickets") == [(1,)]
    sold = rows(till, "SELECT status FROM journal WHERE type = 'ticket_recorded' ORDER BY lsn")
    assert sold == [("pending",), ("conflict",)]
    assert rows(till, "SELECT kind FROM reviews") == [("ticket_conflict",)]
    assert wasl.good("verify", "shop", "--json").last["refold_equal"] is True


def test_the_example_says_what_is_wrong_in_one_line(wasl):
    for words, code in ((["nowhere"], 1), ([], 2)):
        result = run_example(wasl, *words)
        assert result.returncode == code
        assert result.stderr.count("\n") == 1 and result.stderr != "\n"
    centre = wasl.centre()
    assert "terminal" in run_example(wasl, centre.name).stderr


class Event(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("id", "type", "location", "record_type")]
    _fields_ += [("record_id", ctypes.c_char_p), ("at", ctypes.c_int64)]
    _fields_ += [(name, ctypes.c_char_p) for name in ("actor", "cause", "body")]


class Status(ctypes.Structure):
    _fields_ = [("online", ctypes.c_bool)]
    _fields_ += [(name, ctypes.c_uint64) for name in ("pending", "held", "settled")]
    _fields_ += [(name, ctypes.c_int64) for name in ("oldest_pending_at", "last_sync_at")]
    _fields_ += [(name, ctypes.c_uint64) for name in ("dead_letters", "reviews")]


class Till:
    """The shared library, called from another language."""

    def __init__(self, folder):
        self.library = ctypes.CDLL(str(SHARED_LIBRARY))
        self.handle = ctypes.c_void_p()
        assert self.library.wasl_open(str(folder).encode(), True, ctypes.byref(self.handle), 0) == 0

    def append(self, kind, record, body):
        event = Event(type=kind, record_type=record[0], record_id=record[1].encode())
        event.body = json.dumps(body).encode()
        results = ctypes.create_string_buffer(1024)
        code = self.library.wasl_append(self.handle, ctypes.byref(event), 1, results, 0)
        assert code != 0 or results.raw[:4] == b"\0\0\0\0"  # accepted
        return code

    def waste(self, sku):
        body = {"sku": sku, "quantity": "1", "reason": "spoiled"}
        assert self.append(b"inventory_wasted", (b"stock", sku), body) == 0

    def sell(self, ticket):
        return self.append(b"ticket_recorded", (b"ticket", ticket), sale("", ticket)["body"])

    def status(self):
        status = Status()
        assert self.library.wasl_status(self.handle, ctypes.byref(status), 0) == 0
        return status

    def close(self):
        self.library.wasl_close(self.handle)


def test_a_program_syncs_in_the_background(wasl):
    centre = wasl.centre().serve()
    till = Till(wasl.joined(centre, "shop").path)
    for _ in range(3):
        till.waste("MILK")
    wait_for(lambda: till.status().settled == 3, "the events to settle", seconds=30)
    wait_for(lambda: till.status().online, "the library's look at the link")
    assert till.status().pending == 0
    centre.stop()
    till.waste("MILK")
    wait_for(lambda: not till.status().online, "the library to see the link go")
    assert till.status().pending == 1
    centre.serve()
    wait_for(lambda: till.status().settled == 4, "the last event to settle", seconds=30)
    till.close()
    assert rows(centre, "SELECT quantity FROM stock WHERE sku = 'MILK'") == [(-40000,)]


def test_a_program_is_told_its_status_on_a_full_disk(wasl):
    with small_disk(wasl.folder / "disk", 24) as disk:
        till = Till(wasl.till("disk/shop").path)
        sold = 0
        while till.sell(f"T-{sold}") == 0:
            sold += 1
            if sold == 100:
                disk.fill()
        assert till.sell("one more") == WASL_DISK_FULL
        assert till.status().pending == sold
        till.close()


def test_a_program_builds_against_the_static_library(wasl):
    program = wasl.folder / "till"
    source = [str(ROOT / "examples" / "till.c"), str(STATIC_LIBRARY), *STATIC_NEEDS.split()]
    compiler = os.environ.get("CC", "cc")
    build = [compiler, "-std=gnu17", f"-I{HEADER.parent}", *source, "-o", str(program)]
    subprocess.run(build, check=True)
    wasl.till("shop")
    result = run_example(wasl, "shop", program=program)
    assert result.returncode == 0 and "pending 1" in result.stdout
