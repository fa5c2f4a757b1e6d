"""A wish for a flow, and a way in."""

import pytest
from pydantic import SecretStr

from glific_gpt.flows.building import Mode, Wish
from glific_gpt.flows.webhook_auth import WayIn

URL = "https://gpt.example.org/webhooks/seva-trust/parse_via_chat_gpt"


@pytest.fixture
def way_in() -> WayIn:
    return WayIn(URL, SecretStr("a-webhook-token"))


@pytest.fixture(params=Mode, ids=str)
def wish(request: pytest.FixtureRequest, way_in: WayIn) -> Wish:
    """In each mode in turn."""
    return Wish(request.param, "Ask Seva Trust", "askgpt", way_in, "gpt-4o-mini")
