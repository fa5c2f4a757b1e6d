"""Documents of the sandbox after a restart."""

from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from glific_gpt.local import sandbox
from glific_gpt.local.kept_documents import KeptDocuments


def run_sandbox(path: Path) -> OpenAI:
    """Return a client of a sandbox that has just been started."""
    return OpenAI(api_key="sk-any", base_url=sandbox.start(KeptDocuments(path)), max_retries=0, timeout=5)


def test_vector_stores_and_their_documents_are_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "documents.json"
    with run_sandbox(path) as client:
        store = client.vector_stores.create(name="Rules")
        file = client.files.create(file=("rules.pdf", b"Apply in May."), purpose="assistants")
        client.vector_stores.files.create(store.id, file_id=file.id)
    assert b"sk-any" not in path.read_bytes()
    with run_sandbox(path) as client:
        assert [(each.id, each.name, each.status) for each in client.vector_stores.list()] == [
            (store.id, "Rules", "completed")
        ]
        tools: Any = [{"type": "file_search", "vector_store_ids": [store.id]}]
        answer = client.responses.create(model="gpt-4o-mini", input="When?", tools=tools)
        assert [item.type for item in answer.output] == ["file_search_call", "message"]
        assert "rules.pdf" in str(answer.output[-1])
        with OpenAI(api_key="sk-other", base_url=client.base_url, max_retries=0) as other:
            assert list(other.vector_stores.list()) == []


def test_the_number_of_a_deleted_file_is_not_used_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "documents.json"
    with run_sandbox(path) as client:
        file = client.files.create(file=("rules.pdf", b"Apply in May."), purpose="assistants")
        client.files.delete(file.id)
    with run_sandbox(path) as client:
        assert client.files.create(file=("new.pdf", b"Apply in June."), purpose="assistants").id != file.id
        assert [each.filename for each in client.files.list()] == ["new.pdf"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "documents.json"
    path.write_text('{"next_number": "many"}')
    with run_sandbox(path) as client:
        assert list(client.vector_stores.list()) == []
    assert str(path) in capsys.readouterr().err
