"""Connections to OpenAI: whose headers travel, and how long they may take."""

import time
from collections.abc import Iterator
from typing import Literal

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import DeadlineExceeded
from glific_gpt.llm.chat import Question
from glific_gpt.llm.gateway import Gateway
from tests.support.openai_behaviours import drip
from tests.support.openai_stand_in import OpenAIStandIn

KEY = SecretStr("sk-proj-tenant-0123456789")


@pytest.fixture
def gateway(openai: OpenAIStandIn) -> Iterator[Gateway]:
    made = Gateway(openai.base_url)
    yield made
    made.close()


def test_it_sends_the_organizations_key_and_nothing_of_the_operators_environment(
    request: pytest.FixtureRequest, openai: OpenAIStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-operator")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-operator")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-operator")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer sk-operator")

    gateway: Gateway = request.getfixturevalue("gateway")
    gateway.bind(KEY, "gpt-4o", Deadline.after(5)).ask(Question("What is ORS?"))

    headers = openai.requests[-1].headers
    assert headers["authorization"] == f"Bearer {KEY.get_secret_value()}"
    assert not {"openai-organization", "openai-project"} & headers.keys()


@pytest.mark.parametrize("part", ["head", "body"])
def test_it_ends_at_the_deadline_although_every_read_brings_a_byte(
    gateway: Gateway, openai: OpenAIStandIn, part: Literal["head", "body"]
) -> None:
    openai.always(drip(0.2, part=part))
    start = time.monotonic()

    with pytest.raises(DeadlineExceeded):
        gateway.bind(KEY, "gpt-4o", Deadline.after(0.7)).ask(Question("What is ORS?"))

    assert time.monotonic() - start < 1.0
