"""The log and the audit trail record how people sign in, and never what strangers type."""

import json
from typing import Any

import pytest

from glific_gpt.accounts import people
from glific_gpt.audit import trail
from glific_gpt.database import transaction
from tests.accounts.authenticator import CODE, RECOVERY, SETUP, Authenticator
from tests.accounts.conftest import AddPerson
from tests.accounts.test_passwords import CHANGE, NEW, change, choose, link_for
from tests.accounts.test_sign_in import ACCOUNT
from tests.conftest import StartServer
from tests.console.users import ConsoleUser, create_client, create_user
from tests.support.server import RunningServer

HERE = "127.0.0.1"
SECRET = "my-password-in-the-wrong-field"
WRONG = "not the password at all"
SIGN_OUT = "/console/account/sign-out"


def entries(server: RunningServer) -> list[tuple[str, str, dict[str, Any]]]:
    """Return action, actor and detail of all entries that have a client's address, oldest first."""
    with server.app.app_context(), transaction() as session:
        found = trail.list_entries(session, None)[::-1]
    return [(entry.action, entry.actor, entry.detail) for entry in found if "address" in entry.detail]


def of(person: ConsoleUser, address: str = HERE) -> dict[str, str]:
    return {"email": person.email, "address": address}


def test_sign_ins_and_sign_outs_are_in_the_audit_trail(asha: ConsoleUser) -> None:
    asha.sign_in(WRONG)
    asha.sign_in()
    asha.post(SIGN_OUT, page=ACCOUNT)
    asha.sign_in()
    asha.post(f"{SIGN_OUT}-everywhere", page=ACCOUNT)
    assert entries(asha.server) == [
        ("sign_in_failed", "nobody", of(asha)),
        ("signed_in", asha.email, of(asha)),
        ("signed_out_here", asha.email, of(asha)),
        ("signed_in", asha.email, of(asha)),
        ("signed_out", asha.email, of(asha)),
    ]


def test_a_person_who_is_switched_off_cannot_sign_in_and_it_is_recorded(asha: ConsoleUser) -> None:
    with asha.server.app.app_context(), transaction() as session:
        people.find_person(session, asha.email).active = False
    asha.sign_in()
    assert entries(asha.server) == [("sign_in_failed", "nobody", of(asha))]


@pytest.mark.parametrize("typed", [SECRET, f"{SECRET}@example.org", f"{SECRET}@example。org", ""])
def test_what_a_stranger_types_is_not_recorded(
    asha: ConsoleUser, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, typed: str
) -> None:
    asha.email = typed
    asha.sign_in(f"{SECRET} too")
    assert entries(asha.server) == [("unknown_sign_in_failed", "nobody", {"address": HERE})]
    assert SECRET not in "".join(capfd.readouterr()) + caplog.text


def test_sign_ins_are_in_the_log_with_the_address_and_without_the_password(
    asha: ConsoleUser, capfd: pytest.CaptureFixture[str]
) -> None:
    asha.sign_in(WRONG)
    asha.sign_in()
    asha.post(SIGN_OUT, page=ACCOUNT)
    for _ in range(6):
        asha.sign_in(WRONG)
    logged = capfd.readouterr().err
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    found = [(line["event"], line.get("person"), line["client"]) for line in lines if "client" in line]
    assert found == [
        ("sign_in_failed", asha.email, HERE),
        ("sign_in_finished", asha.email, HERE),
        ("sign_out_finished", asha.email, HERE),
        # The first one does not count here: this browser became a known one afterwards, with attempts of its own.
        *[("sign_in_failed", asha.email, HERE)] * 5,
        ("sign_in_throttled", None, HERE),
    ]
    assert WRONG not in logged


def test_passwords_and_links_are_in_the_audit_trail(asha: ConsoleUser) -> None:
    choose(asha, link_for(asha))
    asha.sign_in(NEW)
    assert change(asha, old=WRONG) == 422
    assert change(asha, old=NEW, new=NEW) == 422
    assert change(asha, old=NEW, new=f"{NEW}, and another") == 302
    assert entries(asha.server) == [
        ("password_reset", asha.email, of(asha)),
        ("signed_in", asha.email, of(asha)),
        ("signed_in", asha.email, of(asha)),
        ("password_check_failed", asha.email, of(asha)),
        ("password_changed", asha.email, of(asha)),
    ]


