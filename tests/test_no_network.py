"""The switch that keeps the tests off the network works."""

from __future__ import annotations

import socket

import pytest


def test_a_test_that_reaches_for_the_network_fails() -> None:
    with socket.socket() as connection, pytest.raises(RuntimeError, match=r"A test tried to reach '192\.0\.2\.1'"):
        connection.connect(("192.0.2.1", 80))
