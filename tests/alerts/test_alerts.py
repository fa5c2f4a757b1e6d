"""People are told once when an alert begins and once when it is over: over SMTP, and over HTTP for administrators."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from glific_gpt.accounts.tables import Role, User
from glific_gpt.alerts import conditions
from glific_gpt.alerts.tables import AlertState
from glific_gpt.alerts.webhook import MAX_CHARACTERS
from glific_gpt.clock import now
from glific_gpt.database import reading, transaction
from glific_gpt.emails.tables import OutgoingEmail
from glific_gpt.operations.housekeeping import check_alerts
from glific_gpt.organizations import store
from glific_gpt.usage.alerts import AlertCode
from tests.conftest import StartServer
from tests.console.users import create_user
from tests.support.call_records import create_call, create_delivery
from tests.support.deferred import start_worker_in_process
from tests.support.mail_server import MailServer
from tests.support.server import RunningServer, TestOrganization

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ALERTS_ADDRESS = "alerts@example.org"


class Channel(ThreadingHTTPServer):
    """A chat channel that takes messages in the format of Slack."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ChannelHandler)
        self.messages: list[str] = []
        self.status = 200
        self.accepts: int | None = None
        """Messages that are accepted before the others are refused; None for all."""
        self.url = f"http://127.0.0.1:{self.server_port}/services/secret-path"


class _ChannelHandler(BaseHTTPRequestHandler):
    server: Channel

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_full = self.server.accepts is not None and len(self.server.messages) >= self.server.accepts
        status = 429 if is_full else self.server.status
        if status == 200:
            self.server.messages.append(body["text"])
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def channel() -> Iterator[Channel]:
    with Channel() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server(start_server: StartServer, mail_server: MailServer, channel: Channel) -> RunningServer:
    return start_server(
        mail_url=mail_server.url, mail_from="gpt@example.org", alert_webhook_url=channel.url, public_url="https://g.org"
    )


@pytest.fixture
def owned(server: RunningServer, alice: TestOrganization) -> TestOrganization:
    """Alice's organization with an owner who reads Hindi, an editor, and an address for alerts."""
    for email, role in (("asha@example.org", Role.OWNER), ("editor@example.org", Role.EDITOR)):
        create_user(server, email, role, alice.slug).client.close()
    with server.app.app_context(), transaction() as session:
        session.execute(sa.update(User).where(User.email == "asha@example.org").values(locale="hi"))
    alice.change(alert_email=ALERTS_ADDRESS)
    return alice


def check(server: RunningServer, mail_server: MailServer, at: datetime | None = None) -> dict[str, str]:
    """Check the alerts, send the e-mails, and return the subjects by recipient."""
    with time_machine.travel(at or now()):
        check_alerts(server.app)
        with server.app.app_context():
            with transaction() as session:
                ids = list(session.scalars(sa.select(OutgoingEmail.id).order_by(OutgoingEmail.created_at)))
            for email_id in ids:
                assert server.services.email_workflow.attempt(email_id) is None
    return {message["To"]: str(message["Subject"]) for message in (mail_server.next_message() for _ in ids)}


def fail_all(organization: TestOrganization, code: str = "invalid_api_key", **values: Any) -> None:
    create_call(organization, "error", error_code=code, **values)


def codes_now(organization: TestOrganization) -> set[AlertCode]:
    server = organization.server
    with server.app.app_context(), reading() as session:
        organization_id = store.find(session, organization.slug).id
        provider = server.services.model_provider.name
        return set(conditions.find_current(session, provider, [organization_id])[organization_id])


@pytest.mark.both_databases
def test_owners_get_one_e_mail_at_the_beginning_and_one_at_the_end(
    owned: TestOrganization, mail_server: MailServer
) -> None:
    server, start = owned.server, now()
    fail_all(owned)
    assert check(server, mail_server, start + MINUTE) == {
        "asha@example.org": "Alice: OpenAI ने इस कुंजी को अस्वीकार किया",
        ALERTS_ADDRESS: "Alice: OpenAI ने इस कुंजी को अस्वीकार किया",
    }
    for minutes in (2, 3, 70):
        assert check(server, mail_server, start + minutes * MINUTE) == {}
    owned.set_key("sk-proj-another-0123456789-anot")
    over = check(server, mail_server, start + 2 * HOUR)
    assert over["asha@example.org"].startswith("Alice: समस्या समाप्त")
    assert check(server, mail_server, start + 3 * HOUR) == check(server, mail_server, start + 5 * HOUR) == {}
    with server.app.app_context(), transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).where(AlertState.organization_id.is_not(None))) == 0


