"""A flow specification in each mode, and a webhook endpoint."""

import pytest
from pydantic import SecretStr

from glific_gpt.flows.building import FlowSpec, Mode
from glific_gpt.flows.endpoint import WebhookEndpoint

URL = "https://gpt.example.org/webhooks/seva-trust/parse_via_chat_gpt"


@pytest.fixture
def endpoint() -> WebhookEndpoint:
    return WebhookEndpoint(URL, SecretStr("a-webhook-token"))


@pytest.fixture(params=Mode, ids=str)
def spec(request: pytest.FixtureRequest, endpoint: WebhookEndpoint) -> FlowSpec:
    """Return a specification for each mode."""
    return FlowSpec(request.param, "Ask Seva Trust", "askgpt", endpoint, "gpt-4o-mini")
