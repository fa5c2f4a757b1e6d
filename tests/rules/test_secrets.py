"""No secret and no personal data appears in the database, in logs, in responses, or in the text of an object."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from glific_gpt.calls import tenant as tenants
from glific_gpt.clock import Deadline
from glific_gpt.database import transaction
from glific_gpt.organizations.credentials.providers import OpenAiFields
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from tests.rules.secrets_scenario import Scenario, run_scenario
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import free_port
from tests.support.server import RunningServer, TestOrganization
from tests.support.serving import SECRET_KEY, run_server_processes
from tests.support.settings import ENCRYPTION_KEY

pytestmark = pytest.mark.journey

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def scenario(tmp_path: Path, database_url: str, openai: OpenAIStandIn, glific: GlificStandIn) -> Iterator[Scenario]:
    """A running server after the whole scenario of two organizations."""
    settings: dict[str, Any] = {
        "database_url": database_url,
        "openai_base_url": openai.base_url,
        "glific_hosts": "127.0.0.1",
        "mail_url": f"smtp://127.0.0.1:{free_port()}",
        "mail_from": "gpt@example.org",
    }
    with run_server_processes(tmp_path / "log", is_forked=True, **settings) as server:
        scenario = Scenario(server, openai, glific, [SECRET_KEY, ENCRYPTION_KEY])
        run_scenario(scenario)
        yield scenario


def stored(url: str) -> bytes:
    """Return the whole database: SQLite's files with those beside them, or all rows of PostgreSQL as text."""
    target = sa.make_url(url)
    if target.database and target.get_backend_name() == "sqlite":
        path = Path(target.database)
        beside = [found for shape in ("*", "*/**/*") for found in path.parent.glob(path.name + shape)]
        files = [found for found in beside if found.is_file()]
        assert {file.suffix for file in files} >= {".db", ".db-shm", ".db-wal"}
        return b"".join(file.read_bytes() for file in files)
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        rows = [row for table in tables for row in connection.scalars(sa.text(f"SELECT t::text FROM {table} t"))]  # noqa: S608
    engine.dispose()
    return "\n".join(rows).encode()


def found(secrets: list[str], text: str) -> list[str]:
    """Return the secrets that the text contains, plain or escaped as in JSON."""
    return [secret for secret in set(secrets) if secret in text or json.dumps(secret)[1:-1] in text]


def test_no_secret_is_in_the_database_in_logs_or_in_responses(
    scenario: Scenario, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    database = stored(database_url).decode(errors="replace")
    logs = scenario.server.program.output + scenario.server.program.errors + "".join(capfd.readouterr())
    responses = "\n".join(
        [
            *scenario.responses,
            str(scenario.flask("calls", "list", "alice")),
            str(scenario.flask("calls", "list", "bob")),
        ]
    )
    responses += str(scenario.flask("audit", "list", "--limit", "1000"))

    for text in (database, logs, responses):
        assert found(scenario.secrets, text) == []
    assert len(set(scenario.secrets)) > 20
    assert len(scenario.glific.logins) == 2
    assert "parse_via_chat_gpt" in database
    assert '"organization": "alice"' in logs
    assert "mail_" in database
    assert responses.count("call_id") > 10
    assert responses.count("credential_saved") == 2


@on_sqlite
def test_the_text_of_an_object_does_not_contain_its_secrets(server: RunningServer, alice: TestOrganization) -> None:
    alice.set_phrase("a phrase of alice and glific")
    app = server.services
    with server.app.app_context():
        tenant = tenants.find_tenant("alice", "open_ai", alice.token)
        with transaction() as session:
            row = session.scalars(sa.select(Credential)).one()
    assert tenant is not None
    assert tenant.ciphertext
    assert tenant.signature_phrase
    fields = OpenAiFields(api_key=SecretStr(alice.key))
    bound = app.model_provider.bind(fields, "gpt-4o", Deadline.after(1))

    objects = (
        app,
        app.settings,
        app.vault,
        app.pipeline,
        app.model_provider,
        tenant,
        fields,
        bound,
        row,
    )
    text = "".join(f"{each!r} {each}" for each in objects)
    ciphertexts = [tenant.ciphertext, tenant.signature_phrase]
    assert found([alice.key, alice.token, ENCRYPTION_KEY, "made-up-for-tests", *ciphertexts], text) == []
    assert "alice and glific" not in text


def test_a_key_that_is_copied_to_another_organization_cannot_be_used(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    with server.app.app_context(), transaction() as session:
        credentials = sa.select(Credential).join(Organization, Organization.id == Credential.organization_id)
        of_alice, of_bob = session.scalars(credentials.order_by(Organization.slug))
        of_bob.ciphertext = of_alice.ciphertext
    reply = bob.ask()
    assert (reply.status_code, reply.json()["error_code"]) == (503, "not_ready")
    assert openai.requests == []
    assert alice.ask().status_code == 200


def test_a_secret_that_is_copied_to_another_purpose_cannot_be_used(
    server: RunningServer, alice: TestOrganization
) -> None:
    alice.set_phrase("a phrase of alice and glific")
    with server.app.app_context(), transaction() as session:
        organization = session.scalars(sa.select(Organization)).one()
        session.scalars(sa.select(Credential)).one().ciphertext = organization.signature_phrase or ""
    assert alice.ask().json()["error_code"] == "not_ready"