def test_there_is_at_most_one_e_mail_an_hour(owned: TestOrganization, mail_server: MailServer) -> None:
    server, start = owned.server, now()
    owned.change(monthly_budget_usd=Decimal(1))
    create_call(owned, cost_usd=Decimal("0.9"))
    assert len(check(server, mail_server, start + MINUTE)) == 2
    fail_all(owned, "insufficient_quota")
    fail_all(owned, "budget_exceeded")
    assert check(server, mail_server, start + 30 * MINUTE) == {}
    fail_all(owned, "invalid_api_key", at=start + 31 * MINUTE)  # what it hides has never been announced
    sent = check(server, mail_server, start + 62 * MINUTE)
    assert sent[ALERTS_ADDRESS] == "Alice: OpenAI ने इस कुंजी को अस्वीकार किया"


def test_the_e_mail_says_what_to_do_in_the_language_of_the_person(
    owned: TestOrganization, mail_server: MailServer
) -> None:
    with owned.server.app.app_context(), transaction() as session:
        session.execute(sa.update(User).values(locale=None))
    owned.change(monthly_budget_usd=Decimal(1), alert_email=None, name="Alice\nTrust")
    create_call(owned, cost_usd=Decimal("0.9"))
    start_worker_in_process(owned.server)
    check_alerts(owned.server.app)
    message = mail_server.next_message()
    assert (message["To"], message["Subject"]) == (
        "asha@example.org",
        "Alice Trust: This month's budget is nearly used up",
    )
    text = message.get_content()
    assert "$0.90 of $1.00 are spent. When the budget is used up, calls are not answered." in text
    assert "https://g.org/console/organizations/alice/" in text
    assert "you are an owner of Alice" in text


def test_the_webhook_of_administrators_gets_each_beginning_and_end(
    owned: TestOrganization, mail_server: MailServer, channel: Channel, capfd: pytest.CaptureFixture[str]
) -> None:
    server, start = owned.server, now()
    fail_all(owned)
    channel.status = 500
    check(server, mail_server, start + MINUTE)
    assert channel.messages == []
    assert "alert_webhook_failed" in (log := capfd.readouterr().err)
    assert "secret-path" not in log
    channel.status = 200
    check(server, mail_server, start + 2 * MINUTE)
    check(server, mail_server, start + 3 * MINUTE)
    assert channel.messages == [
        "Alice (alice): OpenAI refused this key. It may have been deleted, or may lack the permission to use models. "
        "Replace it with a valid key."
    ]
    owned.set_key("sk-proj-another-0123456789-anot")
    check(server, mail_server, start + 4 * MINUTE)
    assert channel.messages[1:] == ["Alice (alice): Over: OpenAI refused this key."]


def test_the_name_of_an_organization_mentions_nobody_and_imitates_no_other_message(
    owned: TestOrganization, mail_server: MailServer, channel: Channel
) -> None:
    owned.change(name="<!channel> @all\nBob (bob): Over & <https://evil.example|out>")
    fail_all(owned)
    sent = check(owned.server, mail_server, now() + MINUTE)
    assert sent[ALERTS_ADDRESS].startswith("<!channel> @all Bob (bob): Over & <https://evil.example|out>: ")
    [message] = channel.messages
    start = "&lt;!channel&gt; @\N{WORD JOINER}all Bob (bob): Over &amp; &lt;https://evil.example|out&gt; (alice): "
    assert message.startswith(start)
    assert "\n" not in message


def test_news_that_is_too_long_for_one_message_comes_in_several(
    owned: TestOrganization, mail_server: MailServer, channel: Channel
) -> None:
    server = owned.server
    others = [server.add_organization(f"o{number}") for number in range(30)]
    for organization in others:
        organization.change(name="नाम " * 40)
        fail_all(organization)
    check(server, mail_server, now() + MINUTE)
    assert len(channel.messages) > 1
    assert max(map(len, channel.messages)) <= MAX_CHARACTERS
    told = "\n".join(channel.messages)
    assert all(f"({organization.slug}): OpenAI refused this key. " in told for organization in others)


def test_a_message_that_is_refused_is_sent_again_without_those_before(
    owned: TestOrganization, mail_server: MailServer, channel: Channel
) -> None:
    server, start = owned.server, now()
    others = [server.add_organization(f"o{number}") for number in range(30)]
    for organization in others:
        organization.change(name="नाम " * 40)
        fail_all(organization)
    channel.accepts = 1
    check(server, mail_server, start + MINUTE)
    assert len(channel.messages) == 1
    channel.accepts = None
    check(server, mail_server, start + 2 * MINUTE)
    told = "\n".join(channel.messages)
    assert [told.count(f"({organization.slug}): OpenAI refused") for organization in others] == [1] * len(others)


def test_one_process_checks_in_a_minute(owned: TestOrganization, mail_server: MailServer, channel: Channel) -> None:
    start = now()
    check(owned.server, mail_server, start)
    fail_all(owned, at=start)
    assert check(owned.server, mail_server, start + timedelta(seconds=30)) == {}
    assert channel.messages == []
    assert len(check(owned.server, mail_server, start + MINUTE)) == 2


