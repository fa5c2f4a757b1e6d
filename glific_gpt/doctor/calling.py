"""Does a question get its answer? One real call, made by the flow that `flask flows export` makes."""

from dataclasses import replace

from glific_gpt.catalogue import policy
from glific_gpt.database import transaction
from glific_gpt.doctor.findings import Finding
from glific_gpt.doctor.judging import judged
from glific_gpt.doctor.own_token import lent
from glific_gpt.flows.making import Mode, Wish, make
from glific_gpt.flows.way_in import WayIn
from glific_gpt.organizations import store
from glific_gpt.ready_flows.rehearsing import rehearsal
from glific_gpt.services import services
from glific_gpt.simulator import Conversation
from glific_gpt.views import webhook_url

KEYWORD = "checkup"
QUESTION = "How much is two and two? Answer in one short sentence."


def look(slug: str) -> Finding:
    conversation = _held(slug)
    finding = judged(slug, conversation)
    return replace(finding, conversation=conversation.transcript(), lines=tuple(conversation.lines))


def _held(slug: str) -> Conversation:
    with transaction() as session:
        row = store.find(session, slug)
    model = policy.canonical(row.default_model or services().settings.default_model)
    url = webhook_url(services().settings.public_url, slug)
    with lent(slug) as token:
        wish = Wish(mode=Mode.SYNC, name="Check-up", keyword=KEYWORD, way_in=WayIn(url, token), model=model)
        conversation = rehearsal(slug, make(wish))
        conversation.start(KEYWORD)
        conversation.say(QUESTION)
    return conversation
