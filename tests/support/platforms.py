"""Tests that need a feature of the operating system, or a program, which other machines may lack."""

import os
import shutil
import socket
import sys
from typing import NoReturn

import pytest


def skip_or_fail(message: str) -> NoReturn:
    """Skip the test because something is not installed, or fail in CI, which has everything."""
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def require_program(name: str, package: str) -> str:
    """Return the path of a program. Without it the test is skipped, or fails in CI."""
    return shutil.which(name) or skip_or_fail(f"{name} is not installed: apt-get install {package}")


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
