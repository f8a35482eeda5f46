# SPDX-License-Identifier: Apache-2.0
"""A device written from docs/PROTOCOL.md alone is believed and served like any other."""

import pytest
from book import Device, blake2b, line


@pytest.fixture
def centre(wasl):
    return wasl.centre().serve()


@pytest.fixture
def device(wasl, centre, tmp_path):
    words = ["--location", "BR01", "--role", "terminal"]
    device = Device(tmp_path, centre.port)
    device.enrol(wasl.good("enroll", "code", centre.name, *words).out.strip(), "BR01")
    device.begin_run()
    device.write("inventory_received", ("stock", "TEA"), {"sku": "TEA", "quantity": "5"})
    yield device
    device.link.close()


def stock(wasl, centre):
    return [(row["sku"], row["quantity"]) for row in wasl.good("stock", centre.name, "-j").json]


def test_a_device_by_the_book_is_believed_and_served(wasl, centre, device):
    assert device.connect() == device.mark(0)
    assert device.push(1) == device.mark(2)
    while ("stock", "TEA") not in device.rows:
        device.receive("feed")
    assert device.rows["stock", "TEA"] == {"quantity": "5"}
    stream = {"origin": device.origin, "lane": "critical"}
    assert device.includes[-1] == stream | {"seq": 2}  # before that perhaps that it is 0
    exported = wasl.good("export", centre.name).out
    assert all(event.decode() in exported for event in device.events), "other bytes"
    assert wasl.good("verify", centre.name, "--json").last["chain_errors"] == 0


def test_what_is_sent_again_counts_once_and_the_next_session_goes_on(wasl, centre, device):
    device.connect()
    assert device.push(1) == device.push(1) == device.mark(2)
    assert stock(wasl, centre) == [("TEA", "5")]
    device.link.close()
    device.write("inventory_sold", ("stock", "TEA"), {"sku": "TEA", "quantity": "1"})
    assert device.connect() == device.mark(2)
    assert device.push(3) == device.mark(3)
    assert stock(wasl, centre) == [("TEA", "4")]


def test_a_gap_and_a_wrong_head_are_asked_for_again(wasl, centre, device):
    device.connect()
    assert device.push(2) == device.mark(0) | {"want": 1}
    true_head, device.hashes[-1] = device.hashes[-1], blake2b(b"something else")
    assert device.push(1) == device.mark(0) | {"want": 1}
    device.hashes[-1] = true_head
    assert device.push(1) == device.mark(2)


def test_a_damaged_message_ends_the_session(centre, device):
    device.connect()
    device.link.send_text(line({"m": "probe", "k": 1}) + line({"sum": "00" * 16}))
    error, _ = device.receive("error")
    assert (error["code"], error["final"]) == ("DAMAGED", False)
