"""What the doctor says of the world around: the server's address, its clock, and the organization's Glific."""

from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from glific_gpt.clock import now
from glific_gpt.doctor import Verdict
from glific_gpt.doctor.address import judged
from glific_gpt.doctor.web import Page
from glific_gpt.http_client import is_inside
from tests.doctor.conftest import Doctor, OpenDoctor
from tests.support import openai_behaviours as behaviours
from tests.support.glific_stand_in import PHONE, GlificStandIn
from tests.support.house import House, Ngo
from tests.support.openai_exchange import Behaviour
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.self_signed import self_signed_server

ALIVE = Page(200, b'{"status":"ok"}', None)


def test_a_server_that_only_this_machine_reaches_is_no_server_for_glific(doctor: Doctor, house: House) -> None:
    found = doctor.check("address")
    assert (found.verdict, found.only_inside) == (Verdict.WARNING, True)
    assert found.sentence == (
        f"This server answers at {house.url}, but only inside its own network: Glific cannot get there."
    )


def test_a_public_address_with_https_is_good_and_without_is_not() -> None:
    good = judged("https://gpt.example.org", ALIVE, is_inside=False)
    assert (good.verdict, good.only_inside) == (Verdict.OK, False)
    plain = judged("http://gpt.example.org", ALIVE, is_inside=False)
    assert (plain.verdict, plain.only_inside) == (Verdict.WARNING, False)
    assert "without https" in plain.sentence


@pytest.mark.parametrize(
    ("host", "found", "inside"),
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
def test_a_host_is_inside_by_how_it_is_written_or_where_it_leads(
    host: str, found: list[str] | None, inside: bool
) -> None:
    assert is_inside(host, (lambda *_: found) if found is not None else None) is inside


def test_an_address_where_nothing_answers_is_a_problem(doctor_with: OpenDoctor, openai: OpenAIStandIn) -> None:
    openai.close()
    found = doctor_with(public_url=f"http://127.0.0.1:{openai.port}").check("address")
    assert found.verdict is Verdict.PROBLEM
    assert "Nothing answered" in found.sentence


def test_an_address_that_is_no_name_is_a_problem(doctor_with: OpenDoctor) -> None:
    found = doctor_with(public_url="https://gpt..example.org").check("address")
    assert (found.verdict, found.sentence) == (
        Verdict.PROBLEM,
        "The name in the address https://gpt..example.org leads nowhere.",
    )


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (behaviours.html(), "Something else than this server answers"),
        (behaviours.nothing(), "Something else than this server answers"),
        (behaviours.drip(0), "Something else than this server answers"),
        (behaviours.redirect("https://elsewhere.example"), "Glific does not follow"),
        (behaviours.redirect("http://["), "Glific does not follow"),
        (behaviours.hang_up(), "Nothing answered"),
    ],
)
def test_an_address_where_somebody_else_answers_is_a_problem(
    doctor_with: OpenDoctor, glific: GlificStandIn, behaviour: Behaviour, said: str
) -> None:
    glific.always(behaviour)
    found = doctor_with(public_url=glific.url).check("address")
    assert found.verdict is Verdict.PROBLEM
    assert said in found.sentence


def test_a_certificate_that_nobody_vouches_for_is_taken_as_glific_takes_it(
    doctor_with: OpenDoctor, tmp_path: Path
) -> None:
    with self_signed_server(tmp_path) as (port, told):
        doctor_with(public_url=f"https://127.0.0.1:{port}").check("address")
        assert told[0].startswith(b"GET /livez ")


def telling_the_time(seconds_ahead: float) -> Behaviour:
    date = format_datetime(now() + timedelta(seconds=seconds_ahead), usegmt=True)
    return lambda exchange: exchange.send_json(401, {}, date=date)


@pytest.mark.parametrize(
    ("ahead", "verdict"),
    [
        (0, Verdict.OK),
        (-20, Verdict.OK),
        (60, Verdict.WARNING),
        (-60, Verdict.WARNING),
        (1000, Verdict.WARNING),
        (-1000, Verdict.WARNING),
    ],
)
def test_a_clock_may_differ_by_half_a_minute(
    doctor: Doctor, openai: OpenAIStandIn, ahead: float, verdict: Verdict
) -> None:
    openai.for_models(telling_the_time(ahead))
    assert doctor.check("clock").verdict is verdict


def test_a_wrong_clock_is_a_problem_where_something_is_signed(
    doctor: Doctor, alice: Ngo, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.for_models(telling_the_time(1000))
    alice.connect_signed(glific, "a phrase of alice and glific")
    found = doctor.check("clock")
    assert (found.verdict, found.only_later) == (Verdict.PROBLEM, True)
    alice.change(require_signature=True)
    found = doctor.check("clock")
    assert (found.verdict, found.only_later) == (Verdict.PROBLEM, False)
    assert doctor.examine()["call"].verdict is Verdict.SKIPPED


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_time_that_cannot_be_read_is_not_compared(doctor: Doctor, openai: OpenAIStandIn, date: str) -> None:
    openai.for_models(lambda exchange: exchange.send_json(401, {}, date=date))
    assert doctor.check("clock").verdict is Verdict.SKIPPED


def test_a_time_without_a_zone_is_utc(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.for_models(lambda exchange: exchange.send_json(401, {}, date=f"{now():%a, %d %b %Y %H:%M:%S}"))
    assert doctor.check("clock").verdict is Verdict.OK


def test_without_openai_there_is_no_time_to_compare(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.close()
    assert doctor.check("clock").verdict is Verdict.SKIPPED


def test_an_organization_needs_no_connection_for_quick_answers(doctor: Doctor) -> None:
    found = doctor.check("connection")
    assert found.verdict is Verdict.OK
    assert found.sentence.startswith("Not connected to Glific")


def test_a_connection_is_tried(doctor: Doctor, alice: Ngo, glific: GlificStandIn) -> None:
    alice.connect(glific)
    assert doctor.check("connection").sentence.startswith("Glific accepts the login")
    glific.accounts[PHONE] = "another password since"
    found = doctor.check("connection")
    assert (found.verdict, found.error_code) == (Verdict.PROBLEM, "glific_not_verified")
    assert "phone number and password" in found.sentence
    assert found.command == f"flask glific connect alice --api-url {glific.url} --phone PHONE --password-stdin"
    assert found.only_later


def test_of_the_signed_call_only_the_address_can_be_tried(doctor: Doctor, alice: Ngo, glific: GlificStandIn) -> None:
    alice.connect_signed(glific, "a phrase of alice and glific")
    assert "only a waiting flow" in doctor.check("connection").sentence
    glific.close()
    assert doctor.check("connection").verdict is Verdict.PROBLEM
