"""flask signature."""

from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.organizations.signature import PURPOSE
from glific_gpt.services import services
from tests.cli.conftest import Commands

PHRASE = "phrase of theirs 1"


def phrase_of(flask: Commands, slug: str) -> str:
    """Return the decrypted phrase."""
    with flask.app.app_context(), transaction() as session:
        row = store.find(session, slug)
        assert row.signature_phrase
        return services().vault.decrypt(row.id, PURPOSE, row.signature_phrase)


def test_it_stores_the_phrase_without_its_last_line_break(flask: Commands, seva: str) -> None:
    for typed in (PHRASE, PHRASE + "\n", PHRASE + "\r\n"):
        made = flask.json("signature", "set", seva, "--phrase-stdin", stdin=typed)
        assert made == {"slug": seva, "signature_phrase_set": True}
        assert phrase_of(flask, seva) == PHRASE
    flask.text("signature", "set", seva, "--phrase-stdin", stdin=f" {PHRASE} \n\n")
    assert phrase_of(flask, seva) == f" {PHRASE} \n"
    assert PHRASE not in flask.printed


def test_it_refuses_a_blank_phrase(flask: Commands, seva: str) -> None:
    assert "cannot be used" in flask.failure("signature", "set", seva, "--phrase-stdin", stdin="\n")
    assert flask.json("organizations", "show", seva)["signature_phrase_set"] is False


def test_it_refuses_a_phrase_that_is_too_long(flask: Commands, seva: str) -> None:
    refused = flask.failure("signature", "set", seva, "--phrase-stdin", stdin="x" * 1001)
    assert refused == "The webhook signature is too long. Use at most 1000 characters."
    flask.text("signature", "set", seva, "--phrase-stdin", stdin="x" * 1000)
    assert phrase_of(flask, seva) == "x" * 1000


def test_it_deletes_the_phrase_and_says_which_calls_are_accepted(flask: Commands, seva: str) -> None:
    flask.text("signature", "set", seva, "--phrase-stdin", stdin=PHRASE)
    assert "Calls need a webhook token" in flask.text("signature", "clear", seva)
    flask.text("organizations", "set", seva, "--require-signature")
    assert "all calls are refused" in flask.text("signature", "clear", seva)
    assert flask.json("signature", "clear", seva) == {"slug": seva, "signature_phrase_set": False}
    assert flask.json("organizations", "show", seva)["signature_phrase_set"] is False


def test_a_phrase_is_read_only_from_standard_input(flask: Commands, seva: str) -> None:
    assert "--phrase-stdin" in flask.failure("signature", "set", seva, stdin=PHRASE, code=2)
    flask.failure("signature", "set", seva, "--phrase-stdin", PHRASE, code=2)
