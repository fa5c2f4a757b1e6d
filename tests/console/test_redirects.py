"""Targets of redirects that a request names: only pages of the console, and no line breaks."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from glific_gpt.accounts.tables import Role
from tests.conftest import StartServer
from tests.console.users import PASSWORD, ConsoleUser, create_user
from tests.support import http
from tests.support.server import TestOrganization

PAGE = "/console/organizations/alice?days=7"
FOREIGN = (
    "https://evil.example",
    "http:evil.example",
    "//evil.example",
    "///evil.example",
    " //evil.example",
    "/\\evil.example",
    "/console/\\evil.example",
    "/console//evil.example",
    "/\t/evil.example",
    "\r\n//evil.example",
    "javascript:alert(1)",
    "/webhooks/alice",
    "http://[",
    "/console/\r\nSet-Cookie: a=b",
    "/console/\n",
    "/console/\r",
    "/console/?a=\r\n",
    "/console/\x00",
    "/console/\x85",
    "/console/\u2028",
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def owner_signed_out(alice: TestOrganization) -> Iterator[ConsoleUser]:
    person = create_user(alice.server, "owner@alice.example.org", Role.OWNER, alice.slug)
    with person.client:
        yield person


def target_after(person: ConsoleUser, path: str, target: str, *, query: str = "", **fields: str) -> str:
    """Send a form, with the target of the redirect in it or in the query. Return the address of the redirect."""
    encoded = quote(target)
    body = "&".join(f"{name}={quote(value)}" for name, value in {"csrf_token": person.token(), **fields}.items())
    address = f"{person.server.url}{path}" + (f"?{query}={encoded}" if query else "")
    content = body if query else f"{body}&next={encoded}"
    answer = person.client.post(address, content=content, headers=FORM)
    assert answer.status_code == 302, answer.status_code
    return answer.headers["location"]


@pytest.mark.parametrize(("target", "expected"), [(PAGE, PAGE), *((target, "/console/") for target in FOREIGN)])
def test_the_language_switch_leads_to_pages_of_the_console_only(
    owner_signed_out: ConsoleUser, target: str, expected: str
) -> None:
    assert target_after(owner_signed_out, "/console/language", target, language="hi") == expected


@pytest.mark.parametrize("query", ["", "next"], ids=["in the form", "in the query"])
@pytest.mark.parametrize(("target", "expected"), [(PAGE, PAGE), *((target, "/console/") for target in FOREIGN)])
def test_signing_in_leads_to_pages_of_the_console_only(
    owner_signed_out: ConsoleUser, target: str, expected: str, query: str
) -> None:
    path, fields = "/console/account/sign-in", {"email": owner_signed_out.email, "password": PASSWORD}
    assert target_after(owner_signed_out, path, target, query=query, **fields) == expected


@pytest.mark.parametrize(
    ("proxies", "forwarded", "scheme"),
    [
        (0, "https", "http"),  # a client without a proxy can send anything
        (1, "https", "https"),
        (1, "http, https", "https"),
        (2, "https, http", "https"),
        (2, "https", "https"),  # the inner proxy has passed on the header of the outer one
        (1, "gopher", "http"),
        (1, "", "http"),
    ],
)
def test_a_redirect_keeps_the_scheme_that_trusted_proxies_report(
    start_server: StartServer, proxies: int, forwarded: str, scheme: str
) -> None:
    server = start_server(trusted_proxy_count=proxies)
    headers = {"Host": "gpt.example.org", "X-Forwarded-Proto": forwarded}
    response = http.get(f"{server.url}/console", headers=headers, follow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (308, f"{scheme}://gpt.example.org/console/")
