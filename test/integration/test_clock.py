# SPDX-License-Identifier: Apache-2.0
"""A till whose clock is off and that was told so: what it stamps stays true when it is alone."""

import contextlib
import sqlite3
import time

import chain
import pytest
from conftest import wait_for
from shop import query, sale, sell, sold_ids, token_of, unsettled

SHIFT = chain.BUILD / "test" / "chaos" / "libclock_shift.so"
HOUR_S = 3600
TRUE_MS = 30_000


@pytest.fixture
def clock(wasl):
    """The till's clock, by which it is ahead; it may change under a running till."""
    if not SHIFT.exists():
        pytest.skip(f"{SHIFT} is not built")
    path = wasl.folder / "shift"
    path.write_text("0")
    return path


def serve(till, clock):
    return till.serve(LD_PRELOAD=str(SHIFT), CLOCK_SHIFT_FILE=str(clock))


@pytest.fixture
def till(wasl, clock):
    """It has met its centre with a clock two hours ahead, and is alone now."""
    centre = wasl.centre().serve()
    till = wasl.joined(centre)
    clock.write_text(str(2 * HOUR_S))
    token = token_of(wasl, till)
    serve(till, clock)
    sell(till, token, [sale("BR01", "met")])
    wait_for(lambda: unsettled(till) == 0, "the first sale")
    offset = till.status()["clock_offset_ms"]
    assert abs(offset + 2 * HOUR_S * 1000) < TRUE_MS
    centre.stop()
    till.token, till.centre = token, centre
    return till


def ahead_ms(till, ticket):
    """What the stamp of a sale is ahead of the true time."""
    sell(till, till.token, [sale("BR01", ticket)])
    ((hlc,),) = query(
        till,
        "SELECT hlc FROM journal WHERE json_extract(bytes, '$.record.id') = ?",
        ticket,
    )
    return (int(hlc, 16) >> 16) - int(time.time() * 1000)


def test_it_is_true_while_it_runs(till):
    assert abs(ahead_ms(till, "T")) < TRUE_MS


def test_it_is_true_after_a_start_without_the_centre(till, clock):
    till.stop()
    serve(till, clock)
    assert abs(ahead_ms(till, "T")) < TRUE_MS
    assert abs(till.status()["clock_offset_ms"] + 2 * HOUR_S * 1000) < TRUE_MS
    till.stop(9)
    serve(till, clock)
    assert abs(ahead_ms(till, "U")) < TRUE_MS
    till.centre.serve()
    wait_for(lambda: unsettled(till) == 0, "all sales")
    assert len(sold_ids(till.centre)) == 3


@pytest.mark.parametrize("set_to", [0, -24 * HOUR_S, 24 * HOUR_S])
def test_it_is_true_when_somebody_sets_the_clock_meanwhile(till, clock, set_to):
    """The network puts it right, or a person sets it to the wrong day: under a running till..."""
    clock.write_text(str(set_to))
    assert abs(ahead_ms(till, "T")) < TRUE_MS


@pytest.mark.parametrize("set_to", [0, -24 * HOUR_S])
def test_it_is_true_when_somebody_sets_the_clock_while_it_is_stopped(till, clock, set_to):
    till.stop()
    clock.write_text(str(set_to))
    serve(till, clock)
    assert abs(ahead_ms(till, "T")) < TRUE_MS


def test_after_a_start_of_the_machine_the_clock_is_all_there_is(till, clock):
    """It may have been put right or have lost its battery: nothing that was known holds."""
    till.stop()
    with contextlib.closing(sqlite3.connect(till.database)) as db:
        db.execute("UPDATE meta SET value = value || 'x' WHERE name = 'clock'")
        db.commit()
    clock.write_text(str(0))
    serve(till, clock)
    assert abs(ahead_ms(till, "T")) < TRUE_MS
    assert till.status()["clock_offset_ms"] == 0
