"""A Glific stand-in with simulated flows: it passes resumptions on to simulated conversations."""

from dataclasses import replace

from glific_gpt.flows.simulator import Conversation
from tests.support.glific_exchange import Resumption
from tests.support.glific_stand_in import GlificStandIn
from tests.support.glific_state import GlificState


def connect_conversations(glific: GlificStandIn, *conversations: Conversation) -> None:
    """Make these conversations the waiting flows of the stand-in until it is reset."""
    glific.state = _Simulated(conversations)


class _Simulated(GlificState):
    """The state of the stand-in, except that a flow waits if its conversation does."""

    def __init__(self, conversations: tuple[Conversation, ...]) -> None:
        super().__init__(one_wait_each=False)
        self._conversations = conversations

    def resume(self, resumed: Resumption) -> bool:
        delivered = resumed.delivered and any(_resumes(each, resumed) for each in self._conversations)
        return super().resume(replace(resumed, delivered=delivered))


def _resumes(conversation: Conversation, resumed: Resumption) -> bool:
    result = {resumed.result_name: resumed.result}
    return conversation.resume(result, contact_id=resumed.contact_id, flow_id=resumed.flow_id) is None
