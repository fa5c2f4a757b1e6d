"""Marks of tests that need a feature of the operating system, which other machines may lack."""

import socket
import sys

import pytest


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


requires_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="IPv6 is not available on this machine")
requires_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="socket filters, /proc, and limits of other processes need Linux"
)
