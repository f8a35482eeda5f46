# SPDX-License-Identifier: Apache-2.0
"""Compares what tills told their clients with what the centre holds.

The one side is the logs of demo_till_load, written from the answers only; the other is SQL at the
centre, read-only. They share no code: that is the point.
"""

import collections
import math

KEPT = ("accepted", "duplicate")  # answers that promise that the event is kept


class Sale:
    __slots__ = ("location", "answered_ms", "total", "moves")

    def __init__(self, location, fields):
        self.location = location
        self.answered_ms = int(fields[1]) / 1000
        self.total = int(fields[3])
        self.moves = [(fields[i], int(fields[i + 1])) for i in range(6, len(fields), 2)]


class Log:
    """The log of one till's load; read() takes in what was appended since."""

    def __init__(self, path, location):
        self.path, self.location = path, location
        self.kept, self.unanswered = {}, {}
        self.rejected = 0
        self.at = 0

    def read(self):
        if not self.path.exists():
            return
        with open(self.path, "rb") as f:
            f.seek(self.at)
            data = f.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.at += len(whole)
        for line in whole.decode().splitlines():
            self.take(line.split("\t"))

    def take(self, fields):
        if fields[2] in KEPT:
            self.kept[fields[0]] = Sale(self.location, fields)
        elif fields[2] == "unanswered":
            self.unanswered[fields[0]] = Sale(self.location, fields)
        else:
            self.rejected += 1


def uuid_text(blob):
    digits = bytes(blob).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def percentile(values, percent):
    """The smallest value that so many percent do not exceed; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


class Centre:
    """What the centre's store says of the tickets in it."""

    def __init__(self, sql):
        self.arrived, self.held = {}, collections.Counter()
        self.tickets = collections.Counter()
        rows = sql.execute(
            "SELECT id, received_at, status FROM journal WHERE type = 'ticket_recorded'"
            " AND status IN ('settled', 'review', 'conflict')"
        )
        for blob, received_at, status in rows:
            name = uuid_text(blob)
            self.held[name] += 1
            if status == "settled":
                self.arrived[name] = received_at
        for (blob,) in sql.execute("SELECT event_id FROM tickets"):
            self.tickets[uuid_text(blob)] += 1
        (self.total,) = sql.execute("SELECT coalesce(sum(total), 0) FROM tickets").fetchone()
        self.stock = {
            (location, sku): quantity
            for location, sku, quantity in sql.execute("SELECT location, sku, quantity FROM stock")
        }
        (self.reviews,) = sql.execute(
            "SELECT count(*) FROM reviews WHERE open = 1"
        ).fetchone()


def count_doubled(centre, sales):
    """Ids with more than one row, and sums that the sales do not explain."""
    doubled = sum(count - 1 for count in centre.held.values())
    doubled += sum(count - 1 for count in centre.tickets.values())
    stock = collections.Counter()
    for name, sale in sales.items():
        if name in centre.held:
            for sku, quantity in sale.moves:
                stock[sale.location, sku] -= quantity
    places = set(stock) | set(centre.stock)
    doubled += sum(stock[place] != centre.stock.get(place, 0) for place in places)
    total = sum(sale.total for name, sale in sales.items() if name in centre.held)
    return doubled + (total != centre.total)


def tally(logs, sql, leave_out=lambda sale: False):
    """The counts of one run, as ./run --headless prints them."""
    sales, unanswered = {}, {}
    for log in logs:
        log.read()
        sales.update(log.kept)
        unanswered.update(log.unanswered)
    centre = Centre(sql)
    lags = [
        max(0.0, centre.arrived[name] - sale.answered_ms)
        for name, sale in sales.items()
        if name in centre.arrived and not leave_out(sale)
    ]
    p99 = percentile(lags, 99)
    return {
        "committed": len(sales),
        "arrived": len(centre.arrived),
        "lost": sum(name not in centre.held for name in sales),
        "doubled": count_doubled(centre, {**unanswered, **sales}),
        "reviews": centre.reviews,
        "visibility_p99_ms": None if p99 is None else round(p99, 1),
    }
