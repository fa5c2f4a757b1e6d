"""Verifying a connection: a login that works, an address that answers, a sentence for each reason that none does."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import GlificNotVerified
from glific_gpt.glific.client import Glific
from glific_gpt.glific.resume import Access, ApiAccess, SignedAccess
from tests.glific.conftest import Resume
from tests.support import glific_behaviours as behaviours
from tests.support.glific_behaviours import Behaviour
from tests.support.glific_stand_in import PHONE, GlificStandIn

ANYWHERE = "http://127.0.0.1:9"


def verify(client: Glific, access: Access) -> None:
    client.verify(access, Deadline.after(5))


def why_not(client: Glific, access: Access) -> str:
    with pytest.raises(GlificNotVerified) as caught:
        verify(client, access)
    return str(caught.value)


def test_a_login_that_works_is_verified_and_used_afterwards(
    glific: GlificStandIn, client: Glific, login: ApiAccess, resume: Resume
) -> None:
    verify(client, login)
    resume()
    assert len(glific.logins) == 1


def test_each_verification_asks_glific_anew(glific: GlificStandIn, client: Glific, login: ApiAccess) -> None:
    verify(client, login)
    glific.suspended.add(PHONE)
    assert "suspended" in why_not(client, login)
    glific.suspended.clear()
    verify(client, login)
    assert len(glific.logins) == 3


def test_each_reason_has_its_own_sentence(glific: GlificStandIn, client: Glific, login: ApiAccess) -> None:
    reasons = [why_not(client, replace(login, password=SecretStr("wrong")))]
    glific.suspended.add(PHONE)
    reasons += [why_not(client, login), why_not(client, replace(login, api_url=ANYWHERE))]
    glific.will_at_login(behaviours.html(404))
    reasons += [why_not(client, login), why_not(client, replace(login, api_url="https://openai.example"))]
    assert len(set(reasons)) == 5
    assert all(reason.endswith(".") and len(reason) <= 300 for reason in reasons)


@pytest.mark.parametrize(
    "behaviour",
    [
        behaviours.answer(),
        behaviours.says(404),
        behaviours.server_error(),
        behaviours.redirect("http://127.0.0.1:9/"),
        behaviours.redirect("http://[x"),
        behaviours.huge(),
    ],
)
def test_a_signed_call_is_verified_when_anybody_answers_and_resumes_nothing(
    glific: GlificStandIn, client: Glific, signed: SignedAccess, behaviour: Behaviour
) -> None:
    glific.always(behaviour)
    verify(client, signed)
    assert [(received.method, received.path) for received in glific.requests] == [("GET", "/")]


def test_a_signed_call_is_not_verified_where_nobody_answers(
    glific: GlificStandIn, client: Glific, signed: SignedAccess
) -> None:
    assert "could not be reached" in why_not(client, replace(signed, api_url=ANYWHERE))
    glific.always(behaviours.hang_up())
    assert "broke off" in why_not(client, signed)
    glific.always(behaviours.never())
    with pytest.raises(GlificNotVerified, match="did not answer in time"):
        client.verify(signed, Deadline.after(0.3))
