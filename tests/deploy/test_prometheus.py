"""The alerts and the dashboard use metrics that exist, and each alert has its instructions in the documentation."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from glific_gpt.metrics.instruments import CALL_BUCKETS
from tests.conftest import StartServer
from tests.support.metrics import get, metered
from tests.support.openai_behaviours import refuse_key
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.platforms import require_program
from tests.support.programs import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"
PAGE = ROOT / "docs" / "monitoring.md"
METRIC = re.compile(r"\bglific_gpt_[a-z_]+")
JOB = "glific_gpt"

RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]


def headings(page: Path) -> dict[str, str]:
    """Return the text below each heading, by the heading's name in a link."""
    parts = re.split(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    links = (re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in parts[1::2])
    return dict(zip(links, parts[2::2], strict=True))


def expressions() -> list[str]:
    """Return every expression of the alerts and the dashboard."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [rule["expr"] for rule in RULES] + [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.fixture
def exposed(start_server: StartServer, openai: OpenAIStandIn, tmp_path: Path) -> set[str]:
    """Names of the samples of a server that has answered calls."""
    server = start_server(**metered(tmp_path))
    alice = server.add_organization("alice")
    alice.ask()
    openai.will(refuse_key())
    alice.ask()
    page = get(server.url)[1]
    return {line.split("{")[0].split()[0] for line in page.splitlines() if line and not line.startswith("#")}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_metrics_of_alerts_and_dashboard_exist(exposed: set[str]) -> None:
    used = {name for expression in expressions() for name in METRIC.findall(expression)} - {JOB}
    assert len(used) > 20
    assert used - exposed == set()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_every_metric_is_described(exposed: set[str]) -> None:
    described = set(METRIC.findall(PAGE.read_text()))
    metrics = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exposed}
    assert metrics - described == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_where_to_read_what_to_do(rule: dict[str, Any]) -> None:
    page, _, heading = rule["annotations"]["runbook_url"].partition("#")
    assert ROOT / page == PAGE
    assert len(headings(PAGE)[heading].split()) > 20
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["labels"]["severity"] in {"critical", "warning"}


def test_no_instructions_are_for_an_alert_that_is_gone() -> None:
    names = {rule["alert"].lower() for rule in RULES}
    assert {heading for heading in headings(PAGE) if heading.startswith("glificgpt")} == names


def test_the_panels_of_the_dashboard_have_units_and_do_not_overlap() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] and panel["fieldConfig"]["defaults"]["unit"] for panel in panels)
    cells = [
        (x, y)
        for position in (panel["gridPos"] for panel in panels)
        for x in range(position["x"], position["x"] + position["w"])
        for y in range(position["y"], position["y"] + position["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_the_five_seconds_of_glific_are_a_line() -> None:
    (panel,) = [each for each in json.loads(DASHBOARD.read_text())["panels"] if each["title"] == "Time of calls"]
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["custom"]["thresholdsStyle"] == {"mode": "line"}
    assert defaults["thresholds"]["steps"][-1]["value"] == 5
    assert 5 in CALL_BUCKETS


def test_promtool_accepts_the_alerts_and_their_tests() -> None:
    promtool = require_program("promtool", "prometheus")
    for command in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")):
        result = subprocess.run([promtool, *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False)  # noqa: S603
        assert result.returncode == 0, result.stdout + result.stderr


def test_every_alert_is_tested_when_it_fires_and_when_it_does_not() -> None:
    cases = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    tested = {(rule["alertname"], "exp_alerts" in rule) for case in cases for rule in case["alert_rule_test"]}
    assert tested == {(rule["alert"], fires) for rule in RULES for fires in (True, False)}


def test_promtool_accepts_the_example_of_a_configuration(tmp_path: Path) -> None:
    promtool = require_program("promtool", "prometheus")
    (tmp_path / "token").touch()
    text = (PROMETHEUS / "prometheus.yml").read_text()
    named = re.sub(r"(credentials_file: ).*", rf"\1{tmp_path / 'token'}", text)
    (tmp_path / "prometheus.yml").write_text(named)
    (tmp_path / "alerts.yml").write_bytes((PROMETHEUS / "alerts.yml").read_bytes())
    command = [promtool, "check", "config", str(tmp_path / "prometheus.yml")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    assert result.returncode == 0, result.stdout + result.stderr
