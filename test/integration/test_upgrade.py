# SPDX-License-Identifier: Apache-2.0
"""A store that an older version wrote is brought up to date, whatever happens meanwhile."""

import contextlib
import os
import shutil
import signal
import sqlite3
import struct
import uuid

import chain
import pytest
from shop import event, query, sale, verify_clean
from test_orders import PLACE, Place, added, completed, opened, paid

KILL_AT = chain.BUILD / "test" / "chaos" / "libkill_at.so"
# What migrations from 30 on make, what they fill, and what they have folded anew.
BACK = """
    DELETE FROM kept_stock; DROP INDEX settings_set; DELETE FROM record_reviews;
    ALTER TABLE feed_cursors DROP COLUMN shown_feed; ALTER TABLE feed_cursors DROP COLUMN shown;
    DROP TABLE own_prices; ALTER TABLE catalog_item_rows DROP COLUMN priced;
    ALTER TABLE catalog_price_rows DROP COLUMN priced;
    DROP TABLE carried_seals;
    DELETE FROM schema_version WHERE version >= 30;
"""
SHOWN = (
    "kept_stock",
    "orders",
    "order_lines",
    "order_bills",
    "order_payments",
    "record_reviews",
    "stock",
    "tickets",
    "event_ids",
)


def contents(node):
    """But how often a row was written here."""
    shown = {}
    for table in SHOWN:
        columns = [row[1] for row in query(node, f"PRAGMA table_info({table})")]
        kept = ", ".join(column for column in columns if column != "local_version")
        shown[table] = sorted(query(node, f"SELECT {kept} FROM {table}"), key=repr)
    return shown


def edit(node, sql):
    with contextlib.closing(sqlite3.connect(node.path / "wasl.db")) as db:
        db.executescript(sql)


def versions(node):
    return query(node, "SELECT max(version), count(*) FROM schema_version")


def test_a_kill_at_any_step_of_an_upgrade_loses_nothing(wasl):
    if not KILL_AT.exists():
        pytest.skip(f"{KILL_AT} is not built")
    place = Place(wasl, 1)
    place.write(0, sale(PLACE, "T-1"), opened("O1"), added("O1", str(uuid.uuid4()), "4"))
    goods = {"sku": "TEA", "quantity": "5"}
    place.write(0, event("inventory_received", PLACE, ("stock", "TEA"), goods))
    place.write(0, paid("O1", 1000), completed("O1", 1000), completed("O1", 900))
    place.agree()
    node = place.centre
    place.tills[0].stop()
    node.stop()
    before, newest = contents(node), versions(node)
    assert before["kept_stock"] and before["record_reviews"]
    edit(node, BACK)
    old = wasl.folder / "old"
    shutil.copytree(node.path, old)
    trigger, killed = wasl.folder / "kill_at", 0
    for n in range(1, 2000):
        shutil.rmtree(node.path)
        shutil.copytree(old, node.path)
        trigger.write_bytes(struct.pack("@q", n))
        cut = {**os.environ, "LD_PRELOAD": str(KILL_AT), "KILL_AT_FILE": str(trigger)}
        words = ["token", node.name, "--name", f"n{n}", "--role", "auditor"]
        done = wasl(*words, env=cut)
        if done.code == 0:
            break
        assert done.code == -signal.SIGKILL, done.err
        killed += 1
        wasl.good("token", node.name, "--name", "after", "--role", "auditor")
        assert versions(node) == newest and contents(node) == before, n
    assert done.code == 0 and killed > 20
    print(f"killed at {killed} steps")
    assert versions(node) == newest and contents(node) == before
    verify_clean(wasl, node)
