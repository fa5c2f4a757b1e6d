"""Log lines: format, redaction, and an output that cannot be written."""

import io
import json
import logging as python_logging
import subprocess
import sys

import pytest
import structlog

from glific_gpt import logging
from glific_gpt.durable.dbos_internals import configure_dbos_logging


def test_a_line_is_json_without_secrets(capfd: pytest.CaptureFixture[str]) -> None:
    logging.configure()
    structlog.get_logger().info("saved", key="sk-proj-0123456789", count=1)
    line = json.loads(capfd.readouterr().err)
    assert (line["event"], line["level"], line["key"], line["count"]) == ("saved", "info", "[hidden]", 1)


def test_a_set_up_token_is_hidden_except_in_the_line_that_shows_it(capfd: pytest.CaptureFixture[str]) -> None:
    logging.configure()
    link = "https://gpt.example.org/console/set-up?token=ggs_Imx.aSs-c_A.9-_z"
    structlog.get_logger().info("saved", hidden=link, shown=logging.Unredacted(link))
    line = json.loads(capfd.readouterr().err)
    assert line["hidden"] == "https://gpt.example.org/console/set-up?token=[hidden]"
    assert line["shown"] == link


INVISIBLE = "\x00\x1b\x7f\x85\x9b\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\ud800\U000e0041"


def test_control_characters_and_marks_of_direction_are_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    logging.configure()
    structlog.get_logger().info("saved", name=f"सेवा{INVISIBLE}", nested=[INVISIBLE])
    written = capfd.readouterr().err
    assert not set(INVISIBLE) & set(written)
    assert "सेवा" in written
    assert json.loads(written)["name"] == f"सेवा{INVISIBLE}"
    assert len(written.splitlines()) == 1


def test_lines_of_libraries_are_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    logging.configure()
    library = python_logging.getLogger("library")
    library.error("bad\u202evalue\x9b\ud800")
    assert json.loads(capfd.readouterr().err)["event"] == "bad\u202evalue\x9b\ud800"


def test_a_closed_output_raises_nothing() -> None:
    closed = io.StringIO()
    closed.close()
    output = logging._SafeOutput(closed)
    output.write("saved")
    output.flush()


def test_a_traceback_of_dbos_is_not_logged() -> None:
    """The message of an exception can contain a contact's text."""
    configure_dbos_logging()
    output = io.StringIO()
    handler = python_logging.StreamHandler(output)
    logger = python_logging.getLogger("dbos")
    logger.addHandler(handler)
    try:
        int("Asha Devi asked about malaria")
    except ValueError:
        logger.exception("step_failed")
    finally:
        logger.removeHandler(handler)
    assert output.getvalue() == "step_failed (ValueError)\n"


WRITE_LINES = """
import logging as library
import sys
import structlog
from glific_gpt import logging
logging.configure(sys.argv[1])
for level in ("debug", "info", "warning", "error"):
    getattr(structlog.get_logger(), level)("own")
    getattr(library.getLogger("library"), level)("library")
    getattr(library.getLogger("httpx2"), level)("httpx2")
"""


@pytest.mark.parametrize(
    ("level", "own", "of_libraries", "of_http_client"),
    [
        ("debug", ["debug", "info", "warning", "error"], ["info", "warning", "error"], ["warning", "error"]),
        ("info", ["info", "warning", "error"], ["info", "warning", "error"], ["warning", "error"]),
        ("error", ["error"], ["error"], ["error"]),
        ("critical", [], [], []),
    ],
)
def test_lines_below_the_level_are_not_written(
    level: str, own: list[str], of_libraries: list[str], of_http_client: list[str]
) -> None:
    """Details of libraries are never written: they can contain what people write."""
    command = [sys.executable, "-c", WRITE_LINES, level]
    written = subprocess.run(command, check=True, capture_output=True, text=True).stderr  # noqa: S603 - a constant
    lines = [json.loads(line) for line in written.splitlines()]
    assert [line["level"] for line in lines if line["event"] == "own"] == own
    assert [line["level"] for line in lines if line["event"] == "library"] == of_libraries
    assert [line["level"] for line in lines if line["event"] == "httpx2"] == of_http_client
