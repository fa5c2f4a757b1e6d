"""The memory of one call: the earlier turns that came with it, and the thread id that continues the conversation."""

import json
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import JsonValue

from glific_gpt.calls import thread_ids
from glific_gpt.calls.thread_ids import Owner
from glific_gpt.glific.model_output import remove_thinking
from glific_gpt.openai.chat import Turn
from glific_gpt.vault import Vault

NEW, CONTINUED = "new", "continued"


@dataclass
class Memory:
    """The conversation of a call, as far as it is remembered. The server stores nothing of it."""

    turns: tuple[Turn, ...] = field(repr=False)
    """The earlier turns, the oldest first."""
    state: str
    """NEW or CONTINUED."""
    received: str | None = field(repr=False)
    """The thread id that came with the call, if it was valid."""
    _vault: Vault = field(repr=False)
    _owner: Owner
    _thread_id: str | None = field(default=None, repr=False)
    """The id for the next question, once the call has its answer."""

    @classmethod
    def open(cls, vault: Vault, owner: Owner, thread_id: str, hours: int) -> "Memory":
        """Open the thread, or begin a new one if it is altered, foreign, or older than that many hours."""
        turns = thread_ids.open_sealed(vault, owner, thread_id, timedelta(hours=hours)) if thread_id else None
        if turns is None:
            return cls((), NEW, None, vault, owner)
        return cls(turns, CONTINUED, thread_id, vault, owner)

    def remember(self, question: str, answer: str) -> None:
        """Make a new thread id, with one more turn. A function that asked no question adds none."""
        turns = (*self.turns, Turn(question, answer)) if question else self.turns
        self._thread_id = thread_ids.seal(self._vault, self._owner, turns)

    def fields_of_answer(self) -> dict[str, JsonValue]:
        """Return the keys of a successful answer."""
        return {"thread_id": self._thread_id, "memory": self.state} if self._thread_id else {}

    def fields_without_answer(self) -> dict[str, JsonValue]:
        """Return the keys of an error, or of the reply that the answer is pending.

        Glific replaces the flow's result by either of them, and the next question would begin a new conversation.
        """
        return {"thread_id": self.received} if self.received else {}


def text_to_remember(answer: JsonValue, message: JsonValue, *, is_cut: bool) -> str:
    """Return the text of an answer that the model is shown later, as its own.

    It is what the model wrote, because it would imitate WhatsApp's formatting in its next answers. Only of a text that
    was cut, it is what the person has received: an answer to "go on" begins there.
    """
    if not isinstance(answer, str):
        return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return message if is_cut and isinstance(message, str) else remove_thinking(answer).strip()
