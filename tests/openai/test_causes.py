"""The cause of a failed call: the network failure, or the parts of OpenAI's error reply."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from glific_gpt.openai import causes
from glific_gpt.openai.connections import ConnectionPool
from tests.openai.test_connections import post, server
from tests.support.openai_behaviours import Behaviour, close_connection, rate_limit, respond_after
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import free_port
from tests.support.self_signed import LOOPBACK, run_self_signed_server
from tests.support.server import TestOrganization


def cause_of(pool: ConnectionPool, timeout_seconds: float = 5.0) -> str:
    with pytest.raises(httpx2.HTTPError) as caught:
        post(pool, timeout_seconds)
    return causes.describe_connection(caught.value)


def test_each_failure_of_the_network_has_its_cause(tmp_path: Path) -> None:
    assert cause_of(ConnectionPool("http://no-such-host.invalid/v1")).startswith("DNS: ")
    assert cause_of(ConnectionPool(f"http://{LOOPBACK}:{free_port()}/v1")) == "connection refused"
    with run_self_signed_server(tmp_path) as (port, _):
        assert cause_of(ConnectionPool(f"https://{LOOPBACK}:{port}/v1")) == "TLS: self-signed certificate"
        pool = ConnectionPool(f"https://localhost:{port}/v1")
        pool._tls = ssl.create_default_context(cafile=tmp_path / "self_signed.pem")
        assert cause_of(pool).startswith("TLS: Hostname mismatch")
    with server(b"", closes=True) as (plain, _):
        assert cause_of(plain) == "the connection was closed without a reply"
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", closes=True) as (cut, _):
        assert cause_of(cut) == "the reply is incomplete"
    with server() as (silent, _), socket.create_server((LOOPBACK, 0)) as listener:
        del silent
        never = ConnectionPool(f"http://{LOOPBACK}:{listener.getsockname()[1]}/v1")
        assert cause_of(never, 0.1) == "time-out: no complete reply before the deadline"


@pytest.mark.parametrize("error", [ConnectionResetError(), BrokenPipeError()])
def test_a_reset_connection_has_its_cause(error: Exception) -> None:
    failure = httpx2.ConnectError("x")
    failure.__cause__ = error
    assert causes.describe_connection(failure) == "connection reset"


def test_a_refusal_has_status_code_type_parameter_and_request_id() -> None:
    cause = causes.describe_refusal(400, "unsupported_value", "invalid_request_error", "messages[0].role", "req_1-a")
    assert cause == (
        "HTTP 400, code unsupported_value, type invalid_request_error, param messages[0].role, request req_1-a"
    )
    assert causes.describe_refusal(500, "", "", "", "") == "HTTP 500"


@pytest.mark.parametrize("text", ["sk-proj-0123456789", "Incorrect API key provided: sk-1", "x" * 61, "a\nb", "क"])
def test_a_code_that_may_be_something_else_is_not_repeated(text: str) -> None:
    assert causes.describe_refusal(401, text, "", "", "") == "HTTP 401, code ?"


Find = Callable[[Behaviour], str | None]


def test_the_record_and_the_timeline_of_a_call_have_its_cause(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(rate_limit(retry_after="60"))
    call_id = alice.ask().json()["call_id"]
    runner = alice.server.app.test_cli_runner()
    shown = runner.invoke(args=["calls", "show", "alice", call_id]).output
    assert "Cause: HTTP 429, code rate_limit_exceeded" in shown
    openai.always(close_connection())
    call_id = alice.ask().json()["call_id"]
    assert "closed without a reply" in runner.invoke(args=["calls", "show", "alice", call_id]).output
    openai.always(respond_after(0))
    call_id = alice.ask().json()["call_id"]
    assert "Cause" not in runner.invoke(args=["calls", "show", "alice", call_id]).output
