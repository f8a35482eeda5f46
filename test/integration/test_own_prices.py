# SPDX-License-Identifier: Apache-2.0
"""A branch's own prices: what its tills show and sell by, and when they yield."""

import signal

import pytest
from book import Device
from catalog import Centre, item, price, reviews, shows
from conftest import wait_for
from shop import event, post, query, sell, token_of, unsettled, verify_clean
from test_api import Client
from test_catalog import sold

PLACE, ELSEWHERE = "BR01", "BR02"
TICKETS = "SELECT t.number, l.unit_price FROM ticket_lines AS l JOIN tickets AS t"
TICKETS += " ON t.lsn = l.ticket ORDER BY 1"


class Shop:
    """A head office and tills, all of which show TEA at 2.00, version 1."""

    def __init__(self, wasl, authority, **places):
        self.wasl = wasl
        self.head = Centre(wasl)
        self.tills = {name: self.head.till(name, place) for name, place in places.items()}
        if authority:
            value = {"value": authority}
            sell(self.head.node, self.head.token, [
                event("setting_set", "*", ("setting", "price_authority"), value)
            ])  # fmt: skip
        self.head.draft([item("TEA", name="Tea"), price("TEA", "2.00"), item("CAKE")])
        self.head.published()
        said = "SELECT value FROM settings WHERE id = 'price_authority'"
        for till in self.tills.values():
            shows(till, 1)
            client = Client(till, token_of(wasl, till, "manager"))
            client("POST", "/api/v1/sync", {"lanes": ["deferred"]})
            wait_for(lambda till=till: query(till, said) == query(self.head.node, said), "setting")

    def publish(self, amount):
        self.head.draft([price("TEA", amount)])
        return self.head.published()["version"]

    def sets(self, name, amount, **body):
        given = price("TEA", amount, PLACE, **body)
        sell(self.tills[name], token_of(self.wasl, self.tills[name], "manager"), [given])
        return given

    def sells(self, name, ticket, cents, version):
        till = self.tills[name]
        sell(till, token_of(self.wasl, till), [sold(PLACE, ticket, "TEA", cents, version)])

    def tea(self, node, query_=""):
        """(what TEA costs, how the place's own price stands, what the head office says)"""
        token = token_of(self.wasl, node)
        (row,) = [
            row
            for row in Client(node, token)("GET", "/api/v1/catalog" + query_).json["items"]
            if row["sku"] == "TEA"
        ]
        own = row.get("own", {"standing": None})
        official = row.get("official", {"price": None})
        return row["price"], own["standing"], official["price"]

    def shows(self, name, *wanted):
        till = self.tills[name]
        wait_for(lambda: self.tea(till) == wanted, f"{name}: {wanted}", lambda: str(self.tea(till)))

    def settle(self):
        for till in self.tills.values():
            wait_for(lambda till=till: unsettled(till) == 0, "what waits", till.log.read_text)

    def clean(self):
        for node in (self.head.node, *self.tills.values()):
            verify_clean(self.wasl, node)
            node.stop()
            self.wasl.good("rebuild", node.name)
            verify_clean(self.wasl, node)


def asked(node):
    return query(node, "SELECT kind, record FROM reviews WHERE open = 1 ORDER BY 1, 2")


