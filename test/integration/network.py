# SPDX-License-Identifier: Apache-2.0
"""What tests of whole chains share: tills behind a bad network, and what must hold at the end."""

import hashlib
import json
import subprocess

import pytest

import chain


@pytest.fixture
def processes():
    for program in (chain.WASL, chain.PROXY):
        if not program.exists():
            pytest.skip(f"{program} is not built")
    with chain.Processes() as started:
        yield started


class Chain:
    """A centre, a proxy per location, and tills, all serving."""

    def __init__(self, processes, folder, options=()):
        self.processes, self.folder = processes, folder
        self.centre = chain.new_centre(processes, folder / "centre")
        for section, key, value in options:
            chain.set_option(self.centre.folder, section, key, value)
        self.centre.serve()
        self.proxies, self.tills = {}, []

    def till(self, name, location, **options):
        if location not in self.proxies:
            seed = len(self.proxies) + 1
            self.proxies[location] = chain.Proxy(self.processes, self.centre.port, seed=seed)
        till = chain.new_till(
            self.processes, self.folder / name, self.centre, location, self.proxies[location].port
        )
        till.location = location
        self.tills.append(till)
        return till.serve(**options)

    def network(self, command):
        for proxy in self.proxies.values():
            proxy(command)

    def drain(self, seconds=60):
        """Until nothing is unsettled anywhere."""
        left = {}

        def done():
            left.update((till.folder.name, till.pending()) for till in self.tills)
            return all(count == 0 for count in left.values())

        assert chain.wait_until(done, seconds, 0.1), f"not settled after {seconds} s: {left}"


def verify(node):
    """The verdict of wasl verify, which must find nothing wrong."""
    words = [str(chain.WASL), "verify", str(node.folder), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    verdict = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, f"{verdict} {done.stderr}"
    wrong = (verdict["gaps"], verdict["chain_errors"], verdict["refold_equal"])
    assert wrong == (0, 0, True), verdict
    return verdict


def journal(node, kind):
    """The events of a type that count, each as written: bytes by id."""
    with node.sql() as sql:
        rows = sql.execute(
            "SELECT id, CAST(bytes AS BLOB) FROM journal"
            " WHERE type = ? AND status <> 'duplicate'",
            [kind],
        ).fetchall()
    assert len({id for id, _ in rows}) == len(rows), "an id counts twice"
    return dict(rows)


def chains_hold(node):
    """Recomputes the chain of every stream, without any of the program's code; how many events."""
    heads = {}
    with node.sql() as sql:
        rows = sql.execute(
            "SELECT origin, lane, seq, chain, CAST(bytes AS BLOB) FROM journal"
            " ORDER BY origin, lane, seq"
        ).fetchall()
    for origin, lane, seq, hash_there, data in rows:
        last, hash_before = heads.get((origin, lane), (0, bytes(32)))
        assert seq == last + 1, f"a gap before {seq} of {origin.hex()} {lane}"
        now = hashlib.blake2b(hash_before + data, digest_size=32).digest()
        assert now == hash_there, f"another hash at {seq} of {origin.hex()} {lane}"
        heads[origin, lane] = (seq, now)
    return len(rows)
