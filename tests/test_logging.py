"""Log lines: format, redaction, and an output that cannot be written."""

import io
import json

import pytest
import structlog

from glific_gpt import logging


def test_a_line_is_json_without_secrets(capfd: pytest.CaptureFixture[str]) -> None:
    logging.configure()
    structlog.get_logger().info("saved", key="sk-proj-0123456789", count=1)
    line = json.loads(capfd.readouterr().err)
    assert (line["event"], line["level"], line["key"], line["count"]) == ("saved", "info", "[hidden]", 1)


def test_a_closed_output_raises_nothing() -> None:
    closed = io.StringIO()
    closed.close()
    output = logging._SafeOutput(closed)
    output.write("saved")
    output.flush()
