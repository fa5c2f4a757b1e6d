"""schemathesis tests the OpenAPI document with generated requests and all its checks.

FUZZ_EXAMPLES sets another number of requests for each operation.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.client import client_of
from tests.support import databases
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import run_server
from tests.support.settings import create_settings

pytestmark = pytest.mark.fuzz

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
CONFIGURATION = """
[[operations]]
include-name = "PUT /api/v1/organizations/{slug}/glific"
checks.positive_data_acceptance.expected-statuses = ["2xx", 404, 409, 422]

[[operations]]
include-name = "PUT /api/v1/organizations/{slug}/credentials/{provider}"
checks.positive_data_acceptance.expected-statuses = ["2xx", 404, 409, 422]

[[operations]]
include-name = "DELETE /api/v1/organizations/{slug}/glific"
phases.stateful.enabled = false
"""
"""The document cannot say which hosts are allowed, and which keys belong to them. A new organization has no connection
to delete."""

OPTIONS = ("--checks=all", "--generation-deterministic", "--no-color")


@pytest.mark.timeout(120 + 15 * EXAMPLES)
def test_the_api_conforms_to_its_document(sqlite_template: Path, tmp_path: Path, openai: OpenAIStandIn) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    settings = create_settings(
        database_url=databases.copy_template(sqlite_template, tmp_path),
        openai_base_url=openai.base_url,
        glific_hosts="127.0.0.1",  # not a real Glific
        openai_hosts="127.0.0.1",  # and not OpenAI, whose address is the example in the document
    )
    with run_server(settings) as server:
        server.add_organization("seva-trust")  # the example in the document
        result = subprocess.run(  # noqa: S603 - our own arguments
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/openapi.json"),
                *(f"--header=Authorization: Bearer {client_of(server).token}", f"--max-examples={EXAMPLES}"),
                # The webhook accepts more than the document says: numbers as text, empty fields, unknown keys.
                "--exclude-path-regex=^/webhooks/",
                *OPTIONS,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-1000:]
