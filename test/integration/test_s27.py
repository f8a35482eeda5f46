# SPDX-License-Identifier: Apache-2.0
"""S27: the centre itself is restored from a backup (docs/adr/0015-a-restored-centre.md)."""

import shutil
import signal

import pytest

from catalog import item, price, shows
from conftest import wait_for
from shop import event, query, sale, sell, sold_ids, token_of, unsettled, verify_clean
from test_api import Client

STOCK = "SELECT location, sku, quantity FROM stock WHERE location = ? ORDER BY sku"
RESTORED = "was restored from a backup"


class Shop:
    """A till and what was sold at it."""

    def __init__(self, wasl, centre, name, location):
        self.centre, self.till = centre, wasl.joined(centre, name, location).serve()
        self.token = token_of(wasl, self.till)
        self.location, self.ids = location, []

    def sell(self, count):
        """Sales of several runs: the till is started again after each half."""
        for half in range(2):
            first = len(self.ids)
            sales = [sale(self.location, f"{self.till.name}-{first + i}") for i in range(count)]
            self.ids += sell(self.till, self.token, sales)
            if half == 0:
                self.till.stop()
                self.till.serve()

    def is_at_rest(self):
        """It told a restored centre everything; all is settled, and the feed says so."""
        newest = query(self.centre, "SELECT value ->> 'id' FROM meta WHERE name = 'restored'")
        if query(self.till, "SELECT value FROM meta WHERE name = 'recovery_told'") != newest:
            return False
        late = """SELECT count(*) FROM streams AS s LEFT JOIN includes AS i
                  ON i.origin = s.origin AND i.lane = s.lane
                  WHERE s.own = 1 AND s.head_seq > ifnull(i.seq, 0)"""
        return unsettled(self.till) == 0 and query(self.till, late) == [(0,)]


class Chain:
    def __init__(self, wasl):
        self.wasl = wasl
        self.centre = wasl.centre().serve()
        places = [("till1", "BR01"), ("till2", "BR01"), ("till3", "BR02")]
        self.shops = [Shop(wasl, self.centre, *place) for place in places]

    def rest(self, shops=None):
        for shop in shops or self.shops:
            wait_for(shop.is_at_rest, f"{shop.till.name} to be at rest", seconds=60)

    def back_up(self, name):
        self.centre.stop()
        shutil.copytree(self.centre.path, self.wasl.folder / name)
        self.centre.serve()

    def restore(self, name):
        self.centre.stop()
        shutil.rmtree(self.centre.path)
        shutil.copytree(self.wasl.folder / name, self.centre.path)
        self.centre.serve()

    def recovery(self):
        return self.centre.status()["recovery"]

    def confirm(self):
        self.wasl.good("central", "recovered", "centre")
        assert self.recovery() is None

    def check(self):
        """Counts and sums are equal everywhere; nothing is lost, nothing counts twice."""
        centre, ids = self.centre, [i for shop in self.shops for i in shop.ids]
        assert sorted(sold_ids(centre)) == sorted(ids)
        assert query(centre, "SELECT count(*), sum(total) FROM tickets") == [
            (len(ids), 250 * len(ids))
        ]
        for location in ("BR01", "BR02"):
            sold = sum(len(shop.ids) for shop in self.shops if shop.location == location)
            there = query(centre, STOCK, location)
            assert there == ([(location, "TEA", -10000 * sold)] if sold else [])
        for shop in self.shops:
            told = lambda shop=shop: query(shop.till, STOCK, shop.location)  # noqa: E731
            wanted = query(centre, STOCK, shop.location)
            wait_for(lambda told=told, wanted=wanted: told() == wanted, f"{shop.till.name}'s view")
            verify_clean(self.wasl, shop.till)
        verdict = verify_clean(self.wasl, centre)
        assert (verdict["tickets"], verdict["duplicates"]) == (len(ids), 0)
        assert query(centre, "SELECT kind, text FROM reviews") == []


def test_s27(wasl):
    chain = Chain(wasl)
    one, two, three = chain.shops
    for shop in chain.shops:
        shop.sell(5)
    chain.rest()
    chain.back_up("yesterday")
    for shop in chain.shops:
        shop.sell(20)
    chain.rest()
    two.till.stop()  # it comes back only when all is over
    one.till.stop(signal.SIGKILL)
    chain.restore("yesterday")
    three.sell(3)  # it knows nothing of it yet
    one.till.serve()
    wait_for(chain.recovery, "the centre to find out")
    chain.rest([one, three])
    assert sorted(sold_ids(chain.centre, "BR02")) == sorted(three.ids)
    chain.confirm()
    two.till.serve()
    chain.rest()
    chain.check()
    chain.restore("yesterday")  # once more, and tills that are used to it
    for shop in chain.shops:
        shop.sell(2)
    wait_for(chain.recovery, "the centre to find out again")
    chain.rest()
    chain.confirm()
    chain.check()
    chain.back_up("today")
    one.sell(2)
    chain.rest()
    chain.restore("today")  # of the very day: what was lost before is there
    wait_for(chain.recovery, "the centre to find out a third time")
    chain.rest()
    chain.confirm()
    chain.check()


