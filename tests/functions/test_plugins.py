"""Plugins: an plugin_folder package offers a function, and an invalid plugin stops the start of the server."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from glific_gpt.errors import SettingsError
from glific_gpt.functions import parse_via_chat_gpt
from glific_gpt.functions.registry import Registry
from tests.support import http
from tests.support.openai_behaviours import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import ROOT, SERVER, free_port, start
from tests.support.server import TestOrganization
from tests.support.serving import SECRET_KEY, run_server_processes, to_environment
from tests.support.settings import ENCRYPTION_KEY

pytestmark = pytest.mark.journey

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MODULE = "glific_gpt_summarise.py"
PIP = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
OFFLINE = ("--no-build-isolation", "--no-index")


@pytest.fixture(scope="module")
def plugin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip has plugin_folder the sample plugin."""
    folder = tmp_path_factory.mktemp("plugin")
    # setuptools builds inside the source folder, so the repository must not be that folder.
    source = shutil.copytree(ROOT / "tests" / "sample_plugin", folder / "source")
    subprocess.run([*PIP, *OFFLINE, "--target", str(folder / "installed"), str(source)], check=True)  # noqa: S603 - pip
    return folder / "installed"


@pytest.fixture
def plugin_copy(plugin_folder: Path, tmp_path: Path) -> Path:
    """A copy of that folder, which a test may change."""
    return shutil.copytree(plugin_folder, tmp_path / "copy")


def python_path(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(folder)}


def get_start_error(folder: Path, tmp_path: Path, database_url: str) -> str:
    """Return the error of a server that does not start because of the plugins in this folder."""
    secrets = {"secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY}
    settings = secrets | {"database_url": database_url, "bind": f"127.0.0.1:{free_port()}"}
    with start(SERVER, tmp_path / "log", to_environment(**settings) | python_path(folder)) as program:
        assert program.wait_for_exit() != 0
    assert program.output == ""
    return str(json.loads(program.errors)["detail"])


def summarise(organization: TestOrganization, **body: object) -> httpx2.Response:
    url = organization.url_of("summarise")
    return http.post(url, json=body, headers={"Authorization": f"Bearer {organization.token}"}, timeout=20)


@on_sqlite
def test_an_installed_plugin_answers_webhooks(
    plugin_folder: Path, tmp_path: Path, database_url: str, openai: OpenAIStandIn
) -> None:
    openai.always(answer("A **short** story."))
    settings: dict[str, Any] = {"database_url": database_url, "openai_base_url": openai.base_url}
    with run_server_processes(tmp_path / "log", python_path(plugin_folder), **settings) as server:
        alice = server.add_organization("alice")
        answered = summarise(alice, text="A long story.", sentences="3")
        missing = summarise(alice)
        invalid = summarise(alice, text="A long story.", sentences="three")
        unresolved = summarise(alice, text="@results.story")
        built_in = alice.ask()
        document = http.get(f"{server.url}/api/openapi.json").json()
        recorded = [call["function"] for call in alice.calls()]

    assert answered.status_code == 200
    assert (answered.json()["parsed_msg"], answered.json()["summary"]) == ("A *short* story.", "A *short* story.")
    assert answered.json()["characters"] == len("A long story.")
    assert missing.json()["summary"] == missing.json()["parsed_msg"]
    described = document["paths"]["/webhooks/{slug}/summarise"]["post"]
    assert (described["summary"], described["description"]) == ("Summary", "Summarises a text in a few sentences.")
    content = described["requestBody"]["content"]["application/json"]
    assert content["schema"]["required"] == ["text"]
    assert content["schema"]["properties"]["sentences"]["description"] == "Longest summary, in sentences."
    assert content["example"]["sentences"] == 1
    assert openai.requests[0].api_key == alice.key
    assert openai.requests[0].body["messages"] == [
        {"role": "system", "content": "Summarise the text in at most 3 sentences, in its own language."},
        {"role": "user", "content": "A long story."},
    ]
    assert (missing.json()["error_code"], missing.json()["error"]) == ("invalid_field", "text: this is required.")
    assert invalid.json()["error"].startswith("sentences: ")
    assert unresolved.json()["error_code"] == "unresolved_variable"
    assert built_in.status_code == 200
    assert recorded == ["parse_via_chat_gpt"] + ["summarise"] * 4
    assert len(openai.requests) == 2


@on_sqlite
def test_a_plugin_with_the_name_of_a_built_in_function_stops_the_start(
    plugin_copy: Path, tmp_path: Path, database_url: str
) -> None:
    module = plugin_copy / MODULE
    module.write_text(module.read_text().replace('name="summarise"', 'name="parse_via_chat_gpt"'))
    assert get_start_error(plugin_copy, tmp_path, database_url) == (
        "The plugin glific-gpt-summarise offers a function parse_via_chat_gpt, which exists already. "
        "Uninstall or rename it."
    )


@on_sqlite
def test_a_plugin_that_cannot_be_imported_stops_the_start(plugin_copy: Path, tmp_path: Path, database_url: str) -> None:
    with (plugin_copy / MODULE).open("a") as module:
        module.write("\nraise RuntimeError('sk-proj-secret')\n")
    assert get_start_error(plugin_copy, tmp_path, database_url) == (
        "The plugin glific-gpt-summarise cannot be loaded (RuntimeError). Uninstall or correct it."
    )


def test_a_plugin_that_offers_no_function_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^The plugin summariser does not offer a Function\."):
        Registry().add("summarise", "summariser")


def test_a_function_that_refuses_its_own_example_is_refused() -> None:
    broken = replace(parse_via_chat_gpt.function, name="broken", example={"temperature": 1})
    with pytest.raises(SettingsError, match=r"broken that does not accept its own example \(question_text is empty\."):
        Registry().add(broken, "summariser")
