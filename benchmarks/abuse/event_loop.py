"""Attacks on the event loop: calls whose work blocks it, so that nobody else is answered."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import sqlalchemy as sa

from benchmarks.abuse.setting import ATTACKERS, Measured, Setting, key_of
from benchmarks.webhook_calls import Caller, send_together
from tests.support.openai_answers import answer
from tests.support.openai_exchange import Behaviour
from tests.support.openai_stand_in import OpenAIStandIn

SECONDS = 4.0
"""How long an attack is repeated."""
UPSTREAM_SECONDS = 3.0
PATTERNS = [f"*{number}" + "*a" * 97 for number in range(1000)]
MARKDOWN = "![" * 4096


def measure_encoded_mode(setting: Setting) -> Measured:
    """Send five calls at once whose mode is encoded, while OpenAI takes three seconds."""
    attacker = replace(setting.attacker, mode="auto", parameter="m%6fde")
    return _attack(setting, attacker, 5, answer("ok", after=UPSTREAM_SECONDS))


def measure_patterns(setting: Setting) -> Measured:
    """Send four calls at once of an organization with a thousand patterns of a hundred stars."""
    with _allowlist(setting, ATTACKERS[0], PATTERNS):
        return _attack(setting, replace(setting.attacker, model="a" * 200), 4, answer("ok"))


def measure_markdown(setting: Setting) -> Measured:
    """Send twenty calls at once whose answers begin 4,096 images in Markdown."""
    return _attack(setting, setting.attacker, 20, answer(MARKDOWN))


def _attack(setting: Setting, attacker: Caller, calls: int, behaviour: Behaviour) -> Measured:
    """Send so many calls at once, again and again."""
    with OpenAIStandIn() as openai:
        openai.always(answer("ok"))
        openai.for_key(key_of(ATTACKERS[0]), behaviour)
        with setting.observed(openai.base_url) as measured:
            until, contact = time.monotonic() + SECONDS, 1000
            while time.monotonic() < until:
                measured.add(asyncio.run(send_together([attacker], calls, contact)))
                contact += calls
    return measured


@contextmanager
def _allowlist(setting: Setting, slug: str, patterns: list[str]) -> Iterator[None]:
    """Store a list that is longer than the limits, as it could be stored before there were any."""
    organizations = sa.table(
        "organizations", sa.column("slug"), sa.column("allowed_models", sa.JSON(none_as_null=True))
    )
    engine = sa.create_engine(setting.url)
    change = sa.update(organizations).where(organizations.c.slug == slug)
    with engine.begin() as connection:
        connection.execute(change.values(allowed_models=patterns))
    yield
    with engine.begin() as connection:
        connection.execute(change.values(allowed_models=None))
    engine.dispose()
