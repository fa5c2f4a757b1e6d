"""An e-mail whose work was lost is enqueued again, and one that no worker sends is logged."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from glific_gpt.clock import now
from glific_gpt.emails.recovery import GRACE_PERIOD, STUCK_AFTER, requeue_orphans
from glific_gpt.operations.housekeeping import run_housekeeping
from tests.calls.test_retry import fail_all_workflows
from tests.emails.conftest import attempt, list_emails, send
from tests.support.deferred import start_worker_in_process, wait_until
from tests.support.mail_server import MailServer
from tests.support.server import RunningServer


def requeue(server: RunningServer, after: timedelta = GRACE_PERIOD * 2) -> None:
    """Enqueue orphaned e-mails, as every process does once a minute."""
    with server.app.app_context(), time_machine.travel(now() + after):
        requeue_orphans(server.services.engine)


def test_an_e_mail_whose_workflow_failed_is_sent(
    server: RunningServer, mail_server: MailServer, capfd: pytest.CaptureFixture[str]
) -> None:
    email_id = send(server)
    fail_all_workflows(server)
    for _ in range(2):
        requeue(server)
    assert len(server.services.engine.list_known(f"{email_id}.")) == 1
    assert capfd.readouterr().err.count("email_requeued") == 1
    start_worker_in_process(server)
    mail_server.next_message()
    wait_until(lambda: not list_emails(server))
    assert mail_server.messages.empty()


class InterruptedEngine:
    """The engine of a server, in which something else happens before the workflows are listed."""

    def __init__(self, server: RunningServer, meanwhile: Callable[[], None]) -> None:
        self._engine, self._meanwhile = server.services.engine, meanwhile

    def list_unfinished(self) -> list[str]:
        unfinished = self._engine.list_unfinished()
        self._meanwhile()
        return unfinished

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def test_only_one_of_several_processes_enqueues_an_e_mail(server: RunningServer) -> None:
    email_id = send(server)
    fail_all_workflows(server)
    engine: Any = InterruptedEngine(server, lambda: requeue(server))
    with server.app.app_context(), time_machine.travel(now() + GRACE_PERIOD * 2):
        requeue_orphans(engine)
    assert len(server.services.engine.list_known(f"{email_id}.")) == 1


def test_e_mails_with_work_and_new_ones_are_left_alone(server: RunningServer) -> None:
    email_id = send(server)
    requeue(server)
    fail_all_workflows(server)
    requeue(server, after=timedelta(0))
    assert server.services.engine.list_known(email_id) == [email_id]


@pytest.mark.parametrize("is_failing", [False, True])
def test_e_mails_that_no_worker_tries_are_logged(
    server: RunningServer, mail_server: MailServer, capfd: pytest.CaptureFixture[str], is_failing: bool
) -> None:
    email_id = send(server)
    run_housekeeping(server.app)
    assert "emails_stuck" not in capfd.readouterr().err
    if is_failing:
        mail_server.close()
        attempt(server, email_id)
    with time_machine.travel(now() + STUCK_AFTER + timedelta(seconds=1)):
        run_housekeeping(server.app)
    assert ("emails_stuck" in capfd.readouterr().err) is not is_failing