def test_a_branch_sells_at_its_own_price_until_the_head_office_publishes_another(wasl):
    shop = Shop(wasl, "branch", a=PLACE, b=PLACE, other=ELSEWHERE)
    a, b = shop.tills["a"], shop.tills["b"]
    assert shop.tea(a) == ("2", None, None)
    shop.sets("a", "3.00")
    for name in "ab":
        shop.shows(name, "3", "counts", "2")
    assert shop.tea(shop.head.node, f"?location={PLACE}") == ("3", "counts", "2")
    assert shop.tea(shop.head.node) == ("2", None, None)
    shop.sells("b", "T1", 300, 1)
    shop.sells("a", "T2", 200, 1)  # a cashier who had not looked
    shop.settle()
    assert asked(shop.head.node) == []

    shop.head.node.stop(signal.SIGKILL)
    shop.sells("a", "T3", 300, 1)  # waits while the head office changes its mind
    a.stop()
    shop.head.node.serve()
    assert shop.publish("2.50") == 2
    shows(b, 2)
    assert shop.tea(b) == ("2.5", "yields", "2.5")
    a.serve()
    shows(a, 2)
    assert shop.tea(a) == ("2.5", "yields", "2.5")
    shop.sells("b", "T4", 250, 2)
    shop.settle()
    assert asked(shop.head.node) == []  # the sale that waited was made at what counted then
    shop.sells("b", "T5", 300, 2)
    shop.settle()
    assert [row[0] for row in asked(shop.head.node)] == ["ticket_price"]
    prices = [("T1", 30000), ("T2", 20000), ("T3", 30000), ("T4", 25000), ("T5", 30000)]
    assert query(shop.head.node, TICKETS) == prices  # nothing is priced again

    shop.sets("b", "4.00")  # having seen 2.50
    for name in "ab":
        shop.shows(name, "4", "counts", "2.5")
    assert shop.tea(shop.tills["other"]) == ("2.5", None, None)
    shop.head.draft([item("TEA", name="Mint tea")])  # a version that leaves the price as it is
    assert shop.head.published()["version"] == 3
    shows(a, 3)
    assert shop.tea(a) == ("4", "counts", "2.5")
    listed = Client(a, token_of(wasl, a))("GET", "/api/v1/catalog?own=true").json["items"]
    assert [(row["sku"], row["own"]["standing"]) for row in listed] == [("TEA", "counts")]
    head = Client(shop.head.node, shop.head.token)
    assert head("GET", f"/api/v1/catalog?own=true&location={ELSEWHERE}").json["items"] == []
    assert len(head("GET", f"/api/v1/catalog?own=false&location={PLACE}").json["items"]) == 2
    assert "location" in head("GET", "/api/v1/catalog?own=true").is_problem(400)
    assert "true" in head("GET", "/api/v1/catalog?own=yes").is_problem(400)
    shop.clean()


def test_a_branchs_price_that_had_not_seen_the_head_offices_newer_one_yields_as_it_comes(wasl):
    shop = Shop(wasl, "branch", a=PLACE, b=PLACE)
    shop.head.node.stop(signal.SIGKILL)
    shop.sets("a", "3.00")
    assert shop.tea(shop.tills["a"]) == ("3", "pending", "2")
    shop.sells("a", "T1", 300, 1)
    shop.tills["a"].stop()
    shop.head.node.serve()
    shop.publish("2.50")
    shop.tills["a"].serve()
    for name in "ab":
        shop.shows(name, "2.5", "yields", "2.5")
    shop.settle()
    assert asked(shop.head.node) == []
    shop.clean()


@pytest.mark.parametrize("newer", [False, True])
def test_a_branch_without_the_right_sells_at_the_official_price_until_a_person_lets_it(
    wasl, newer
):
    shop = Shop(wasl, None, a=PLACE, b=PLACE)
    shop.head.node.stop(signal.SIGKILL)
    shop.sets("a", "3.00")
    assert shop.tea(shop.tills["a"]) == ("2", "refused", "2")
    shop.sells("a", "T1", 300, 1)
    shop.head.node.serve()
    shop.settle()
    for name in "ab":
        shop.shows(name, "2", None, None)
    assert [row[0] for row in asked(shop.head.node)] == ["price_outranked", "ticket_price"]
    official = "2"
    if newer:  # who answers has it before him
        official = "2.5"
        shop.publish("2.50")
        shows(shop.tills["b"], 2)
    kind = "SELECT number FROM reviews WHERE kind = 'price_outranked' AND open = 1"
    ((number,),) = query(shop.head.node, kind)
    lines = wasl.good("review", "show", "centre", str(number)).out.splitlines()
    assert "base       2 USD" in lines  # as it was when the branch's came
    assert [line for line in lines if line.startswith("side")][0].endswith("price_set: 3 USD")
    wasl.good("review", "resolve", "centre", str(number), "--decision", "accept")
    for name in "ab":
        shop.shows(name, "3", "counts", official)
    shop.sells("b", "T2", 300, 2 if newer else 1)
    shop.settle()
    assert [row[0] for row in asked(shop.head.node)] == ["ticket_price"]  # the one before
    shop.clean()


