"""Any mix of calls, modes, models, failures and kills: OpenAI never charges more than the budgets."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from signal import SIGKILL
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from glific_gpt.calls.tables import Delivery
from glific_gpt.database import transaction
from glific_gpt.operations.housekeeping import run_housekeeping
from glific_gpt.organizations.tables import BudgetReservation, MonthlySpend, Organization
from tests.support.deferred import wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import bad_schema, close_connection, server_error, truncate_body
from tests.support.openai_exchange import Exchange
from tests.support.openai_meter import Meter
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.support.serving import ServerProcesses, run_server_processes
from tests.webhooks.assertions import get_code

pytestmark = [pytest.mark.both_databases, pytest.mark.kills]

MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5-mini", "gpt-5.1-codex")
BUDGETS = {"alice": Decimal("0.03"), "bob": Decimal("0.004"), "carol": Decimal("0.3")}
CALLS = 60
CONCURRENT_CALLS = 15
ENDED_CALLS_BEFORE_KILL = 8
"""The server is killed when so many calls of a round have ended."""


class MixedModel:
    """Answers of random length after a random time, and some failures. Every answer is charged, also a lost one."""

    def __init__(self) -> None:
        self.meter = Meter(0)
        self._chance = random.Random(3)  # noqa: S311 - the same mix in each run, apart from the order of threads
        self._lock = threading.Lock()

    def __call__(self, exchange: Exchange) -> None:
        with self._lock:
            wanted = self._chance.choice([1, 100, 1000, 20_000])
            seconds = self._chance.choice([0.0, 0.1, 0.4, 1.5])
            failure = self._chance.choice([None] * 12 + [server_error(), bad_schema(), close_connection()])
            is_lost = self._chance.random() < 0.1
        if failure:
            failure(exchange)
        elif is_lost:  # charged, but the server cannot read it
            self.meter.record(exchange, wanted)
            truncate_body()(exchange)
        else:
            self.meter.answer(exchange, wanted, seconds)


class Servers:
    """A server that is killed and started again."""

    def __init__(self, stack: ExitStack, folder: Path, **settings: Any) -> None:
        self._stack, self._folder, self._settings = stack, folder, settings
        self._starts = 0
        self.running = self._start()

    def restart(self) -> None:
        started = self._start()
        # Organizations know this object.
        self.running.url, self.running.program = started.url, started.program

    def _start(self) -> ServerProcesses:
        self._starts += 1
        folder = self._folder / f"server-{self._starts}"
        return self._stack.enter_context(run_server_processes(folder, is_forked=True, **self._settings))


@pytest.fixture
def servers(tmp_path: Path, database_url: str, openai: OpenAIStandIn) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(
            stack,
            tmp_path,
            database_url=database_url,
            openai_base_url=openai.base_url,
            glific_hosts="127.0.0.1",
            processes=2 if database_url.startswith("postgresql") else 1,
            deadline_seconds=1.0,
        )


def random_calls() -> list[tuple[str, str, dict[str, Any]]]:
    """Return organizations, modes and bodies."""
    chance = random.Random(5)  # noqa: S311 - the same calls in each run
    return [
        (
            chance.choice([*BUDGETS]),
            chance.choice(["sync", "sync", "async", "auto"]),
            {
                "question_text": "How is ORS made? " * chance.choice([1, 1, 20]),
                "gpt_model": chance.choice(MODELS),
                "max_tokens": chance.choice([None, 16, 200, 5000]),
                "response_format": chance.choice([None, None, {"type": "json_object"}]),
                "contact": {"id": number},
            },
        )
        for number in range(1, CALLS + 1)
    ]


@pytest.mark.parametrize("kills", [0, 2])
def test_no_mix_of_calls_spends_more_than_the_budget(
    servers: Servers, openai: OpenAIStandIn, glific: GlificStandIn, kills: int
) -> None:
    model, server = MixedModel(), servers.running
    openai.always(model)
    organizations = {slug: server.add_organization(slug, monthly_budget_usd=usd) for slug, usd in BUDGETS.items()}
    for organization in organizations.values():
        organization.connect(glific)
    held_at_kills = dict.fromkeys(BUDGETS, Decimal(0))

    def call(slug: str, mode: str, body: dict[str, Any]) -> str:
        try:
            contact = body["contact"]["id"]
            return get_code(organizations[slug].ask_deferred(mode, **body | {"contact": contact}))
        except httpx2.TransportError:
            return "killed"

    calls, codes = random_calls(), Counter[str]()
    for number in range(kills):
        codes.update(ask_until_kill(calls[number :: kills + 1], call, servers, model.meter))
        for slug, organization in organizations.items():
            held_at_kills[slug] += held_by(organization)
        servers.restart()
    with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
        codes.update(pool.map(lambda each: call(*each), calls[kills :: kills + 1]))
    wait_until(lambda: is_settled(server), seconds=120)
    for slug, organization in organizations.items():
        spent, charged = spend_of(organization), model.meter.spent(organization.key)
        assert spent <= BUDGETS[slug], slug
        # A killed process cannot tell what OpenAI has charged for its calls.
        assert charged <= spent + held_at_kills[slug], slug
    assert all(charge.limit for charge in model.meter.charges)
    assert {"ok", "pending", "budget_exceeded"} <= codes.keys(), codes
    assert ("killed" in codes) is (kills > 0), codes
    assert len(model.meter.charges) > 10


def ask_until_kill(
    calls: list[tuple[str, str, dict[str, Any]]], call: Callable[..., str], servers: Servers, meter: Meter
) -> list[str]:
    """Start the calls, kill the server while some are in flight, and return the codes of their replies."""
    with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
        replies = [pool.submit(call, *each) for each in calls]
        wait_until(lambda: sum(each.done() for each in replies) >= ENDED_CALLS_BEFORE_KILL)
        servers.running.program.send_all(SIGKILL)
        meter.lose_connections()
    return [each.result() for each in replies]


def held_by(organization: TestOrganization) -> Decimal:
    """Return the amount that is reserved for the organization's calls."""
    with organization.server.app.app_context(), transaction() as session:
        query = select(BudgetReservation.usd).join(Organization, Organization.id == BudgetReservation.organization_id)
        return sum(session.scalars(query.where(Organization.slug == organization.slug)), Decimal(0))


def is_settled(server: ServerProcesses) -> bool:
    """Give back the money of killed calls, and report whether every call has ended."""
    run_housekeeping(server.app)
    with server.app.app_context(), transaction() as session:
        waiting = session.scalar(select(func.count()).where(Delivery.state == "waiting"))
        return not waiting and not session.scalar(select(func.count()).select_from(BudgetReservation))


def spend_of(organization: TestOrganization) -> Decimal:
    with organization.server.app.app_context(), transaction() as session:
        query = select(MonthlySpend.usd).join(Organization, Organization.id == MonthlySpend.organization_id)
        return sum(session.scalars(query.where(Organization.slug == organization.slug)), Decimal(0))
