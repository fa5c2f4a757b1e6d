"""Steps: what is left to set up before the first answer, each with the page on which it is done."""

from dataclasses import dataclass
from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from glific_gpt.usage.setup_checklist import Checklist


class Words(NamedTuple):
    """What is said of a step."""

    title: LazyString
    text: LazyString
    endpoint: str
    button: LazyString


@dataclass(frozen=True)
class Step:
    """One step of the checklist."""

    words: Words
    is_done: bool
    is_next: bool
    """The first that is not done."""


WORDS = {
    "key": Words(
        _("Add your OpenAI key"),
        _("Answers come from OpenAI and are paid from your account there."),
        "console.openai",
        _("Add the key"),
    ),
    "model": Words(
        _("Allow a model"),
        _("Choose which text models your flows may use."),
        "console.models",
        _("Choose models"),
    ),
    "token": Words(
        _("Make a token and paste it into Glific"),
        _("The page has everything that the webhook node needs, ready to copy."),
        "console.use_in_glific",
        _("Use it in Glific"),
    ),
    "call": Words(
        _("Get the first answer"),
        _("Try a question here, or send a message to your flow."),
        "console.try_it",
        _("Try it"),
    ),
}


def steps(checklist: Checklist) -> list[Step]:
    """In the order in which they are best done."""
    done = {name: bool(getattr(checklist, name)) for name in WORDS}
    first = next((name for name in WORDS if not done[name]), None)
    return [Step(words, done[name], name == first) for name, words in WORDS.items()]
