"""Steps: what is left to set up before the first answer, each with the page on which it is done."""

from dataclasses import dataclass
from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from glific_gpt.usage.setup_checklist import SetupChecklist


class StepText(NamedTuple):
    """What is said of a step."""

    title: LazyString
    text: LazyString
    endpoint: str
    button: LazyString


@dataclass(frozen=True)
class SetupStep:
    """One step of the checklist."""

    words: StepText
    is_done: bool
    is_next: bool
    """The first that is not done."""


STEP_TEXTS = {
    "key": StepText(
        _("Add your OpenAI key"),
        _("Answers come from OpenAI and are paid from your account there."),
        "console.openai",
        _("Add the key"),
    ),
    "model": StepText(
        _("Allow a model"),
        _("Choose which text models your flows may use."),
        "console.models",
        _("Choose models"),
    ),
    "token": StepText(
        _("Make a token and paste it into Glific"),
        _("The page has everything that the webhook node needs, ready to copy."),
        "console.use_in_glific",
        _("Use it in Glific"),
    ),
    "call": StepText(
        _("Get the first answer"),
        _("Try a question here, or send a message to your flow."),
        "console.try_it",
        _("Try it"),
    ),
}


def build_setup_steps(checklist: SetupChecklist) -> list[SetupStep]:
    """In the order in which they are best done."""
    done = {name: bool(getattr(checklist, name)) for name in STEP_TEXTS}
    first = next((name for name in STEP_TEXTS if not done[name]), None)
    return [SetupStep(words, done[name], name == first) for name, words in STEP_TEXTS.items()]
