"""The checks of the server's address and clock, and of the connection to Glific."""

from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from glific_gpt.clock import now
from glific_gpt.network.http_client import is_private_host
from glific_gpt.operations.doctor import CheckStatus
from glific_gpt.operations.doctor.http_get import HttpResponse
from glific_gpt.operations.doctor.server import evaluate_livez
from tests.operations.doctor.conftest import Doctor, OpenDoctor
from tests.support import openai_behaviours as behaviours
from tests.support.glific_stand_in import PHONE, GlificStandIn
from tests.support.openai_exchange import Behaviour
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.self_signed import run_self_signed_server
from tests.support.server import RunningServer, TestOrganization

LIVEZ_OK = HttpResponse(200, b'{"status":"ok"}', None)


def test_an_address_of_this_machine_is_private(doctor: Doctor, server: RunningServer) -> None:
    result = doctor.check("address")
    assert (result.status, result.is_private_only) == (CheckStatus.WARNING, True)
    assert result.message_text == (
        f"This server answers at {server.url}, but only inside its own network. Glific cannot reach it."
    )


def test_a_public_address_needs_https() -> None:
    good = evaluate_livez("https://gpt.example.org", LIVEZ_OK, is_private=False)
    assert (good.status, good.is_private_only) == (CheckStatus.OK, False)
    plain = evaluate_livez("http://gpt.example.org", LIVEZ_OK, is_private=False)
    assert (plain.status, plain.is_private_only) == (CheckStatus.WARNING, False)
    assert "without https" in plain.message_text


@pytest.mark.parametrize(
    ("host", "addresses", "is_private"),
    [
        ("localhost", ["127.0.0.1"], True),
        ("gpt.internal", ["8.8.8.8"], True),
        ("10.0.0.7", ["10.0.0.7"], True),
        ("8.8.8.8", ["8.8.8.8"], False),
        ("gpt.example.org", ["10.0.0.7", "fe80::1%eth0"], True),
        ("gpt.example.org", ["10.0.0.7", "8.8.8.8"], False),
        ("gpt.example.org", None, False),
    ],
)
def test_a_host_is_private_by_its_name_or_its_addresses(
    host: str, addresses: list[str] | None, is_private: bool
) -> None:
    assert is_private_host(host, (lambda *_: addresses) if addresses is not None else None) is is_private


def test_an_address_without_an_answer_is_a_problem(doctor_with: OpenDoctor, openai: OpenAIStandIn) -> None:
    openai.close()
    result = doctor_with(public_url=f"http://127.0.0.1:{openai.port}").check("address")
    assert result.status is CheckStatus.PROBLEM
    assert "There was no answer" in result.message_text


def test_an_unknown_host_name_is_a_problem(doctor_with: OpenDoctor) -> None:
    result = doctor_with(public_url="https://gpt..example.org").check("address")
    assert (result.status, result.message_text) == (
        CheckStatus.PROBLEM,
        "The host name in the address https://gpt..example.org does not exist.",
    )


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        (behaviours.send_html(), "A different server answers"),
        (behaviours.send_empty_body(), "A different server answers"),
        (behaviours.send_slowly(0), "A different server answers"),
        (behaviours.redirect("https://elsewhere.example"), "Glific does not follow"),
        (behaviours.redirect("http://["), "Glific does not follow"),
        (behaviours.close_connection(), "There was no answer"),
    ],
)
def test_an_address_of_a_different_server_is_a_problem(
    doctor_with: OpenDoctor, glific: GlificStandIn, behaviour: Behaviour, text: str
) -> None:
    glific.always(behaviour)
    result = doctor_with(public_url=glific.url).check("address")
    assert result.status is CheckStatus.PROBLEM
    assert text in result.message_text


def test_a_self_signed_certificate_is_accepted(doctor_with: OpenDoctor, tmp_path: Path) -> None:
    with run_self_signed_server(tmp_path) as (port, received):
        doctor_with(public_url=f"https://127.0.0.1:{port}").check("address")
        assert received[0].startswith(b"GET /livez ")


def reply_with_time(seconds_ahead: float) -> Behaviour:
    date = format_datetime(now() + timedelta(seconds=seconds_ahead), usegmt=True)
    return lambda exchange: exchange.send_json(401, {}, date=date)


@pytest.mark.parametrize(
    ("ahead", "status"),
    [
        (0, CheckStatus.OK),
        (-20, CheckStatus.OK),
        (60, CheckStatus.WARNING),
        (-60, CheckStatus.WARNING),
        (1000, CheckStatus.WARNING),
        (-1000, CheckStatus.WARNING),
    ],
)
def test_a_clock_may_be_wrong_by_half_a_minute(
    doctor: Doctor, openai: OpenAIStandIn, ahead: float, status: CheckStatus
) -> None:
    openai.for_models(reply_with_time(ahead))
    assert doctor.check("clock").status is status


def test_a_wrong_clock_is_a_problem_if_signatures_are_used(
    doctor: Doctor, alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.for_models(reply_with_time(1000))
    alice.connect_signed(glific, "a phrase of alice and glific")
    result = doctor.check("clock")
    assert (result.status, result.is_deferred_only) == (CheckStatus.PROBLEM, True)
    alice.change(require_signature=True)
    result = doctor.check("clock")
    assert (result.status, result.is_deferred_only) == (CheckStatus.PROBLEM, False)
    assert doctor.run_checks()["call"].status is CheckStatus.SKIPPED


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_an_unreadable_time_is_skipped(doctor: Doctor, openai: OpenAIStandIn, date: str) -> None:
    openai.for_models(lambda exchange: exchange.send_json(401, {}, date=date))
    assert doctor.check("clock").status is CheckStatus.SKIPPED


def test_a_time_without_a_zone_is_utc(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.for_models(lambda exchange: exchange.send_json(401, {}, date=f"{now():%a, %d %b %Y %H:%M:%S}"))
    assert doctor.check("clock").status is CheckStatus.OK


def test_the_clock_check_is_skipped_without_openai(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.close()
    assert doctor.check("clock").status is CheckStatus.SKIPPED


def test_a_missing_connection_is_ok(doctor: Doctor) -> None:
    result = doctor.check("connection")
    assert result.status is CheckStatus.OK
    assert result.message_text.startswith("Not connected to Glific")


def test_a_refused_login_is_a_problem_for_later_answers(
    doctor: Doctor, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.connect(glific)
    assert doctor.check("connection").message_text.startswith("Glific accepts the login")
    glific.accounts[PHONE] = "another password since"
    result = doctor.check("connection")
    assert (result.status, result.error_code) == (CheckStatus.PROBLEM, "glific_not_verified")
    assert "phone number and password" in result.message_text
    assert result.command == f"flask glific connect alice --api-url {glific.url} --phone PHONE --password-stdin"
    assert result.is_deferred_only


def test_an_unreachable_glific_does_not_ask_for_a_new_connection(
    doctor: Doctor, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.connect(glific)
    glific.close()
    result = doctor.check("connection")
    assert (result.status, result.error_code) == (CheckStatus.PROBLEM, "glific_not_verified")
    assert result.remedy_text.startswith("Check again in a minute.")
    assert result.command == ""
    assert result.is_deferred_only


def test_for_signed_calls_only_the_address_is_checked(
    doctor: Doctor, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.connect_signed(glific, "a phrase of alice and glific")
    assert "Only a waiting flow" in doctor.check("connection").message_text
    glific.close()
    assert doctor.check("connection").status is CheckStatus.PROBLEM