def test_two_step_sign_in_is_in_the_audit_trail(asha: ConsoleUser, authenticator: Authenticator) -> None:
    asha.sign_in()
    codes = authenticator.set_up(asha)
    asha.post(SIGN_OUT, page=ACCOUNT)
    asha.sign_in()
    asha.post(CODE, {"code": "000000"}, page=CODE)
    asha.post(RECOVERY, {"code": "0000-0000-0000"}, page=RECOVERY)
    asha.post(RECOVERY, {"code": codes[0]}, page=RECOVERY)
    asha.post(SETUP, {"setup": "disable"}, page=SETUP)
    assert [(action, actor) for action, actor, detail in entries(asha.server) if detail == of(asha)] == [
        ("signed_in", asha.email),
        ("two_factor_enabled", asha.email),
        ("recovery_codes_created", asha.email),
        ("signed_out_here", asha.email),
        ("code_check_failed", "nobody"),
        ("code_check_failed", "nobody"),
        ("recovery_code_used", asha.email),
        ("signed_in", asha.email),
        ("two_factor_disabled", asha.email),
    ]


@pytest.mark.parametrize(
    ("forwarded", "recorded"),
    [
        ("203.0.113.1, 198.51.100.7", "198.51.100.7"),
        ("203.0.113.1, ::ffff:198.51.100.7", "198.51.100.7"),
        ("203.0.113.1, 2001:DB8::0:7", "2001:db8::7"),
        ("203.0.113.1, not an address", "unknown"),
        ("", HERE),
    ],
)
def test_the_address_is_that_of_the_last_proxy(start_server: StartServer, forwarded: str, recorded: str) -> None:
    server = start_server(trusted_proxy_count=1)
    person = create_user(server, "asha@example.org")
    with create_client() as person.client:
        person.client.headers["X-Forwarded-For"] = forwarded
        person.sign_in()
    assert entries(server) == [("signed_in", person.email, of(person, recorded))]


def test_without_a_proxy_a_forwarded_address_is_ignored(asha: ConsoleUser) -> None:
    asha.client.headers["X-Forwarded-For"] = "203.0.113.1"
    asha.sign_in()
    assert entries(asha.server) == [("signed_in", asha.email, of(asha))]


def test_administrators_read_it_in_sentences(add_person: AddPerson) -> None:
    boss = add_person("boss@example.org", None)
    boss.sign_in(WRONG)
    boss.email, email = "nobody@example.org", boss.email
    boss.sign_in(WRONG)
    boss.email = email
    boss.sign_in()
    page = boss.get("/console/server/audit").text
    assert f"Signed in as {email} from {HERE}" in page
    assert f"Failed to sign in as {email} from {HERE}" in page
    assert f"Failed to sign in with an e-mail address that has no account, from {HERE}" in page


def test_signing_in_renews_the_csrf_token(asha: ConsoleUser, capfd: pytest.CaptureFixture[str]) -> None:
    """Another person may know the token of a session that began before the sign-in."""
    old = asha.token()
    asha.sign_in()
    for path, fields in ((SIGN_OUT, {}), (CHANGE, {}), ("/console/account/language", {"language": "hi"})):
        answer = asha.client.post(asha.server.url + path, data={"csrf_token": old} | fields)
        assert answer.status_code == (200 if path == SIGN_OUT else 400)
    assert "you have signed in again since. Nothing was changed." in answer.text
    assert asha.get(ACCOUNT).status_code == 200
    answer = asha.post("/console/account/language", {"language": "hi"}, page=ACCOUNT)
    assert answer.status_code == 302


def test_a_new_password_renews_the_csrf_token(asha: ConsoleUser) -> None:
    asha.sign_in()
    old = asha.token(ACCOUNT)
    assert change(asha) == 302
    answer = asha.client.post(asha.server.url + "/console/account/language", data={"csrf_token": old, "language": "hi"})
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_no_page_signs_a_person_out_without_a_form(asha: ConsoleUser, method: str) -> None:
    asha.sign_in()
    app = asha.server.app
    for rule in app.url_map.iter_rules():
        if (
            rule.endpoint.startswith(("security.", "console."))
            and method in (rule.methods or ())
            and not rule.arguments
        ):
            asha.client.request(method, asha.server.url + rule.rule)
    for path in (SIGN_OUT, link_for(asha), "/console/account/two-factor/set-up/x", "/console/logout", "/logout"):
        asha.client.request(method, asha.server.url + path)
    assert asha.get(ACCOUNT).status_code == 200
