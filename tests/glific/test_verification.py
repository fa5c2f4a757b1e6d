"""Verification of a connection: a successful login, a response from the address, and a message for each failure."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import GlificNotVerified
from glific_gpt.glific import login_tests
from glific_gpt.glific.client import GlificClient
from glific_gpt.glific.resumption import Access, ApiAccess, SignedAccess
from tests.glific.conftest import Resume
from tests.support import glific_behaviours as behaviours
from tests.support.glific_behaviours import Behaviour
from tests.support.glific_stand_in import PHONE, GlificStandIn

UNREACHABLE_URL = "http://127.0.0.1:9"


def verify(client: GlificClient, access: Access) -> None:
    client.verify(access, Deadline.after(5))


def failure_message(client: GlificClient, access: Access) -> str:
    with pytest.raises(GlificNotVerified) as caught:
        verify(client, access)
    return str(caught.value)


def test_a_verified_login_is_reused(
    glific: GlificStandIn, client: GlificClient, login: ApiAccess, resume: Resume
) -> None:
    verify(client, login)
    resume()
    assert len(glific.logins) == 1


def test_each_verification_logs_in_again(
    glific: GlificStandIn, client: GlificClient, login: ApiAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_tests, "REFUSED_PAUSE_SECONDS", 0)
    verify(client, login)
    glific.suspended.add(PHONE)
    assert "suspended" in failure_message(client, login)
    glific.suspended.clear()
    verify(client, login)
    assert len(glific.logins) == 3


def test_each_failure_has_its_own_message(
    glific: GlificStandIn, client: GlificClient, login: ApiAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_tests, "REFUSED_PAUSE_SECONDS", 0)
    messages = [failure_message(client, replace(login, password=SecretStr("wrong")))]
    glific.suspended.add(PHONE)
    messages += [failure_message(client, login), failure_message(client, replace(login, api_url=UNREACHABLE_URL))]
    glific.will_at_login(behaviours.send_html(404))
    messages += [
        failure_message(client, login),
        failure_message(client, replace(login, api_url="https://openai.example")),
    ]
    assert len(set(messages)) == 5
    assert all(message.endswith(".") and len(message) <= 300 for message in messages)


@pytest.mark.parametrize(
    "behaviour",
    [
        behaviours.answer(),
        behaviours.respond(404),
        behaviours.server_error(),
        behaviours.redirect("http://127.0.0.1:9/"),
        behaviours.redirect("http://[x"),
        behaviours.send_huge_body(),
    ],
)
def test_a_signed_call_is_verified_by_any_response_and_resumes_nothing(
    glific: GlificStandIn, client: GlificClient, signed: SignedAccess, behaviour: Behaviour
) -> None:
    glific.always(behaviour)
    verify(client, signed)
    assert [(received.method, received.path) for received in glific.requests] == [("GET", "/")]


def test_a_signed_call_is_not_verified_without_a_response(
    glific: GlificStandIn, client: GlificClient, signed: SignedAccess
) -> None:
    assert "could not be reached" in failure_message(client, replace(signed, api_url=UNREACHABLE_URL))
    glific.always(behaviours.close_connection())
    assert "connection to Glific was lost" in failure_message(client, signed)
    glific.always(behaviours.never_respond())
    with pytest.raises(GlificNotVerified, match="did not answer in time"):
        client.verify(signed, Deadline.after(0.3))
