"""Forms refuse unexpected files and JSON."""

from typing import Any

import pytest

from tests.console.addresses import Address, list_addresses
from tests.console.users import ConsoleUser
from tests.support.server import RunningServer

NOT_FORMS: list[dict[str, Any]] = [
    {"files": dict.fromkeys(("name", "email", "api_key", "question", "phrase", "label"), ("notes.txt", b"hi"))},
    {"json": {"name": 1, "email": 2, "api_key": ["sk-"], "question": {}}},
]


def forms(server: RunningServer) -> list[Address]:
    known = list_addresses(server.app, slug="alice", call_id="call_0", token_id=1, user_id=1, token="nonsense")
    return [page for page in known if page.method == "POST" and page.endpoint.startswith("console.")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("sent", NOT_FORMS, ids=["files", "json"])
def test_unexpected_files_and_json_are_refused(
    server: RunningServer, administrator: ConsoleUser, sent: dict[str, Any]
) -> None:
    token = {"X-CSRFToken": administrator.token("/console/account/")}
    pages = forms(server)
    assert len(pages) > 20
    for page in pages:
        answer = administrator.client.post(server.url + page.path, headers=token, **sent)
        assert (answer.status_code, "accepts only forms" in answer.text) == (415, True), page
