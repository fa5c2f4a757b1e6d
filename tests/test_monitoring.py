"""GET /metrics: who may read it, and what it says about the database, disks and workers."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from glific_gpt import __version__
from glific_gpt.calls.tables import Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.operations import readiness, secret_monitor, worker
from glific_gpt.organizations.credentials.tables import Credential
from tests.conftest import StartServer
from tests.support import http
from tests.support.call_records import create_delivery
from tests.support.metrics import TOKEN, get, metered, scrape
from tests.support.network_faults import FaultyProxy
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer

pytestmark = pytest.mark.both_databases

SQLITE_ONLY = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
POSTGRESQL_ONLY = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def server(start_server: StartServer, tmp_path: Path) -> RunningServer:
    return start_server(**metered(tmp_path))


@SQLITE_ONLY
def test_without_a_token_in_the_settings_there_is_no_such_page(start_server: StartServer) -> None:
    url = start_server().url
    for method in ("GET", "POST"):
        page, missing = (
            http.request(method, url + path, headers={"Authorization": f"Bearer {TOKEN}"})
            for path in ("/metrics", "/no-such-page")
        )
        assert (page.status_code, page.text) == (missing.status_code, missing.text)
        assert page.status_code == 404


@SQLITE_ONLY
def test_a_wrong_token_gets_401(server: RunningServer) -> None:
    for token in (None, "wrong", TOKEN[:-1], f"{TOKEN}x", "Basic"):
        status, text = get(server.url, token)
        assert status == 401
        assert "glific_gpt_" not in text
    response = http.get(f"{server.url}/metrics", headers={b"Authorization": b"Bearer \xff\xfe"})
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")


@SQLITE_ONLY
def test_it_is_text_that_is_not_stored(server: RunningServer) -> None:
    response = http.get(f"{server.url}/metrics", headers={"Authorization": f"bearer {TOKEN}"})
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert response.headers["Cache-Control"] == "no-store"


@SQLITE_ONLY
def test_no_label_names_an_organization_or_secret(server: RunningServer, openai: OpenAIStandIn) -> None:
    alice = server.add_organization("alice")
    alice.ask("Does ORS help?")
    http.post(f"{server.url}/webhooks/bobby/invented", json={})
    page = get(server.url)[1]
    assert "parse_via_chat_gpt" in page
    assert not any(text in page for text in ("alice", "bobby", "invented", "ORS", alice.token, alice.key, TOKEN))


def test_it_says_that_a_server_with_its_database_is_ready(server: RunningServer) -> None:
    found = scrape(server.url)
    assert found.total("build_info", version=__version__) == 1
    assert (found.total("ready"), found.total("database_up")) == (1, 1)
    assert (found.total("deferred_waiting"), found.total("deferred_oldest_seconds")) == (0, 0)
    assert 0 < found.total("disk_free_bytes", folder="temporary") < found.total("disk_size_bytes", folder="temporary")
    assert found.total("sign_in_failures_total") == found.total("event_loop_blocked_total") == 0


def test_it_counts_live_workers(server: RunningServer) -> None:
    assert scrape(server.url).total("workers_live") == 0
    engine = server.services.engine
    worker.launch_engine(server.app, consumes=True)
    assert scrape(server.url).total("workers_live") == 1
    engine.stop(1)
    assert scrape(server.url).total("workers_live") == 0


def test_a_server_that_takes_nothing_from_the_queue_is_no_worker(server: RunningServer) -> None:
    worker.launch_engine(server.app, consumes=False)
    assert scrape(server.url).total("workers_live") == 0


def test_waiting_answers_have_an_age(server: RunningServer) -> None:
    alice = server.add_organization("alice")
    old, new, retried = (create_delivery(alice, "waiting", status="pending") for _ in range(3))
    create_delivery(alice, "delivered")
    with server.app.app_context(), transaction() as session:
        session.get_one(Delivery, old).accepted_at -= timedelta(seconds=100)
        session.get_one(Delivery, new).answered_at = now()
        row = session.get_one(Delivery, retried)
        row.accepted_at, row.delivering_since, row.asked_at = now() - timedelta(days=1), now(), now()
    found = scrape(server.url)
    assert (found.total("deferred_waiting"), found.total("deferred_unasked")) == (3, 1)
    assert 100 <= found.total("deferred_oldest_seconds") < 300
    assert 100 <= found.total("deferred_unasked_oldest_seconds") < 300


@POSTGRESQL_ONLY
def test_connections_to_postgresql_are_compared_with_its_limits(server: RunningServer) -> None:
    found = scrape(server.url)
    assert found.total("database_connections", scope="server") >= 1
    assert found.total("database_connections", scope="server") < found.total(
        "database_connections_limit", scope="server"
    )


@SQLITE_ONLY
def test_the_disk_of_a_sqlite_file_is_measured(server: RunningServer) -> None:
    found = scrape(server.url)
    assert found.total("disk_free_bytes", folder="database") > 0
    assert not found.has("database_connections")


@POSTGRESQL_ONLY
def test_a_silent_database_is_told_in_time(
    start_server: StartServer, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "INTERVAL_SECONDS", 0.0)
    url = sa.make_url(database_url)
    with FaultyProxy(url.host or "127.0.0.1", url.port or 5432) as proxy:
        faulty = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        server = start_server(database_url=faulty, **metered(tmp_path))
        assert scrape(server.url).total("database_up") == 1
        proxy.stop_forwarding()
        found = scrape(server.url)
        assert (found.total("database_up"), found.total("ready")) == (0, 0)
        assert found.total("call_seconds_count") == 0
        assert not found.has("deferred_waiting")


@SQLITE_ONLY
def test_unreadable_secrets_are_counted(server: RunningServer) -> None:
    server.add_organization("alice")
    server.add_organization("bob")
    with server.app.app_context():
        assert secret_monitor.count_unreadable(server.services.vault) == 0
        with transaction() as session:
            (credential, _) = session.scalars(sa.select(Credential)).all()
            credential.ciphertext = "gAAAA"
        assert secret_monitor.count_unreadable(server.services.vault) == 1


@SQLITE_ONLY
def test_long_secrets_are_not_checked_for_the_metrics(server: RunningServer) -> None:
    server.add_organization("alice")
    with server.app.app_context(), transaction() as session:
        session.scalars(sa.select(Credential)).one().ciphertext = "x" * (secret_monitor.MAX_CHARACTERS + 1)
    with server.app.app_context():
        assert secret_monitor.count_unreadable(server.services.vault) == 0
