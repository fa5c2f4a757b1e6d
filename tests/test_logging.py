"""Lines in the log: where they go, and what they cannot break."""

import io
import json

import pytest
import structlog

from glific_gpt import logging


def test_a_line_is_json_without_what_looks_like_a_secret(capfd: pytest.CaptureFixture[str]) -> None:
    logging.configure()
    structlog.get_logger().info("saved", key="sk-proj-0123456789", count=1)
    line = json.loads(capfd.readouterr().err)
    assert (line["event"], line["level"], line["key"], line["count"]) == ("saved", "info", "[hidden]", 1)


def test_nothing_fails_where_no_line_can_be_written() -> None:
    closed = io.StringIO()
    closed.close()
    output = logging._Output(closed)
    output.write("saved")
    output.flush()
