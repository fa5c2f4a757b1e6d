"""Later: the durable work of one call, step by step: answer, then tell the flow, again later until it is settled."""

from dataclasses import dataclass

from glific_gpt.calls.later.answering import Answering
from glific_gpt.calls.later.telling import Telling
from glific_gpt.durable import Durable


@dataclass(frozen=True)
class Later:
    """What a process that was killed in between finds done is not done again."""

    answering: Answering
    telling: Telling

    def work(self, call_id: str, durable: Durable) -> float | None:
        """For the engine: seconds until it is to be called again. The order of its steps belongs to its VERSION.

        A Glific that is away must not hold the places in which others' questions could be asked.
        """
        durable.step("answer", lambda: self.answering.answer(call_id))
        return durable.step("tell", lambda: self.telling.tell(call_id))
