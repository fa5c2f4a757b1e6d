"""Thread ids: short, made of safe characters, and readable for one contact and function of one organization."""

import base64
import json
import re
import secrets
import time
import zlib
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from cryptography.fernet import Fernet
from pydantic import SecretStr

from glific_gpt.calls import thread_ids
from glific_gpt.calls.thread_ids import Owner
from glific_gpt.openai.chat import Turn
from glific_gpt.vault import Vault

OLD, NEW = (SecretStr(Fernet.generate_key().decode()) for _ in range(2))
VAULT = Vault([OLD])
OWNER = Owner(1, "parse_via_chat_gpt", 21)
HOUR = timedelta(hours=1)
TURN = Turn("What is ORS?", "Sugar and salt, in clean water.")

SENTENCE = "ओआरएस छह चम्मच चीनी और आधा चम्मच नमक है, एक लीटर साफ़ पानी में घोला हुआ। "


def seal(*turns: Turn, owner: Owner = OWNER) -> str:
    thread_id = thread_ids.seal(VAULT, owner, turns)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,5999}", thread_id)
    return thread_id


def turns_of(thread_id: str, owner: Owner = OWNER, vault: Vault = VAULT) -> tuple[Turn, ...] | None:
    return thread_ids.open_sealed(vault, owner, thread_id, HOUR)


def random_text(characters: int) -> str:
    return secrets.token_hex(characters)[:characters]


def test_its_owner_opens_it() -> None:
    turns = (TURN, Turn("और कितना नमक? 🧂", '{"pinches":6}'))
    assert turns_of(seal(*turns)) == turns
    assert turns_of(seal()) == ()
    assert seal(TURN) != seal(TURN)


@pytest.mark.parametrize(
    "other",
    [
        Owner(2, "parse_via_chat_gpt", 21),
        Owner(1, "parse_via_gpt_vision", 21),
        Owner(1, "parse_via_chat_gpt", 22),
        Owner(1, "parse_via_chat_gpt", None),
    ],
)
def test_nobody_else_opens_it(other: Owner) -> None:
    assert turns_of(seal(TURN), other) is None
    assert turns_of(seal(TURN, owner=other)) is None
    assert turns_of(seal(TURN, owner=other), other) == (TURN,)


def test_it_expires() -> None:
    with time_machine.travel(datetime(2026, 11, 30, 9, tzinfo=UTC), tick=False) as clock:
        thread_id = seal(TURN)
        clock.shift(HOUR)
        assert turns_of(thread_id) == (TURN,)
        clock.shift(timedelta(seconds=1))
        assert turns_of(thread_id) is None


def test_any_altered_part_of_it_is_unreadable() -> None:
    thread_id = seal(TURN)
    for at in range(0, len(thread_id) - 1, 7):
        changed = "A" if thread_id[at] != "A" else "B"
        assert turns_of(thread_id[:at] + changed + thread_id[at + 1 :]) is None
    assert turns_of(thread_id[:-4]) is None
    assert turns_of("not a thread") is None


def test_another_version_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(thread_ids, "VERSION", thread_ids.VERSION + 1)
        thread_id = seal(TURN)
    assert turns_of(thread_id) is None


def test_it_stays_readable_while_its_key_is_configured() -> None:
    thread_id = seal(TURN)
    assert turns_of(thread_id, vault=Vault([NEW, OLD])) == (TURN,)
    assert turns_of(thread_id, vault=Vault([NEW])) is None


@pytest.mark.parametrize("content", [b"", b"no zlib", zlib.compress(b"no JSON"), zlib.compress(b"0" * 1_000_000)])
def test_sealed_content_of_another_kind_is_unreadable(content: bytes) -> None:
    sealed = VAULT.seal(OWNER.organization_id, thread_ids.PURPOSE, content)
    assert turns_of(sealed) is None


def test_content_that_decompresses_to_too_much_is_unreadable() -> None:
    def open_text(characters: int) -> object:
        values = [thread_ids.VERSION, int(time.time()), OWNER.function, OWNER.contact_id, [["a" * characters, "b"]]]
        content = zlib.compress(json.dumps(values).encode())
        return turns_of(VAULT.seal(OWNER.organization_id, thread_ids.PURPOSE, content))

    assert open_text(100_000)
    assert open_text(200_000) is None


@pytest.mark.parametrize(
    "text", ["Six spoons of sugar. ", SENTENCE, random_text(60)], ids=["repeated", "a sentence", "random"]
)
def test_the_oldest_turns_are_dropped_until_the_rest_fits(text: str) -> None:
    turns: tuple[Turn, ...] = ()
    for number in range(40):
        added = Turn(f"{number}. How?", random_text(40) + text * 4)
        turns = turns_of(seal(*turns, added)) or ()
        assert turns[-1] == added
    numbers = [int(turn.question.partition(".")[0]) for turn in turns]
    assert numbers == list(range(40 - len(turns), 40))
    assert 3 <= len(turns) <= thread_ids.MAX_TURNS
    # Another turn would not have fitted.
    assert len(turns) == thread_ids.MAX_TURNS or len(seal(*turns)) > 5000


def test_text_that_compresses_well_is_limited_by_its_characters() -> None:
    turns = [Turn("How?", "a" * 4000)] * 20
    opened = turns_of(seal(*turns)) or ()
    assert sum(len(turn.question) + len(turn.answer) for turn in opened) <= thread_ids.MAX_CONVERSATION_CHARACTERS
    assert len(opened) == 2


def test_a_long_question_keeps_its_end_and_a_long_answer_its_beginning() -> None:
    long = Turn("a word " * 20_000 + "And is that safe?", "It is. " + "b word " * 20_000)
    *earlier, (question, answer) = turns_of(seal(TURN, TURN, long)) or ()
    assert earlier == [TURN, TURN]
    assert question.startswith("…")
    assert question.endswith("And is that safe?")
    assert answer.startswith("It is. ")
    assert answer.endswith("…")
    assert len(question) == len(answer) == thread_ids.MAX_TEXT_CHARACTERS


def test_a_single_turn_that_does_not_compress_is_cut_until_it_fits() -> None:
    text = base64.b64encode(secrets.token_bytes(75_000)).decode()
    ((question, answer),) = turns_of(seal(TURN, Turn(text, text))) or ()
    assert text.endswith(question[1:])
    assert text.startswith(answer[:-1])
    assert len(question) == len(answer) >= 1000


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert turns_of(seal(Turn("How?", "half \ud83d"))) == (Turn("How?", "half ?"),)