def test_an_alert_lasts_while_no_calls_arrive(
    owned: TestOrganization, mail_server: MailServer, channel: Channel
) -> None:
    server, start = owned.server, now().replace(day=10)  # a budget ends with its month
    with time_machine.travel(start):
        owned.change(monthly_budget_usd=Decimal(1))
        create_call(owned)
        fail_all(owned, "budget_exceeded")
        fail_all(owned, "model_not_found")
        create_delivery(owned, "undelivered")
    for hours in (0.1, 1, 5, 20):
        check(server, mail_server, start + hours * HOUR)
    (begun,) = channel.messages
    for title in ("Budget reached", "Answers did not reach their flows", "OpenAI no longer offers a model"):
        assert title in begun
    check(server, mail_server, start + 25 * HOUR)
    assert "Over: " in channel.messages[1]


def test_a_budget_that_is_used_up_ends_no_earlier_alert(
    owned: TestOrganization, mail_server: MailServer, channel: Channel
) -> None:
    server, start = owned.server, now()
    owned.change(monthly_budget_usd=Decimal(1))
    create_call(owned, cost_usd=Decimal("0.9"))
    check(server, mail_server, start + MINUTE)
    create_call(owned, cost_usd=Decimal("0.2"))
    check(server, mail_server, start + 2 * MINUTE)
    owned.change(monthly_budget_usd=Decimal(9))
    check(server, mail_server, start + 3 * MINUTE)
    lines = [line for message in channel.messages for line in message.splitlines()]
    assert [line.partition(": ")[2].partition(".")[0] for line in lines] == [
        "This month's budget is nearly used up",
        "Budget reached: calls are refused",
        "Over: Budget reached: calls are refused",
    ]


def test_without_a_mail_server_the_page_shows_the_alert(
    start_server: StartServer, alice: TestOrganization, mail_server: MailServer
) -> None:
    server = start_server()
    person = create_user(server, "asha@alice.example.org", Role.OWNER, alice.slug)
    assert person.sign_in().status_code == 302
    create_call(alice)
    fail_all(alice, "model_not_found")
    check_alerts(server.app)
    page = person.get("/console/organizations/alice/").text
    assert "OpenAI no longer offers a model that you use" in page
    with server.app.app_context(), transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(OutgoingEmail)) == 0


def test_more_than_a_fifth_of_ten_calls_within_a_quarter_of_an_hour_fail(alice: TestOrganization) -> None:
    for _ in range(8):
        create_call(alice)
    for _ in range(2):
        fail_all(alice, "upstream_error")
    assert codes_now(alice) == set()
    fail_all(alice, "upstream_error", at=now() - timedelta(minutes=16))
    assert codes_now(alice) == set()
    fail_all(alice, "upstream_error")
    assert codes_now(alice) == {AlertCode.FAILING_NOW}


@pytest.mark.both_databases
def test_glific_refuses_until_it_accepts_an_answer_again(alice: TestOrganization) -> None:
    create_delivery(alice, "undelivered", ended_at=now() - MINUTE, last_response="Glific refused the login")
    assert codes_now(alice) == {AlertCode.GLIFIC_REFUSED}
    create_delivery(alice, "delivered")
    assert codes_now(alice) == set()


@pytest.mark.both_databases
def test_a_model_that_never_answered_is_not_retired(alice: TestOrganization) -> None:
    fail_all(alice, "model_not_found", model_asked="gpt-wrong")
    assert codes_now(alice) == set()
    create_call(alice, model_asked="gpt-5", fallback_reason="model_not_found")  # by the fallback model alone
    assert codes_now(alice) == set()
    create_call(alice, model_asked="gpt-5")
    assert codes_now(alice) == {AlertCode.MODEL_RETIRED}


def test_a_model_that_answered_before_is_retired(alice: TestOrganization) -> None:
    create_call(alice, model_asked="gpt-4o-old")
    assert codes_now(alice) == set()
    fail_all(alice, "model_not_found", model_asked="gpt-4o-old")
    assert codes_now(alice) == {AlertCode.MODEL_RETIRED}


@pytest.mark.both_databases
def test_only_organizations_with_news_are_read(server: RunningServer, alice: TestOrganization) -> None:
    quiet, off, late = (server.add_organization(slug) for slug in ("quiet", "off", "late"))
    create_call(quiet, at=now() - HOUR)
    create_call(off)
    off.change(is_active=False)
    create_call(alice)
    create_delivery(late, "undelivered", at=now() - 5 * HOUR)
    with server.app.app_context(), reading() as session:
        expected = {store.find(session, organization.slug).id for organization in (alice, late)}
        assert set(conditions.list_candidates(session)) == expected


@pytest.mark.both_databases
def test_an_announced_alert_of_a_deleted_organization_is_forgotten(
    server: RunningServer, mail_server: MailServer
) -> None:
    with server.app.app_context(), transaction() as session:
        session.add(AlertState(organization_id=999, code="key_refused"))
    check(server, mail_server)
    with server.app.app_context(), transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).where(AlertState.organization_id == 999)) == 0
