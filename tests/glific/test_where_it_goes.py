"""Where the client goes, and what it shows: only to hosts and addresses that are allowed, and no secret to anybody."""

import traceback
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import GlificNotVerified, InvalidValue
from glific_gpt.glific.client import Glific
from glific_gpt.glific.resume import Access, ApiAccess, Reply, SignedAccess, Verdict
from tests.glific.conftest import ANSWER, PHRASE, Resume
from tests.support import glific_behaviours as behaviours
from tests.support.glific_behaviours import Behaviour
from tests.support.glific_exchange import GlificExchange
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.self_signed import self_signed_server


def resumed_by(client: Glific, access: Access) -> Verdict:
    return client.resume(access, ANSWER, Deadline.after(5))


def why_not(client: Glific, access: Access) -> GlificNotVerified:
    with pytest.raises(GlificNotVerified) as caught:
        client.verify(access, Deadline.after(5))
    return caught.value


def test_it_refuses_a_host_that_the_operator_does_not_allow_any_more(
    glific: GlificStandIn, login: ApiAccess, signed: SignedAccess
) -> None:
    elsewhere = Glific(("*.glific.com",))
    for access in (login, signed):
        verdict = resumed_by(elsewhere, access)
        assert verdict.reply is Reply.REFUSED
        assert "*.glific.com" in verdict.said
        assert "*.glific.com" in str(why_not(elsewhere, access))
    with pytest.raises(InvalidValue, match=r"\*\.glific\.com"):
        elsewhere.checked_url(glific.url)
    assert glific.requests == []


@pytest.mark.parametrize("found", [["127.0.0.1"], ["10.0.0.5", "169.254.169.254", "127.0.0.1"], ["::1"]])
def test_it_refuses_a_public_name_that_leads_into_a_private_network(
    glific: GlificStandIn, login: ApiAccess, signed: SignedAccess, found: list[str]
) -> None:
    patterns = ("http://*.glific.com:*", "127.0.0.1")
    client = Glific(patterns, resolve=lambda _host, _port: found)
    for access in (login, signed):
        inside = replace(access, api_url=f"http://api.seva.glific.com:{urlsplit(glific.url).port}")
        verdict = resumed_by(client, inside)
        assert (verdict.reply, verdict.may_have_arrived) == (Reply.REFUSED, False)
        assert "private network" in verdict.said
        assert "private network" in str(why_not(client, inside))
    assert glific.requests == []


@pytest.mark.parametrize("way", ["by login", "by signed call"])
def test_it_tells_nothing_to_a_server_whose_certificate_nobody_vouches_for(tmp_path: Path, way: str) -> None:
    client = Glific(("127.0.0.1",))
    with self_signed_server(tmp_path) as (port, told):
        url = f"https://127.0.0.1:{port}"
        accesses: dict[str, Access] = {
            "by login": ApiAccess(url, PHONE, SecretStr(PASSWORD)),
            "by signed call": SignedAccess(url, SecretStr(PHRASE), 1),
        }
        verdict = resumed_by(client, accesses[way])
        assert (verdict.reply, verdict.may_have_arrived) == (Reply.TRY_LATER, False)
        assert "could not be reached" in str(why_not(client, accesses[way]))
    assert told == []


def test_it_does_not_go_where_a_redirect_leads(glific: GlificStandIn, resume: Resume, signed: SignedAccess) -> None:
    with GlificStandIn() as elsewhere:
        glific.always(behaviours.redirect(elsewhere.url))
        glific.always_at_login(behaviours.redirect(elsewhere.url))
        assert resume().reply is resume(signed).reply is Reply.REFUSED
        assert elsewhere.requests == []


def echo(status: int) -> Behaviour:
    """Whatever was sent comes back as words of Glific's."""

    def behave(exchange: GlificExchange) -> None:
        sent = f"{exchange.received.body} {exchange.received.headers}"
        mutation = {"success": True, "errors": [{"key": sent, "message": sent}]}
        exchange.send_json(status, {"data": {"resumeContactFlow": mutation}, "error": {"message": sent}})

    return behave


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 429, 500])
def test_no_secret_and_nothing_personal_is_in_what_it_says(
    glific: GlificStandIn, client: Glific, login: ApiAccess, signed: SignedAccess, status: int
) -> None:
    glific.will(echo(status))
    said = [repr(resumed_by(client, login))]
    glific.always_at_login(echo(status))
    said += [repr(resumed_by(client, replace(login, password=SecretStr(f"{PASSWORD}, another")))), str(status)]
    said += ["".join(traceback.format_exception(why_not(client, login)))]
    glific.will(echo(status))
    said += [repr(resumed_by(client, signed))]
    secrets = (PASSWORD, PHONE, PHRASE, "Drink ORS.", glific.requests[1].headers["authorization"], "21")
    assert not [secret for secret in secrets for words in said if secret in words]


def test_no_secret_is_in_a_repr(
    client: Glific, login: ApiAccess, signed: SignedAccess, resume: Resume, glific: GlificStandIn
) -> None:
    resume()
    shown = repr([client, vars(client), login, signed, ANSWER])
    token = glific.requests[-1].headers["authorization"]
    for secret in (PASSWORD, PHONE, PHRASE, "Drink ORS.", token):
        assert secret not in shown


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 408, 418, 429, 500, 503])
def test_a_verdict_is_one_short_sentence(glific: GlificStandIn, resume: Resume, status: int) -> None:
    glific.always(behaviours.says(status, {}))
    said = resume().said
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) <= 300
