"""The limit of tokens, when two transactions create one at the same time."""

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for

import pytest

from glific_gpt.database import transaction
from glific_gpt.errors import Conflict
from glific_gpt.organizations import store, tokens
from tests.support.server import RunningServer, TestOrganization


def test_two_transactions_do_not_exceed_the_limit(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 2)  # one exists

    def create() -> None:
        with server.app.app_context(), transaction(timeout=30) as session:
            tokens.create_webhook_token(session, store.find(session, alice.slug), "second")

    with ThreadPoolExecutor() as pool, server.app.app_context():
        with transaction() as session:
            tokens.create_webhook_token(session, store.find(session, alice.slug), "first")
            second: Future[None] = pool.submit(create)
            wait_for([second], timeout=0.5)  # time for the mistake: to count before this transaction has ended
        with pytest.raises(Conflict):
            second.result(timeout=60)
