"""Fixtures of tests that start the server in processes of its own."""

from collections.abc import Iterator

import pytest

from tests.support.openai_stand_in import OpenAIStandIn


@pytest.fixture(scope="module")
def stand_in() -> Iterator[OpenAIStandIn]:
    """A stand-in for OpenAI that all tests of a file share, because their server does."""
    with OpenAIStandIn() as openai:
        yield openai
