"""Thread ids: the last turns of a conversation, compressed and encrypted for a caller to keep."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from glific_gpt.clock import now
from glific_gpt.openai.chat import Turn
from glific_gpt.vault import Vault

PURPOSE = "thread_id"
VERSION = 1

MAX_TURNS = 20
MAX_TEXT_CHARACTERS = 4000
"""Longest question or answer that is remembered whole. A WhatsApp message has at most 4,096 characters."""
MAX_CONVERSATION_CHARACTERS = 12_000
"""Sum over all turns. They are input of each further question: about 3,000 tokens."""

MAX_COMPRESSED_BYTES = 4431
"""Fernet adds 57 bytes and pads to 16, and base64 writes four characters for three bytes: 5,986 characters."""
MAX_PLAIN_BYTES = 128 * 1024
"""More than the JSON of a conversation can have: a character has at most six bytes in JSON."""

COMPRESSION_LEVEL = 5
"""UTF-16 at this level makes 3,693 bytes of 8,000 characters in Hindi in 0.1 ms, and UTF-8 at level 6 makes 3,866 in
0.5 ms. For English the levels do not differ, and UTF-8 is shorter."""

CUT = "…"
"""Stands for the part of a text that is not remembered."""


@dataclass(frozen=True)
class Owner:
    """The only one who can continue a conversation."""

    organization_id: int
    function: str
    contact_id: int | None
    """Glific's id of the contact; None for calls that name no contact."""


def seal(vault: Vault, owner: Owner, turns: Sequence[Turn]) -> str:
    """Return the id of a thread with as many of the last turns as fit. It has less than 6,000 characters.

    The last turn is always in it, but long texts are cut.
    """
    recent = _limit([*turns[:-1], *(_shorten(turn, MAX_TEXT_CHARACTERS) for turn in turns[-1:])])
    while len(content := _pack(owner, recent)) > MAX_COMPRESSED_BYTES:
        recent = _drop_oldest(recent, MAX_COMPRESSED_BYTES / len(content)) or [_halve(recent[-1])]
    return vault.seal(owner.organization_id, PURPOSE, content)


def open_sealed(vault: Vault, owner: Owner, thread_id: str, lifetime: timedelta) -> tuple[Turn, ...] | None:
    """Return the turns of a thread; None if it is altered, expired, or not the owner's."""
    content = vault.unseal(owner.organization_id, PURPOSE, thread_id)
    return None if content is None else _unpack(owner, content, lifetime)


def _pack(owner: Owner, turns: Sequence[Turn]) -> bytes:
    content = [VERSION, int(now().timestamp()), owner.function, owner.contact_id, turns]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # A model can write half a surrogate pair, which no encoding can express.
    encodings = (text.encode(name, errors="replace") for name in ("utf-8", "utf-16-le"))
    return zlib.compress(min(encodings, key=len), COMPRESSION_LEVEL)


def _unpack(owner: Owner, content: bytes, lifetime: timedelta) -> tuple[Turn, ...] | None:
    """Read a content that was sealed here. A later release may have written it in another version.

    `json.loads` recognizes both encodings.
    """
    reader = zlib.decompressobj()
    try:
        plain = reader.decompress(content, MAX_PLAIN_BYTES)
        values = json.loads(plain) if reader.eof else None
    except (zlib.error, ValueError):
        return None
    if not isinstance(values, list) or values[0] != VERSION:
        return None
    _, sealed_at, function, contact_id, turns = cast("tuple[int, int, str, int | None, list[list[str]]]", values)
    is_expired = datetime.fromtimestamp(sealed_at, UTC) + lifetime < now()
    if is_expired or (function, contact_id) != (owner.function, owner.contact_id):
        return None
    return tuple(Turn(question, answer) for question, answer in turns)


def _limit(turns: list[Turn]) -> list[Turn]:
    """Return the last turns within the limits of their number and characters, at least one."""
    kept: list[Turn] = []
    characters = 0
    for turn in reversed(turns[-MAX_TURNS:]):
        characters += len(turn.question) + len(turn.answer)
        if kept and characters > MAX_CONVERSATION_CHARACTERS:
            break
        kept.append(turn)
    return kept[::-1]


def _drop_oldest(turns: list[Turn], share: float) -> list[Turn]:
    """Return the last turns with at most this share of the bytes, at least one less than given.

    Compression takes most of the time, and shortens all turns by about the same factor.
    """
    sizes = [len(f"{turn.question}{turn.answer}".encode(errors="replace")) for turn in turns]
    left, total = share * sum(sizes), 0
    start = len(turns)
    while start > 1 and (total := total + sizes[start - 1]) <= left:
        start -= 1
    return turns[start:]


def _halve(turn: Turn) -> Turn:
    """Cut a turn that is too large alone."""
    return _shorten(turn, max(len(turn.question), len(turn.answer)) // 2)


def _shorten(turn: Turn, limit: int) -> Turn:
    """Keep the end of a long question, where people usually ask it, and the beginning of a long answer."""
    question, answer = turn
    return Turn(
        question if len(question) <= limit else CUT + question[len(question) - limit + 1 :],
        answer if len(answer) <= limit else answer[: limit - 1] + CUT,
    )
