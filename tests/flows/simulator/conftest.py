"""A server for the webhooks of flows."""

from collections.abc import Iterator

import pytest

from tests.flows.simulator.webhook_stand_in import WebhookStandIn


@pytest.fixture
def webhook() -> Iterator[WebhookStandIn]:
    with WebhookStandIn() as stand_in:
        yield stand_in
