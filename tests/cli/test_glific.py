"""flask glific connect, show, disconnect."""

import pytest

from glific_gpt.cli.glific import WAY_REQUIRED
from glific_gpt.glific import login_tests
from tests.cli.conftest import Commands, OpenCommands
from tests.support.glific_stand_in import GlificStandIn

PHONE = "919876543210"
PASSWORD = "a-password-of-theirs"
NOT_CONNECTED = {
    "slug": "seva",
    "connected": False,
    "api_url": None,
    "way": None,
    "phone_last4": None,
    "verified_at": None,
    "updated_at": None,
}


@pytest.fixture
def flask(flask_with: OpenCommands) -> Commands:
    """Commands that may connect to the stand-in."""
    return flask_with(glific_hosts="127.0.0.1")


@pytest.fixture
def connect(flask: Commands, seva: str, glific: GlificStandIn) -> tuple[str, ...]:
    """The command that connects seva, with an account in Glific."""
    glific.accounts[PHONE] = PASSWORD
    return ("glific", "connect", seva, "--api-url", glific.url)


def login(connect: tuple[str, ...], phone: str = PHONE) -> tuple[str, ...]:
    return (*connect, "--phone", phone, "--password-stdin")


def test_it_connects_with_a_login_that_glific_accepts(
    flask: Commands, connect: tuple[str, ...], glific: GlificStandIn
) -> None:
    made = flask.json(*login(connect, "+91 98765 43210"), stdin=PASSWORD + "\n")
    assert flask.json("glific", "show", "seva") == made
    assert made.pop("verified_at").endswith("Z")
    assert made.pop("updated_at").endswith("Z")
    assert made == {
        "slug": "seva",
        "connected": True,
        "api_url": glific.url,
        "way": "api",
        "phone_last4": "3210",
    }
    assert len(glific.logins) == 1
    text = flask.text("glific", "show", "seva")
    assert "phone_last4: 3210" in text
    assert PASSWORD not in flask.printed
    assert "98765" not in flask.printed


def test_it_connects_by_the_signed_call(flask: Commands, connect: tuple[str, ...], glific: GlificStandIn) -> None:
    assert "flask signature set seva --phrase-stdin" in flask.failure(*connect, "--signed")
    flask.text("signature", "set", "seva", "--phrase-stdin", stdin="a phrase of theirs")
    made = flask.json(*connect, "--signed")
    assert (made["connected"], made["way"], made["phone_last4"]) == (True, "signed", None)
    assert made["api_url"] == glific.url
    assert "way: signed" in flask.text(*connect, "--signed")


def test_it_saves_nothing_if_glific_refuses_the_login(flask: Commands, connect: tuple[str, ...]) -> None:
    flask.text(*login(connect), stdin=PASSWORD)
    before = flask.json("glific", "show", "seva")
    for phone, password in ((PHONE, "another-password"), ("15550100200", PASSWORD)):
        sentence = flask.failure(*login(connect, phone), stdin=password)
        assert sentence.startswith("Nothing was saved. ")
        assert "--no-verify" in sentence
        assert password not in sentence
        assert phone not in sentence
    assert flask.json("glific", "show", "seva") == before


def test_an_unreachable_glific_has_another_message_than_a_refused_login(
    flask: Commands, connect: tuple[str, ...], glific: GlificStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_tests, "REFUSED_PAUSE_SECONDS", 0)  # each command is a process of its own otherwise
    refused = flask.failure(*login(connect), stdin="another-password")
    assert "Glific does not accept this phone number and password" in refused
    glific.close()
    not_reached = flask.failure(*login(connect), stdin=PASSWORD)
    assert not_reached.startswith("Nothing was saved. Glific could not be reached")
    assert "does not accept" not in not_reached


def test_a_connection_can_be_saved_without_verification(
    flask: Commands, connect: tuple[str, ...], glific: GlificStandIn
) -> None:
    flask.text("signature", "set", "seva", "--phrase-stdin", stdin="a phrase of theirs")
    for given in (login(connect), (*connect, "--signed")):
        assert flask.json(*given, "--no-verify", stdin="unknown-there")["verified_at"] is None
    assert glific.requests == []


def test_it_requires_all_options_of_exactly_one_way(
    flask: Commands, connect: tuple[str, ...], glific: GlificStandIn
) -> None:
    phone = ("--phone", PHONE)
    for given in (
        (),
        phone,
        ("--password-stdin",),
        ("--signed", *phone),
        ("--signed", "--password-stdin"),
        ("--signed", *phone, "--password-stdin"),
    ):
        assert flask.failure(*connect, *given, stdin=PASSWORD, code=2) == WAY_REQUIRED
    assert glific.requests == []
    assert flask.json("glific", "show", "seva")["connected"] is False


def test_a_password_is_read_only_from_standard_input(flask: Commands, connect: tuple[str, ...]) -> None:
    flask.failure(*login(connect), PASSWORD, code=2)
    flask.failure(*connect, "--phone", PHONE, "--password", PASSWORD, code=2)
    assert "it is empty or too long" in flask.failure(*login(connect), stdin="")
    assert "not UTF-8 text" in flask.failure(*login(connect), stdin=b"\xff\xfe")


def test_it_refuses_an_invalid_phone_number_and_host(flask: Commands, seva: str, connect: tuple[str, ...]) -> None:
    assert "country code" in flask.failure(*login(connect, "098765"), stdin=PASSWORD)
    elsewhere = ("glific", "connect", seva, "--api-url", "https://api.example.org")
    assert flask.failure(*login(elsewhere), stdin=PASSWORD).endswith(".")
    assert flask.json("glific", "show", seva) == NOT_CONNECTED


def test_it_shows_that_there_is_no_connection(flask: Commands, seva: str) -> None:
    assert flask.json("glific", "show", seva) == NOT_CONNECTED
    assert "seva is not connected to Glific" in flask.text("glific", "show", seva)


def test_it_disconnects(flask: Commands, connect: tuple[str, ...]) -> None:
    flask.text(*login(connect), stdin=PASSWORD)
    assert flask.json("glific", "disconnect", "seva") == {"slug": "seva", "connected": False}
    assert flask.json("glific", "show", "seva") == NOT_CONNECTED
    assert (
        flask.failure("glific", "disconnect", "seva")
        == "This organization is not connected to Glific. Connect it first."
    )


def test_an_unknown_organization_is_an_error(flask: Commands, glific: GlificStandIn) -> None:
    for command in (
        ["show", "nobody"],
        ["disconnect", "nobody"],
        ["connect", "nobody", "--api-url", glific.url, "--signed"],
        ["connect", "nobody", "--api-url", glific.url, "--phone", PHONE, "--password-stdin"],
    ):
        assert flask.failure("glific", *command, stdin=PASSWORD) == "There is no organization nobody. Check the slug."
    assert glific.requests == []
