"""compose.yaml and its proxy: valid, complete, and with programs that exist."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from tests.deploy.files import DEPLOY, check, create_env, require_program
from tests.support.apps import create_app
from tests.support.settings import create_settings

APP_SERVICES = ("migrate", "server", "worker", "backup")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    """A copy of deploy/ with settings, as `make env` creates them."""
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    create_env(tmp_path / "deploy")
    return tmp_path / "deploy"


def test_docker_compose_accepts_it(configured: Path) -> None:
    program = require_program("docker-compose")
    shown = check(program, "--file", configured / "compose.yaml", "config", PATH=os.environ["PATH"])
    services: dict[str, Any] = yaml.safe_load(shown)["services"]
    environment = services["server"]["environment"]
    assert environment["GLIFIC_GPT_PUBLIC_URL"] == "https://gpt.example.org"
    assert services["proxy"]["environment"] == {"SITE_ADDRESS": "gpt.example.org"}
    assert services["db"]["environment"]["POSTGRES_PASSWORD"] == environment["POSTGRES_PASSWORD"]


def test_caddy_accepts_its_file(tmp_path: Path) -> None:
    program = require_program("caddy")
    environ = {"SITE_ADDRESS": "gpt.example.org", "HOME": str(tmp_path)}
    check(program, "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile", **environ)


@pytest.mark.parametrize("name", APP_SERVICES)
def test_our_own_services_have_few_rights(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["env_file"] == ".env"


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["proxy"]


def test_nothing_starts_before_the_migrations_have_run() -> None:
    for name in ("server", "worker", "backup"):
        assert COMPOSE["services"][name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert COMPOSE["services"]["migrate"]["restart"] == "no"


@pytest.mark.parametrize("name", ["migrate", "worker"])
def test_a_command_exists(name: str) -> None:
    program, *words = COMPOSE["services"][name]["command"]
    assert program == "flask"
    found: Any = create_command_app().cli
    for word in words:
        found = found.commands[word]


def create_command_app() -> Flask:
    return create_app(create_settings(database_url="sqlite:///unused.db"))


def test_the_backup_runs_a_script_of_the_image() -> None:
    *_, script = COMPOSE["services"]["backup"]["command"]
    assert "deploy/backup.sh /backups" in script
    assert "COPY deploy/backup.sh deploy/backup.sh" in (DEPLOY / "Dockerfile").read_text()
