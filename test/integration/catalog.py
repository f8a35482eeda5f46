# SPDX-License-Identifier: Apache-2.0
"""What tests of the catalog draft, publish and look at."""

import http.client
import json
import sqlite3

from conftest import wait_for
from shop import event, query, sell, token_of

BATCH = 500
CHECK_MS = 300  # how often the tills of these tests look at their catalog


def item(sku, **body):
    return event("item_set", "*", ("item", sku), body)


def price(sku, amount, location="*", **more):
    body = {"sku": sku, "price": amount, "currency": "USD", "places": 2, **more}
    record = f"{sku}/{more['list']}" if "list" in more else sku
    return event("price_set", location, ("price", record), body)


class Centre:
    """A serving centre, as the head office uses it."""

    def __init__(self, wasl, name="centre"):
        self.wasl = wasl
        self.node = wasl.centre(name).serve()
        self.token = token_of(wasl, self.node, "owner")

    def draft(self, events):
        for first in range(0, len(events), BATCH):
            sell(self.node, self.token, events[first : first + BATCH])

    def publish(self, token=None, **body):
        """(status, parsed answer)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=60)
        headers = {"Authorization": f"Bearer {token or self.token}"}
        connection.request("POST", "/api/v1/catalog/publish", json.dumps(body), headers)
        answer = connection.getresponse()
        parsed = json.loads(answer.read())
        connection.close()
        return answer.status, parsed

    def published(self, **body):
        status, answer = self.publish(**body)
        assert status == 200, answer
        return answer

    def till(self, name="till", location="BR01"):
        till = self.wasl.joined(self.node, name, location)
        with open(till.path / "wasl.ini", "a", encoding="utf-8") as f:
            f.write(f"[store]\ncatalog_check_ms = {CHECK_MS}\n")
        return till.serve()


def version(node):
    return query(node, "SELECT version FROM catalog_state")[0][0]


def shows(node, number, seconds=20):
    wait_for(lambda: version(node) == number, f"version {number}", node.log.read_text, seconds)


def items(node):
    sql = "SELECT sku, name, price, active, version FROM catalog_items ORDER BY sku"
    return query(node, sql)


def reviews(node, kind):
    sql = "SELECT location, record, detail FROM reviews WHERE open = 1 AND kind = ?"
    return [(a, b, json.loads(c)) for a, b, c in query(node, sql, kind)]


def edit(node, sql):
    """As somebody with the file and sqlite3 at hand would."""
    with sqlite3.connect(node.database, timeout=20) as db:
        db.execute(sql)
