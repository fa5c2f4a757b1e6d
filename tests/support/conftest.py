"""The OpenAI stand-in, and a client of OpenAI's own library for it."""

from collections.abc import Iterator

import pytest
from openai import OpenAI

from tests.support.openai_questions import KEY
from tests.support.openai_stand_in import OpenAIStandIn


@pytest.fixture
def openai() -> Iterator[OpenAIStandIn]:
    with OpenAIStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def client(openai: OpenAIStandIn) -> Iterator[OpenAI]:
    with OpenAI(api_key=KEY, base_url=openai.base_url, max_retries=0, timeout=5) as client:
        yield client
