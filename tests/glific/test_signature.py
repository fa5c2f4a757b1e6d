"""Tests of Glific's webhook signature."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.glific.signature import DUMMY_PHRASE, TOLERANCE, is_usable_phrase, is_valid, sign

PHRASE = "Super Secret"
AT = 1719400000
RAW_BODY = (
    b'{"contact":{"fields":{},"id":21,"name":"Asha","phone":"919876543210"},"gpt_model":"gpt-4o-mini",'
    b'"organization_id":1,"prompt":"Answer briefly.","question_text":"What is ORS?","results":{}}'
)
DIGEST = "c21c94691f7dddecefe92f0cf4c8a9d29c317956e81b80337b5b818224ed6433"
HEADER = f"t={AT},v1={DIGEST}"
NOW = datetime.fromtimestamp(AT, UTC)


def test_it_creates_the_signature_of_glific() -> None:
    assert sign(PHRASE, RAW_BODY, AT) == HEADER


def test_it_accepts_a_signature_of_glific() -> None:
    assert is_valid(HEADER, PHRASE, RAW_BODY, NOW)


def test_it_accepts_a_phrase_and_a_body_in_any_language() -> None:
    body = '{"question_text":"ओआरएस क्या है?"}'.encode()
    assert is_valid(sign("गुप्त वाक्य", body, AT), "गुप्त वाक्य", body, NOW)


@pytest.mark.parametrize("offset", [TOLERANCE, -TOLERANCE])
def test_it_accepts_a_difference_of_up_to_fifteen_minutes(offset: timedelta) -> None:
    assert timedelta(minutes=15) == TOLERANCE
    assert is_valid(HEADER, PHRASE, RAW_BODY, NOW + offset)
    assert not is_valid(HEADER, PHRASE, RAW_BODY, NOW + offset + offset / 900)


def test_it_refuses_another_phrase() -> None:
    assert not is_valid(HEADER, "super secret", RAW_BODY, NOW)


@pytest.mark.parametrize("body", [RAW_BODY + b" ", RAW_BODY.replace(b":", b": "), b""])
def test_it_refuses_a_body_that_was_changed(body: bytes) -> None:
    assert not is_valid(HEADER, PHRASE, body, NOW)


def test_it_refuses_a_time_that_was_not_signed() -> None:
    assert not is_valid(f"t={AT + 1},v1={DIGEST}", PHRASE, RAW_BODY, NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        DIGEST,
        f"t={AT}",
        f"v1={DIGEST}",
        f"v1={DIGEST},t={AT}",
        f"t={AT},v1=",
        f"t=,v1={DIGEST}",
        f"t=-{AT},v1={DIGEST}",
        f"t=0{AT},v1={DIGEST}",
        f"t={AT}.0,v1={DIGEST}",
        f"t=1_719_400_000,v1={DIGEST}",
        f"t=१७१९४०००००,v1={DIGEST}",
        f"t={'9' * 5000},v1={DIGEST}",
        f"t=999999999999,v1={DIGEST}",
        f"t={AT}, v1={DIGEST}",
        f" {HEADER}",
        f"{HEADER}\n",
        f"{HEADER},{HEADER}",
        f"{HEADER},v1={DIGEST}",
        f"t={AT},t={AT},v1={DIGEST}",
        f"t={AT},v1={DIGEST.upper()}",
        f"t={AT},v1={DIGEST[:-1]}",
        f"t={AT},v1={DIGEST}0",
        f"t={AT},v1={DIGEST[:-1]}é",
        f"t={AT},v0={DIGEST}",
        f"sha256={DIGEST}",
        "\ud800",
    ],
)
def test_it_refuses_a_header_of_another_form(header: str) -> None:
    assert not is_valid(header, PHRASE, RAW_BODY, NOW)


@given(st.text() | st.from_regex(r"t=\d{0,30},v1=\w{60,66}"))
def test_it_never_raises_for_a_header(header: str) -> None:
    assert is_valid(header, PHRASE, RAW_BODY, NOW) is (header == HEADER)


@given(st.text(st.characters(codec="utf-8")).filter(is_usable_phrase), st.binary(), st.integers(0, 10**11))
def test_it_accepts_every_signature_that_it_created(phrase: str, body: bytes, at: int) -> None:
    seconds = datetime.fromtimestamp(at, UTC)
    assert is_valid(sign(phrase, body, at), phrase, body, seconds)


@pytest.mark.parametrize("phrase", ["", "  \n", DUMMY_PHRASE, f" {DUMMY_PHRASE}\n"])
def test_a_blank_or_default_phrase_is_never_valid(phrase: str) -> None:
    assert not is_usable_phrase(phrase)
    assert not is_valid(sign(phrase, RAW_BODY, AT), phrase, RAW_BODY, NOW)
