"""The procedures that administrators follow lose no answer. `make durability` measures them with many calls."""

import pytest

from benchmarks import durability
from tests.support import databases

pytestmark = pytest.mark.kills


def test_a_rotation_of_the_encryption_key_under_load_loses_and_refuses_nothing() -> None:
    databases.require_postgresql()
    durability.rejections.clear()
    measured = durability.measure_rotation("postgresql", pause_seconds=0.3, is_forked=True)
    assert measured["accepted"] >= 20
    assert (measured["lost"], measured["resumed_twice_or_more"], measured["resumed_with_an_error"]) == (0, 0, {})
    # Others would be refusals: a server that ends may refuse or cut a connection, as any server in a rolling restart.
    assert measured["rejections"].keys() <= {"ConnectError", "ReadError", "RemoteProtocolError"}
    assert (measured["rotation"]["unreadable"], measured["check"]["unreadable"]) == (0, 0)
