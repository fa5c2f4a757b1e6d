"""E-mails of servers and workers in separate processes, which are killed meanwhile."""

from datetime import timedelta
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
import sqlalchemy as sa

from glific_gpt.accounts.tables import Role
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.emails.smtp import Email
from glific_gpt.emails.tables import OutgoingEmail
from tests.calls.test_retry import fail_all_workflows
from tests.console.invitations import find_link
from tests.console.users import create_user
from tests.support.deferred import wait_until
from tests.support.mail_server import LINK, MailServer
from tests.support.programs import WORKER, free_port, start
from tests.support.server import RunningServer
from tests.support.serving import SECRET_KEY, open_database, run_server_processes, to_environment
from tests.support.settings import ENCRYPTION_KEY

pytestmark = pytest.mark.both_databases

FORGOTTEN, MEMBERS = "/console/account/forgotten", "/console/organizations/alice/members"
EMAIL = "asha@example.org"
FAILOVER_SECONDS = 30


def mail_settings(database_url: str, mail_url: str) -> dict[str, Any]:
    return {"database_url": database_url, "mail_url": mail_url, "mail_from": "gpt@example.org"}


def add_owner(server: RunningServer) -> None:
    """Create an organization with an owner who has a password."""
    server.add_organization("alice", key="")
    create_user(server, EMAIL, Role.OWNER, "alice").client.close()


def request_link(server: RunningServer) -> None:
    person = create_user(server, "admin@example.org")
    with person.client:
        answer = person.post(FORGOTTEN, {"email": EMAIL}, page=FORGOTTEN)
    assert "an e-mail with a link is on its way" in answer.text


def test_an_e_mail_survives_a_kill_between_the_request_and_the_sending(
    tmp_path: Path, database_url: str, mail_server: MailServer
) -> None:
    settings = mail_settings(database_url, mail_server.url)
    with run_server_processes(tmp_path / "killed", is_forked=True, **settings) as server:
        add_owner(server)
        request_link(server)
        server.program.send_all(SIGKILL)
        server.program.process.wait()
    assert mail_server.messages.empty()
    with run_server_processes(tmp_path / "next", is_forked=True, **settings):
        message = mail_server.next_message(FAILOVER_SECONDS)
    assert message["To"] == EMAIL
    assert LINK.search(message.get_content())


def test_an_e_mail_survives_a_kill_and_an_outage_of_the_mail_server(tmp_path: Path, database_url: str) -> None:
    port = free_port()
    settings = mail_settings(database_url, f"smtp://127.0.0.1:{port}")
    with run_server_processes(tmp_path / "killed", is_forked=True, **settings) as server:
        add_owner(server)
        request_link(server)
        wait_until(lambda: "email_delayed" in server.program.errors)
        server.program.send_all(SIGKILL)
        server.program.process.wait()
    mail_server = MailServer(port)
    try:
        with run_server_processes(tmp_path / "next", is_forked=True, **settings) as server:
            assert mail_server.next_message(FAILOVER_SECONDS)["To"] == EMAIL
            wait_until(lambda: "email_sent" in server.program.errors)
            assert EMAIL not in server.program.errors
    finally:
        mail_server.close()


def test_an_e_mail_whose_work_was_lost_is_sent_by_the_next_process(
    tmp_path: Path, database_url: str, mail_server: MailServer
) -> None:
    settings = mail_settings(database_url, mail_server.url)
    with open_database(**settings, encryption_keys=ENCRYPTION_KEY) as server:
        with server.app.app_context(), transaction() as session:
            server.services.outbox.send(session, Email(EMAIL, "Your link", "A text"), now() + timedelta(days=3))
            session.execute(sa.update(OutgoingEmail).values(enqueued_at=now() - timedelta(minutes=2)))
        fail_all_workflows(server)
    with run_server_processes(tmp_path / "log", is_forked=True, **settings) as processes:
        assert mail_server.next_message(FAILOVER_SECONDS)["To"] == EMAIL
        assert "email_requeued" in processes.program.errors


def test_a_worker_alone_sends_the_e_mails_of_servers(
    tmp_path: Path, database_url: str, mail_server: MailServer
) -> None:
    settings = mail_settings(database_url, mail_server.url) | {"worker": "separate"}
    with run_server_processes(tmp_path / "server", is_forked=True, **settings) as server:
        add_owner(server)
        owner = create_user(server, "admin@example.org")
        with owner.client:
            assert owner.sign_in().status_code == 302
            answer = owner.post(MEMBERS, {"email": "ravi@example.org", "role": "viewer"})
        assert "The link is also on its way by e-mail." in answer.text
        with pytest.raises(AssertionError):
            mail_server.next_message(2)
        environ = to_environment(secret_key=SECRET_KEY, encryption_keys=ENCRYPTION_KEY, **settings)
        with start(WORKER, tmp_path / "worker", environ, is_forked=True) as worker:
            message = mail_server.next_message(FAILOVER_SECONDS)
            wait_until(lambda: "email_sent" in worker.errors)
        assert "email_sent" not in server.program.errors
    assert message["To"] == "ravi@example.org"
    found = LINK.search(message.get_content())
    assert found
    assert found[0].endswith(find_link(answer))
