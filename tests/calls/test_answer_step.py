"""The step that gets the answer of a deferred call, in two processes at the same time."""

from decimal import Decimal

import sqlalchemy as sa

from glific_gpt.database import transaction
from glific_gpt.organizations.tables import MonthlySpend
from tests.support.deferred import create_connected_organization, pending_call_id
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer


def test_the_budget_is_settled_once(server: RunningServer, openai: OpenAIStandIn, glific: GlificStandIn) -> None:
    alice = create_connected_organization(server, glific)
    alice.change(monthly_budget_usd="10")
    call_id = pending_call_id(alice.ask_deferred())
    spent: list[Decimal | None] = []

    def run_step() -> None:
        with server.app.app_context():
            server.services.deferred_workflow.answer.run(call_id)
            with transaction() as session:
                spent.append(session.scalar(sa.select(MonthlySpend.usd)))

    def run_step_again(exchange: Exchange) -> None:
        run_step()
        answer("Second answer.")(exchange)

    openai.will(run_step_again)
    run_step()
    assert len(openai.requests) == 2
    assert spent[0]
    assert spent[1] == spent[0]
