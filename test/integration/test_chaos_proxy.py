# SPDX-License-Identifier: Apache-2.0
"""The bad network that other tests rely on is as bad as it says, and good again when healed."""

import socket
import threading
import time

import pytest

import chain


class Echo(threading.Thread):
    """Sends back what it gets, on each connection."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    @staticmethod
    def serve(connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass


@pytest.fixture
def proxy():
    if not chain.PROXY.exists():
        pytest.skip(f"{chain.PROXY} is not built")
    echo = Echo()
    with chain.Processes() as processes:
        yield chain.Proxy(processes, echo.port, seconds=60)
    echo.listener.close()


def dial(proxy):
    connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    connection.settimeout(5)
    return connection


def ask(connection, data, seconds=5):
    """What comes back within the time; '' when nothing does."""
    connection.sendall(data)
    connection.settimeout(seconds)
    got = b""
    try:
        while len(got) < len(data) and (piece := connection.recv(65536)):
            got += piece
    except TimeoutError:
        pass
    return got


def test_passes_what_it_gets_and_counts_it(proxy):
    data = bytes(range(256)) * 4096
    with dial(proxy) as connection:
        thread = threading.Thread(target=connection.sendall, args=[data])
        thread.start()
        got = b""
        while len(got) < len(data):
            got += connection.recv(65536)
        thread.join()
    assert got == data
    count = proxy.count()
    assert (count["up"], count["down"], count["accepted"]) == (len(data), len(data), 1)
    assert proxy.count()["up"] == 0


def test_says_goodbye_where_the_other_side_did(proxy):
    with dial(proxy) as connection:
        assert ask(connection, b"one") == b"one"
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(10) == b""
    assert chain.wait_until(lambda: proxy("connections") == "0", 5)


def test_a_cut_line_resets_and_refuses_until_healed(proxy):
    with dial(proxy) as connection:
        assert ask(connection, b"one") == b"one"
        proxy("cut")
        with pytest.raises(ConnectionResetError):
            connection.recv(10)
    with pytest.raises(ConnectionRefusedError):
        dial(proxy)
    proxy("heal")
    with dial(proxy) as connection:
        assert ask(connection, b"two") == b"two"
    for _ in range(20):  # in quick succession the port stays the same
        proxy("cut")
        proxy("heal")
    assert chain.wait_until(lambda: can_dial(proxy), 5)


def can_dial(proxy):
    try:
        with dial(proxy) as connection:
            return ask(connection, b"x") == b"x"
    except OSError:
        return False


def test_a_stalled_line_takes_and_holds_what_it_gets(proxy):
    with dial(proxy) as old:
        assert ask(old, b"one") == b"one"
        proxy("stall")
        assert ask(old, b"two", 0.3) == b""
        with dial(proxy) as new:
            assert ask(new, b"three", 0.3) == b""
            proxy("heal")
            assert ask(new, b"") == b"" and new.recv(10) == b"three"
        assert old.recv(10) == b"two"


def test_one_direction_may_stall_alone(proxy):
    with dial(proxy) as connection:
        proxy("asymmetric up")
        assert ask(connection, b"one", 0.3) == b""
        count = proxy.count()
        assert (count["up"], count["down"]) == (3, 0)
        proxy("heal")
        assert connection.recv(10) == b"one"


def test_is_slow_when_told(proxy):
    with dial(proxy) as connection:
        assert ask(connection, b"warm") == b"warm"
        proxy("delay 100")
        began = time.monotonic()
        assert ask(connection, b"one") == b"one"
        assert 0.2 <= time.monotonic() - began < 1
        proxy("heal")
        proxy("rate 100000")
        began = time.monotonic()
        assert len(ask(connection, b"x" * 50000)) == 50000
        assert 0.45 <= time.monotonic() - began < 2


def test_flips_bits(proxy):
    data = bytes(20000)
    with dial(proxy) as connection:
        proxy("flip 1000")
        got = ask(connection, data)
    assert len(got) == len(data) and got != data
    assert 15 < proxy.count()["flipped"] < 80


def test_drops_connections_now_and_then(proxy):
    with dial(proxy) as connection:
        assert ask(connection, b"one") == b"one"
        proxy("drop 1")
        with pytest.raises(ConnectionResetError):
            connection.recv(10)
    assert can_dial(proxy)


def test_a_captive_portal_answers_everything(proxy):
    proxy("garbage")
    with dial(proxy) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        page = b""
        while piece := connection.recv(1000):
            page += piece
    head, body = page.split(b"\r\n\r\n")
    assert b"200 OK" in head and f"Content-Length: {len(body)}".encode() in head


def test_outlives_peers_that_vanish(proxy):
    proxy("delay 20")
    for _ in range(50):
        with dial(proxy) as connection:  # gone while the answer is on its way
            connection.sendall(b"x" * 100000)
            connection.shutdown(socket.SHUT_WR)
    proxy("heal")
    assert chain.wait_until(lambda: can_dial(proxy), 5)
    assert proxy.process.poll() is None


def test_refuses_what_it_does_not_know_and_goes_on(proxy):
    for line in ["melt", "delay x", "", "x" * 1000]:
        with pytest.raises(chain.Failed):
            proxy(line)
    assert can_dial(proxy)


def test_ends_with_its_input(proxy):
    proxy.process.stdin.close()
    assert proxy.process.wait(timeout=5) == 0


def test_ends_by_itself():
    with chain.Processes() as processes:
        proxy = chain.Proxy(processes, 9, seconds=1)
        assert proxy.process.wait(timeout=5) == 0
