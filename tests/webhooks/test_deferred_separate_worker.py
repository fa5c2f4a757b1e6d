"""GLIFIC_GPT_WORKER=separate: a worker process answers deferred calls, and personal data is stored encrypted only."""

import json
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.deferred import (
    create_connected_organization,
    find_call,
    pending_call_id,
    respond_first,
    resumed_result,
)
from tests.support.glific_behaviours import errors, server_error
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import WORKER, start
from tests.support.server import TestOrganization
from tests.support.serving import SECRET_KEY, ServerProcesses, run_server_processes, to_environment
from tests.support.settings import ENCRYPTION_KEY

pytestmark = [pytest.mark.both_databases, pytest.mark.kills]

PERSONAL_DATA = (
    "Asha Devi",
    "919876543210",
    "Rampur-Khurd",
    "malaria-in-my-village",
    "Speak-like-a-nurse",
    "Take-this-pill",
)
CIPHERTEXT = "gAAAA"
TAKEOVER_SECONDS = 60.0
"""Time for a worker to start, notice a killed process and answer, on a busy machine."""


@pytest.fixture
def settings(database_url: str, openai: OpenAIStandIn) -> dict[str, Any]:
    secrets = {"secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY}
    defaults = {"database_url": database_url, "openai_base_url": openai.base_url, "glific_hosts": "127.0.0.1"}
    return defaults | secrets | {"worker": "separate"}


@pytest.fixture
def server(tmp_path: Path, settings: dict[str, Any]) -> Iterator[ServerProcesses]:
    with run_server_processes(tmp_path / "server", is_forked=True, deadline_seconds=1, **settings) as server:
        yield server


@pytest.fixture
def alice(server: ServerProcesses, glific: GlificStandIn) -> TestOrganization:
    return create_connected_organization(server, glific)


def ask_with_personal_data(organization: TestOrganization, contact: int) -> str:
    """Make a deferred call with all personal data that Glific sends."""
    name, phone, village, question, prompt, _ = PERSONAL_DATA
    body = {
        "question_text": question,
        "prompt": prompt,
        "flow_id": "5",
        "contact": {"id": contact, "name": name, "phone": phone, "fields": {"village": village}},
        "results": {"question_1": {"input": question}},
    }
    return pending_call_id(organization.post(body, query="?mode=async"))


def dump_database(database_url: str) -> dict[str, str]:
    """Return the contents of the database by table, and for SQLite also the bytes of its files."""
    engine = sa.create_engine(database_url)
    contents: dict[str, str] = {}
    with engine.connect() as connection:
        for schema in (None, "dbos") if engine.dialect.name == "postgresql" else (None,):
            for table in sa.inspect(connection).get_table_names(schema):
                name = f"{schema}.{table}" if schema else table
                contents[table] = str([tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {name}"))])  # noqa: S608
    engine.dispose()
    if database_url.startswith("sqlite"):
        path = Path(database_url.removeprefix("sqlite:///"))
        files = [file for file in path.parent.glob(f"{path.name}*") if file.is_file()]
        contents["files"] = " ".join(file.read_bytes().decode(errors="replace") for file in files)
    return contents


WORKFLOW_TABLES = ("workflow_status", "workflow_input", "workflow_output", "operation_outputs")


def require_no_personal_data(text: str) -> None:
    assert [word for word in PERSONAL_DATA if word in text or json.dumps(word)[1:-1] in text] == []


def test_a_worker_answers_accepted_calls_and_personal_data_is_stored_encrypted_only(
    server: ServerProcesses,
    alice: TestOrganization,
    settings: dict[str, Any],
    openai: OpenAIStandIn,
    glific: GlificStandIn,
    tmp_path: Path,
) -> None:
    openai.always(answer(PERSONAL_DATA[-1], after=0.1))
    refused = errors({"key": "flow", "message": PERSONAL_DATA[0]})
    glific.always(respond_first({21: [server_error()], 23: [refused]}))
    url = settings["database_url"]
    calls = {contact: ask_with_personal_data(alice, contact) for contact in (21, 22, 23)}
    before = dump_database(url)
    rows = {contact: alice.delivery(call_id) for contact, call_id in calls.items()}
    assert all(str(row.question).startswith(CIPHERTEXT) and row.answer is None for row in rows.values())
    assert openai.requests == []
    with start(WORKER, tmp_path / "worker", to_environment(**settings), is_forked=True) as worker:
        states = [alice.wait_for_delivery(call_id).state for call_id in calls.values()]
    after = dump_database(url)

    assert states == ["delivered", "delivered", "undelivered"]
    assert resumed_result(glific, 21)["parsed_msg"] == PERSONAL_DATA[-1]
    rows = {contact: alice.delivery(call_id) for contact, call_id in calls.items()}
    assert [row.question for row in rows.values()] == [None] * 3
    assert [bool(row.answer) for row in rows.values()] == [False, False, True]
    assert str(rows[23].answer).startswith(CIPHERTEXT)
    outputs = [server.program.output, server.program.errors, worker.output, worker.errors]
    for text in (*before.values(), *after.values(), *outputs):
        require_no_personal_data(text)
    for text in (state[table] for state in (before, after) for table in WORKFLOW_TABLES):
        assert CIPHERTEXT not in text
    assert CIPHERTEXT in before["deliveries"]
    assert calls[21] in before["workflow_input"]
    assert calls[21] in worker.errors
    assert [find_call(alice, call_id)["status"] for call_id in calls.values()] == ["ok", "ok", "error"]


def test_a_worker_delivers_the_answer_that_the_server_got(
    alice: TestOrganization, settings: dict[str, Any], openai: OpenAIStandIn, glific: GlificStandIn, tmp_path: Path
) -> None:
    openai.always(answer("Sugar and salt.", after=1.5))
    call_id = pending_call_id(alice.ask_deferred("auto"))
    with start(WORKER, tmp_path / "worker", to_environment(**settings), is_forked=True):
        assert alice.wait_for_delivery(call_id, TAKEOVER_SECONDS).state == "delivered"
    assert resumed_result(glific, 21)["parsed_msg"] == "Sugar and salt."
    assert len(openai.requests) == 1


def test_a_worker_takes_over_a_call_of_a_killed_server(
    server: ServerProcesses,
    alice: TestOrganization,
    settings: dict[str, Any],
    openai: OpenAIStandIn,
    glific: GlificStandIn,
    tmp_path: Path,
) -> None:
    openai.will(answer(after=30))
    call_id = pending_call_id(alice.ask_deferred("auto"))
    server.program.send_all(SIGKILL)
    with start(WORKER, tmp_path / "worker", to_environment(**settings), is_forked=True):
        assert alice.wait_for_delivery(call_id, TAKEOVER_SECONDS).state == "delivered"
    assert resumed_result(glific, 21)["status"] == "ok"
