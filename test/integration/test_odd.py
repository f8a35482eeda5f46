# SPDX-License-Identifier: Apache-2.0
"""What cannot be so: refused where it is made; kept and asked about where it is from elsewhere."""

import pytest
from conftest import MAP, ROWS
from shop import event, post, query, sale, token_of, verify_clean
from test_protocol_by_the_book import Device

ASKED = "SELECT type, record, kind, open FROM record_reviews ORDER BY 1, 2, 3"


def returned(quantity):
    given = sale("BR01", "T-9")
    given["body"]["kind"] = "return"
    amount = 250 * quantity
    given["body"]["lines"][0] |= {"quantity": str(quantity), "amount": amount}
    given["body"]["total"] = given["body"]["payments"][0]["amount"] = amount
    return given


def test_what_cannot_be_so_is_refused_where_it_is_made(wasl):
    till = wasl.joined(wasl.centre().serve())
    till.serve()
    goods = {"sku": "TEA", "quantity": "1"}
    found = {"sku": "TEA", "counted": "1", "system": "0", "variance": "1"}
    bill = event("sale_completed", "BR01", ("order", "O1"), {"total": -1, "uses": []})
    given = [
        (event("inventory_received", "BR01", ("stock", "RICE"), goods), "record: id"),
        (event("inventory_adjusted", "BR01", ("stock", "RICE"), found), "record: id"),
        (bill, "body: total"),
        (returned(1), "body: lines: quantity"),
        (returned(-1), None),
        (event("inventory_received", "BR01", ("stock", "TEA"), goods), None),
    ]
    token = token_of(wasl, till, "manager")
    status, answer = post(till, token, [made for made, _ in given])
    assert status == 200
    for result, (_, names) in zip(answer["results"], given, strict=True):
        assert result["status"] == ("rejected" if names else "accepted"), result
        assert names is None or result["reason"].startswith(names), result
    assert query(till, "SELECT sku, quantity FROM stock") == [("TEA", 20000)]


def number_of(wasl, centre, kind):
    reviews = wasl.good("review", "list", centre.name, "--json").json
    (review,) = [review for review in reviews if review["kind"] == kind]
    return str(review["number"])


def test_a_stock_record_of_another_sku_from_elsewhere_moves_what_its_body_names(wasl, tmp_path):
    centre = wasl.centre().serve()
    words = ["--location", "BR01", "--role", "terminal"]
    device = Device(tmp_path, centre.port)
    device.enrol(wasl.good("enroll", "code", centre.name, *words).out.strip(), "BR01")
    device.begin_run()
    device.connect()
    device.write("inventory_received", ("stock", "RICE"), {"sku": "TEA", "quantity": "5"})
    found = {"sku": "TEA", "counted": "2", "system": "4", "variance": "-2"}
    device.write("inventory_adjusted", ("stock", "RICE"), found)
    order = ("order", "O1")
    device.write("sale_completed", order, {"total": -1, "uses": []})
    assert device.push(1) == device.mark(4)
    assert query(centre, "SELECT sku, quantity FROM stock") == [("TEA", 30000)]
    kinds = [(row[0], row[1], row[2]) for row in query(centre, ASKED)]
    assert ("order", "O1", "payment") in kinds
    assert kinds.count(("stock", "RICE", "odd")) == 2
    (kind,) = {kind for _, record, kind in kinds if record == "RICE"} - {"odd"}
    number = number_of(wasl, centre, f"stock_{kind}")
    answer = ["--decision", "edit", "--value", "2"]
    wasl.good("review", "resolve", centre.name, number, *answer)
    assert query(centre, "SELECT sku, quantity FROM stock") == [("TEA", 50000)]
    of = "SELECT json_extract(bytes, '$.record.id') FROM journal WHERE type = 'inventory_adjusted'"
    assert query(centre, of + " ORDER BY lsn") == [("RICE",), ("TEA",)]
    for review in wasl.good("review", "list", centre.name, "--json").json:
        if review["kind"] == "stock_odd":
            shown = wasl.good("review", "show", centre.name, str(review["number"])).out
            assert "it is the SKU" in shown and "accept: It counts" in shown, shown
            assert "to reject  nothing changes" in shown and "to edit" not in shown, shown
        wasl.good("review", "resolve", centre.name, str(review["number"]), "--decision", "accept")
    assert wasl.good("review", "list", centre.name, "--json").json == []
    verify_clean(wasl, centre)
    device.link.close()


@pytest.mark.parametrize("running", [False, True])
def test_a_cancellation_that_takes_goods_is_imported_and_asked_about(wasl, running):
    centre = wasl.centre()
    if running:
        centre.serve()
    wasl.write("map.ini", MAP + "cancel_prefix = C\n")
    heads = ROWS.partition("\n")[0]
    wasl.write("rows.csv", heads + "\nC1,2026-11-20 08:00:00,A,Apple,1,1.50,BR01\n")
    result = wasl.good("import", centre.name, "--map", "map.ini", "rows.csv")
    assert result.last["added"] == 1, result.last
    assert query(centre, ASKED) == [("ticket", "C1", "odd", 1)]
    assert query(centre, "SELECT sku, quantity FROM stock") == [("A", -10000)]
    number = number_of(wasl, centre, "ticket_odd")
    shown = wasl.good("review", "show", centre.name, number).out
    assert "body: lines: quantity" in shown, shown
    wasl.bad("review", "resolve", centre.name, number, "--decision", "edit", "--value", "1")
    wasl.good("review", "resolve", centre.name, number, "--decision", "accept")
    assert [row[3] for row in query(centre, ASKED)] == [0]
    verify_clean(wasl, centre)
