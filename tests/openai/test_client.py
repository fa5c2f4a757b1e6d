"""The OpenAI client: the headers of a request."""

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.openai.chat import Question
from glific_gpt.openai.gateway import Gateway
from tests.support.openai_stand_in import OpenAIStandIn

KEY = SecretStr("sk-proj-tenant-0123456789")


def test_it_sends_the_organizations_key_and_nothing_from_the_environment(
    openai: OpenAIStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-operator")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-operator")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-operator")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer sk-operator")

    gateway = Gateway(openai.base_url)
    gateway.bind(KEY, "gpt-4o", Deadline.after(5)).ask(Question("What is ORS?"))

    headers = openai.requests[-1].headers
    assert headers["authorization"] == f"Bearer {KEY.get_secret_value()}"
    assert not {"openai-organization", "openai-project"} & headers.keys()
    assert headers["accept-encoding"] == "identity"  # a compressed reply could not be read
