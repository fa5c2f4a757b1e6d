"""A process opens no more connections to PostgreSQL than its limit, and continues if PostgreSQL allows fewer."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from glific_gpt.database.connection_shares import MIN_CONNECTIONS, share_out
from tests.support.database_faults import limited_role
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.serving import run_server_processes

CALLS = 60

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.mark.parametrize("connections", [*range(MIN_CONNECTIONS, 60), 100, 1000])
def test_all_connections_but_one_are_shared_out_and_each_pool_has_one(connections: int) -> None:
    shares = share_out(connections)
    assert sum(shares) == connections - 1
    assert min(shares) >= 1


def count_connections(url: str) -> int:
    """Return the number of connections of the URL's role."""
    target = sa.make_url(url)
    engine = sa.create_engine(target.set(username="postgres"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        query = sa.text("SELECT count(*) FROM pg_stat_activity WHERE usename = :name")
        return connection.scalar(query, {"name": target.username}) or 0


@on_postgresql
@pytest.mark.parametrize(
    ("limit", "setting"),
    [
        pytest.param(100, 8, id="as many as it may open"),
        pytest.param(8, 40, id="fewer"),
    ],
)
def test_a_server_serves_with_the_connections_that_it_gets(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn, glific: GlificStandIn, limit: int, setting: int
) -> None:
    openai.always(answer("Sugar and salt."))
    with (
        limited_role(database_url, limit) as url,
        run_server_processes(
            tmp_path / "log",
            {"GLIFIC_GPT_DATABASE_URL": url},
            database_url=database_url,
            is_forked=True,
            database_connections=setting,
            openai_base_url=openai.base_url,
            glific_hosts="127.0.0.1",
        ) as server,
    ):
        alice = server.add_organization("alice")
        alice.connect(glific)
        # Each pool has a connection then. The others are opened when calls need them.
        assert alice.wait_for_delivery(alice.ask_deferred().json()["call_id"]).state == "delivered"
        with ThreadPoolExecutor(CALLS) as pool:
            sync = [pool.submit(alice.ask) for _ in range(CALLS // 2)]
            deferred = [pool.submit(alice.ask_deferred, contact=number) for number in range(1, CALLS // 2)]
        assert {each.result().status_code for each in [*sync, *deferred]} == {200}, server.program.errors
        # The pools never close connections, so this is the largest number.
        assert count_connections(url) <= min(limit, setting)
        for each in deferred:
            assert alice.wait_for_delivery(each.result().json()["call_id"]).state == "delivered"