def test_a_version_that_was_lost_is_never_another_one(wasl):
    """The till that was told of it is off until the restored centre has published again."""
    chain = Chain(wasl)
    one, two, _ = chain.shops
    owner = token_of(wasl, chain.centre, "owner")

    def publish(amount):
        sell(chain.centre, owner, [item("TEA", name="Tea"), price("TEA", amount)])
        answer = Client(chain.centre, owner)("POST", "/api/v1/catalog/publish", {})
        assert answer.code == 200, answer
        return answer.json["version"]

    def tea_of(catalog, unit_price):
        given = sale("BR01", f"T-{unit_price}-{catalog}", "TEA")
        line = given["body"]["lines"][0]
        cents = int(unit_price.replace(".", ""))
        line |= {"catalog": catalog, "unit_price": unit_price, "quantity": "1", "amount": cents}
        given["body"] |= {"total": cents}
        given["body"]["payments"][0]["amount"] = cents
        return given

    assert publish("2.50") == 1
    for shop in chain.shops:
        shows(shop.till, 1)
    chain.rest()
    chain.back_up("backup")
    assert publish("2.75") == 2
    for shop in chain.shops:
        shows(shop.till, 2)
    two.till.stop()
    chain.restore("backup")
    wait_for(chain.recovery, "the centre to find out")
    chain.rest([one])
    chain.confirm()
    new = publish("3.00")
    assert new in (1002, 1003)  # beyond all that may be lost, and perhaps what a till told
    shows(one.till, new)
    two.till.serve()
    sell(two.till, two.token, [tea_of(2, "2.75"), tea_of(new, "3.00")])
    shows(two.till, new)
    wait_for(lambda: unsettled(two.till) == 0, "the sales")
    assert query(chain.centre, "SELECT kind FROM reviews") == []
    assert publish("3.10") == new + 1


def test_a_restored_centre_takes_in_and_decides_nothing_until_a_person_confirms(wasl):
    chain = Chain(wasl)
    chain.rest()
    chain.back_up("backup")
    chain.shops[0].sell(1)
    chain.rest()
    assert chain.recovery() is None
    wasl.bad("central", "recovered", "centre", saying="no recovery")
    chain.restore("backup")
    wait_for(chain.recovery, "the centre to find out")
    found = chain.recovery()
    assert found["why"] and found["since"] > found["backup"] > 0
    assert found["device"] in {shop.till.status()["device"] for shop in chain.shops}
    assert RESTORED in wasl.good("status", "centre").out
    place = ["--location", "BR09", "--role", "terminal"]
    wasl.bad("enroll", "code", "centre", *place, saying=RESTORED)
    device = chain.shops[1].till.status()["device"]
    wasl.bad("enroll", "revoke", "centre", device, saying=RESTORED)
    owner = Client(chain.centre, token_of(wasl, chain.centre, "owner"))
    refused = owner("POST", "/api/v1/catalog/publish", {})
    assert refused.code == 409 and RESTORED.encode() in refused.body
    assert query(chain.centre, "SELECT count(*) FROM locations WHERE id = 'BR09'") == [(0,)]
    chain.shops[2].sell(3)  # business goes on
    chain.rest()
    chain.centre.stop()  # at a centre that rests, the same
    wasl.bad("enroll", "code", "centre", *place, saying=RESTORED)
    assert chain.recovery() == found
    chain.confirm()
    chain.centre.serve()
    wasl.good("enroll", "code", "centre", *place)
    wasl.good("enroll", "revoke", "centre", device)
    wasl.bad("central", "recovered", "till1", saying="at the centre")


def test_sales_that_come_again_behind_a_count_are_no_reason_to_ask_about_it(wasl):
    chain = Chain(wasl)
    one, two, three = chain.shops
    chain.rest()
    chain.back_up("backup")
    one.sell(2)
    chain.rest()
    held = [("BR01", "TEA", -10000 * 4)]
    wait_for(lambda: query(two.till, STOCK, "BR01") == held, "the other till to know of them")
    body = {"sku": "TEA", "system": "-4", "counted": "6", "variance": "10"}
    manager = token_of(wasl, two.till, "manager")
    sell(two.till, manager, [event("inventory_adjusted", "BR01", ("stock", "TEA"), body)])
    chain.rest()
    assert query(chain.centre, "SELECT kind FROM reviews") == []
    one.till.stop()
    chain.restore("backup")
    wait_for(chain.recovery, "the centre to find out")
    chain.rest([two, three])
    assert query(chain.centre, STOCK, "BR01") == [("BR01", "TEA", 10 * 10000)]  # the count
    one.till.serve()
    chain.rest()
    assert query(chain.centre, STOCK, "BR01") == [("BR01", "TEA", 6 * 10000)]
    assert query(chain.centre, "SELECT kind FROM reviews") == []


@pytest.mark.parametrize("when", [0.05, 0.15, 0.3])
def test_a_till_that_dies_while_it_tells_again_tells_it_all(wasl, when):
    chain = Chain(wasl)
    one = chain.shops[0]
    one.sell(5)
    chain.rest()
    chain.back_up("backup")
    one.sell(100)
    chain.rest()
    for shop in chain.shops[1:]:
        shop.till.stop()
    chain.restore("backup")
    wait_for(chain.recovery, "the centre to find out")
    for _ in range(3):
        try:
            one.till.process.wait(when)
        except Exception:  # noqa: BLE001
            pass
        one.till.stop(signal.SIGKILL)
        one.till.serve()
    for shop in chain.shops[1:]:
        shop.till.serve()
    chain.rest()
    chain.confirm()
    chain.check()
