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
    "token": StepText(
        _("Create a token and paste it into Glific"),
        _("The page shows everything that the webhook node needs, ready to copy."),
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
    """Return the steps in their recommended order."""
    done = {name: bool(getattr(checklist, name)) for name in STEP_TEXTS}
    first = next((name for name in STEP_TEXTS if not done[name]), None)
    return [SetupStep(texts, done[name], name == first) for name, texts in STEP_TEXTS.items()]
