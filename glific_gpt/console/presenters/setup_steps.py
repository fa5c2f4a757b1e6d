"""Setup steps before the first answer, each with the page on which it is done."""

from dataclasses import dataclass
from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from glific_gpt.usage.setup_checklist import SetupChecklist


class StepText(NamedTuple):
    """Text and link of a step."""

    title: LazyString
    text: LazyString
    endpoint: str
    button: LazyString


@dataclass(frozen=True)
class SetupStep:
    """One step of the checklist."""

    texts: StepText
    is_done: bool
    is_next: bool
    """True for the first step that is not done."""


STEP_TEXTS = {
    "key": StepText(
        _("Add your OpenAI key"),
        _("OpenAI gives the answers and charges your account there."),
        "console.openai",
        _("Add the key"),
    ),
    "model": StepText(
        _("Allow a model"),
        _("Choose which text models your flows may use."),
        "console.models",
        _("Choose models"),
    ),
    "test": StepText(
        _("Ask a test question"),
        _("It shows that your key works. OpenAI charges for the answer."),
        "console.try_it",
        _("Try it"),
    ),
    "flow": StepText(
        _("Put the flow into Glific"),
        _("Download the flow, import it in Glific, and publish it there."),
        "console.use_in_glific",
        _("Use it in Glific"),
    ),
    "call": StepText(
        _("Get the first message from Glific"),
        _("Send the flow's keyword from your phone to your organization's WhatsApp number, then ask a question."),
        "console.use_in_glific",
        _("Use it in Glific"),
    ),
}


def build_setup_steps(checklist: SetupChecklist) -> list[SetupStep]:
    """Return the steps in their recommended order. Models are allowed by default, so that step is usually left out."""
    done = {name: bool(getattr(checklist, name)) for name in STEP_TEXTS if name != "model" or not checklist.model}
    first = next((name for name in done if not done[name]), None)
    return [SetupStep(texts, done[name], name == first) for name, texts in STEP_TEXTS.items() if name in done]