def test_two_supervisors_of_a_branch_are_asked_which_of_their_prices_stands(wasl):
    shop = Shop(wasl, "branch", a=PLACE, b=PLACE)
    shop.sets("a", "2.80")
    shop.shows("b", "2.8", "counts", "2")
    shop.head.node.stop(signal.SIGKILL)
    shop.sets("a", "3.00")
    shop.sets("b", "3.50")  # later
    shop.sells("a", "T1", 300, 1)
    shop.sells("b", "T2", 350, 1)
    shop.head.node.serve()
    shop.settle()
    for name in "ab":
        shop.shows(name, "3.5", "counts", "2")
    for node in (shop.head.node, *shop.tills.values()):
        wait_for(lambda node=node: len(reviews(node, "price_same_rank")) == 1, "the question")
    ((location, record, detail),) = reviews(shop.tills["a"], "price_same_rank")
    assert (location, record) == (PLACE, "TEA price")
    assert detail["base"] == "2.8"
    assert sorted(side["value"] for side in detail["sides"]) == ["3", "3.5"]
    suggested = {"decision": "accept", "value": "3.5", "why": "it is the later one"}
    assert detail["suggested"] == suggested
    assert [row[0] for row in asked(shop.head.node)] == ["price_same_rank"]  # both sales stand
    assert shop.head.published(note="nothing of the chain waits for it")["version"] == 1
    body = {"review": "same_rank", "part": "price", "decision": "edit", "value": "3.20"}
    triggers = [{"event": id_} for id_ in detail["triggers"].split()]
    answer = event("review_resolved", PLACE, ("price", "TEA"), body | {"triggers": triggers})
    sell(shop.tills["b"], token_of(wasl, shop.tills["b"], "manager"), [answer])  # a supervisor's
    shop.settle()
    for name in "ab":
        shop.shows(name, "3.2", "counts", "2")
    assert asked(shop.head.node) == []
    shop.clean()


def test_a_price_says_what_its_author_had_before_him_and_no_more(wasl):
    shop = Shop(wasl, "branch", a=PLACE)
    till = shop.tills["a"]
    token = token_of(wasl, till, "manager")
    status, answer = post(till, token, [price("TEA", "3.00", PLACE, catalog=2)])
    assert status == 200 and "so new a version" in answer["results"][0]["reason"]
    given = price("TEA", "3.00", PLACE)
    sell(till, token, [given])
    assert shop.publish("2.50") == 2
    shows(till, 2)
    status, answer = post(till, token, [given])  # a retry, which shows another version by now
    assert answer["results"][0]["status"] == "duplicate", answer
    sell(till, token, [price("TEA", "3.10", PLACE, catalog=1)])  # from a page that was open
    shop.shows("a", "2.5", "yields", "2.5")
    own = "SELECT price, catalog FROM own_prices WHERE nth = 0"
    assert query(till, own) == [(31000, 1)]
    shop.settle()
    shop.clean()


def test_a_branch_sets_no_taxes_and_promotions(wasl):
    shop = Shop(wasl, "branch", a=PLACE)
    token = token_of(wasl, shop.tills["a"], "owner")
    for kind, record, body in (
        ("tax_set", ("tax", "VAT"), {"percent": "11"}),
        ("promotion_set", ("promotion", "HAPPY"), {"kind": "percent", "value": "20"}),
    ):
        _, answer = post(shop.tills["a"], token, [event(kind, PLACE, record, body)])
        assert "a branch's own are not built" in answer["results"][0]["reason"], answer


def test_a_device_that_claims_to_have_seen_what_was_never_published_waits_for_a_person(
    wasl, tmp_path
):
    """Its price would not yield before the head office had published so often."""
    shop = Shop(wasl, "branch", a=PLACE)
    device = Device(tmp_path, shop.head.node.port)
    words = ["--location", PLACE, "--role", "terminal"]
    device.enrol(wasl.good("enroll", "code", "centre", *words).out.strip(), PLACE)
    device.begin_run()
    for sku, catalog in (("CAKE", 1), ("TEA", 2)):
        body = price(sku, "3.00", PLACE, catalog=catalog)["body"]
        device.write("price_set", ("price", sku), body)
    device.connect()
    assert device.push(1) == device.mark(3)
    assert asked(shop.head.node) == [("price_outranked", "TEA")]
    assert query(shop.head.node, "SELECT id FROM own_prices") == [("CAKE",)]
    shop.shows("a", "2", None, None)
    device.link.close()
