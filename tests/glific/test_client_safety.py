"""The client connects only to allowed hosts and addresses, and shows no secrets."""

import traceback
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import GlificNotVerified, HostNotAllowed
from glific_gpt.glific.client import GlificClient
from glific_gpt.glific.resumption import Access, ApiAccess, DeliveryResult, DeliveryStatus, SignedAccess
from tests.glific.conftest import ANSWER, PHRASE, Resume
from tests.support import glific_behaviours as behaviours
from tests.support.glific_behaviours import Behaviour
from tests.support.glific_exchange import GlificExchange
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.self_signed import run_self_signed_server


def resume_with(client: GlificClient, access: Access) -> DeliveryResult:
    return client.resume(access, ANSWER, Deadline.after(5))


def verification_error(client: GlificClient, access: Access) -> GlificNotVerified:
    with pytest.raises(GlificNotVerified) as caught:
        client.verify(access, Deadline.after(5))
    return caught.value


def test_it_refuses_a_host_that_the_operator_no_longer_allows(
    glific: GlificStandIn, login: ApiAccess, signed: SignedAccess
) -> None:
    client = GlificClient(("*.glific.com",))
    for access in (login, signed):
        result = resume_with(client, access)
        assert result.status is DeliveryStatus.REFUSED
        assert "may not connect to a Glific API at that address" in result.message
        assert "may not connect to a Glific API at that address" in str(verification_error(client, access))
    with pytest.raises(HostNotAllowed):
        client.validate_url(glific.url)
    assert glific.requests == []


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["10.0.0.5", "169.254.169.254", "127.0.0.1"], ["::1"]])
def test_it_refuses_a_public_name_that_resolves_to_a_private_address(
    glific: GlificStandIn, login: ApiAccess, signed: SignedAccess, addresses: list[str]
) -> None:
    patterns = ("http://*.glific.com:*", "127.0.0.1")
    client = GlificClient(patterns, resolve=lambda _host, _port: addresses)
    for access in (login, signed):
        private = replace(access, api_url=f"http://api.seva.glific.com:{urlsplit(glific.url).port}")
        result = resume_with(client, private)
        assert (result.status, result.possibly_delivered) == (DeliveryStatus.REFUSED, False)
        assert "private network" in result.message
        assert "private network" in str(verification_error(client, private))
    assert glific.requests == []


@pytest.mark.parametrize("way", ["by login", "by signed call"])
def test_it_sends_nothing_to_a_server_with_an_untrusted_certificate(tmp_path: Path, way: str) -> None:
    client = GlificClient(("127.0.0.1",))
    with run_self_signed_server(tmp_path) as (port, received):
        url = f"https://127.0.0.1:{port}"
        accesses: dict[str, Access] = {
            "by login": ApiAccess(url, PHONE, SecretStr(PASSWORD)),
            "by signed call": SignedAccess(url, SecretStr(PHRASE), 1),
        }
        result = resume_with(client, accesses[way])
        assert (result.status, result.possibly_delivered) == (DeliveryStatus.TRY_LATER, False)
        assert "could not be reached" in str(verification_error(client, accesses[way]))
    assert received == []


def test_it_does_not_follow_redirects(glific: GlificStandIn, resume: Resume, signed: SignedAccess) -> None:
    with GlificStandIn() as elsewhere:
        glific.always(behaviours.redirect(elsewhere.url))
        glific.always_at_login(behaviours.redirect(elsewhere.url))
        assert resume().status is resume(signed).status is DeliveryStatus.REFUSED
        assert elsewhere.requests == []


def echo(status: int) -> Behaviour:
    """Return the request as error text of Glific."""

    def behave(exchange: GlificExchange) -> None:
        sent = f"{exchange.received.body} {exchange.received.headers}"
        mutation = {"success": True, "errors": [{"key": sent, "message": sent}]}
        exchange.send_json(status, {"data": {"resumeContactFlow": mutation}, "error": {"message": sent}})

    return behave


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 429, 500])
def test_results_and_errors_contain_no_secret_and_no_personal_data(
    glific: GlificStandIn, client: GlificClient, login: ApiAccess, signed: SignedAccess, status: int
) -> None:
    glific.will(echo(status))
    shown = [repr(resume_with(client, login))]
    glific.always_at_login(echo(status))
    shown += [repr(resume_with(client, replace(login, password=SecretStr(f"{PASSWORD}, another")))), str(status)]
    shown += ["".join(traceback.format_exception(verification_error(client, login)))]
    glific.will(echo(status))
    shown += [repr(resume_with(client, signed))]
    secrets = (PASSWORD, PHONE, PHRASE, "Drink ORS.", glific.requests[1].headers["authorization"], "21")
    assert not [secret for secret in secrets for text in shown if secret in text]


def test_no_secret_is_in_a_repr(
    client: GlificClient, login: ApiAccess, signed: SignedAccess, resume: Resume, glific: GlificStandIn
) -> None:
    resume()
    shown = repr([client, vars(client), login, signed, ANSWER])
    token = glific.requests[-1].headers["authorization"]
    for secret in (PASSWORD, PHONE, PHRASE, "Drink ORS.", token):
        assert secret not in shown


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 408, 418, 429, 500, 503])
def test_a_message_is_one_short_line(glific: GlificStandIn, resume: Resume, status: int) -> None:
    glific.always(behaviours.respond(status, {}))
    message = resume().message
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) <= 300
