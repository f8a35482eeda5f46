# SPDX-License-Identifier: Apache-2.0
"""What README.md and docs/IMPORT.md tell people to type, typed."""

import json
import re
import shutil
import subprocess

import pytest
from conftest import PROGRAM, ROOT, free_port, wait_for

KEYS = re.compile(r"^### \[(\w+)\]|^\| ((?:`\w+`(?:, )?)+)", re.M)


def commands_by_hand():
    text = (ROOT / "README.md").read_text()
    return re.search(r"## By hand\n\n```\n(.*?)```", text, re.S)[1]


def documented_keys():
    """Each (section, key) of a map that docs/IMPORT.md names."""
    keys, section = [], ""
    for heading, names in KEYS.findall((ROOT / "docs" / "IMPORT.md").read_text()):
        section = heading or section
        keys += [(section, name) for name in re.findall(r"\w+", names)]
    return keys


@pytest.fixture
def checkout(wasl):
    """A folder where the example files are, and the program is in build/."""
    shutil.copytree(ROOT / "examples", wasl.folder / "examples")
    (wasl.folder / "build").mkdir()
    (wasl.folder / "build" / "wasl").symlink_to(PROGRAM)
    return wasl.folder


def test_the_commands_by_hand_do_what_they_say(checkout, wasl):
    ports = {"7400": str(free_port()), "7402": str(free_port())}
    script = commands_by_hand()
    for folder, port in (("central hq", "7400"), ("terminal till", "7402")):
        script = script.replace(f"init {folder}", f"init {folder} --listen 127.0.0.1:{port}")
        script = re.sub(rf"(serve {folder.split()[1]} &.*)", rf"\1\n{wait_at(port)}", script)
    for port, free in ports.items():
        script = script.replace(port, free)
    script = f"set -eu\ntrap 'kill $(jobs -p); wait' EXIT\n{script}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert '"status":"accepted"' in done.stdout
    assert "records        equal a fresh fold" in done.stdout
    counts = json.loads(re.search(r'^.*(\{"tickets".*\})', done.stdout, re.M)[1])
    assert (counts["tickets"], counts["added"], counts["rejected"]) == (5, 5, 1)
    device = re.search(r"^device +(\S+)", done.stdout, re.M)[1]
    assert f"Revoked {device} of location BR01." in done.stdout


def wait_at(port):
    return f"until curl -sf http://127.0.0.1:{port}/healthz >/dev/null; do sleep 0.05; done"


def test_the_example_of_a_sale_counts_once(checkout, wasl):
    till = wasl.till().serve()
    token = wasl.good("token", "till", "--name", "me", "--role", "cashier").out.strip()
    words = ["curl", "-sf", "-d", "@examples/sale.json", "-H", f"Authorization: Bearer {token}"]
    words.append(f"{till.url()}/api/v1/events")
    said = [subprocess.check_output(words, cwd=checkout).decode() for _ in range(2)]
    assert ["accepted" in said[0], "duplicate" in said[1]] == [True, True]
    wait_for(lambda: till.status()["lanes"]["critical"]["pending"] == 1, "one event")


def test_the_keys_of_a_map_are_those_of_its_page(wasl):
    keys = documented_keys()
    assert len(keys) > 20
    wasl.centre()
    wasl.write("rows.csv", "a\n")
    for section, key in keys:
        wasl.write("map.ini", f"[{section}]\n{key} = 1\n")
        assert "unknown key" not in wasl("import", "centre", "--map", "map.ini", "rows.csv").err
    helped = re.findall(r"\w+", wasl.good("import", "--help").out)
    assert {key for _, key in keys} - set(helped) == {"kind"}  # which has one value only
