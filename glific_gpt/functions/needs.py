"""Capabilities that functions need of a model, and the check whether a model has them."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from glific_gpt.errors import MSG_READS_NO_PICTURES, MSG_SEARCHES_NO_FILES, ModelNotSupported
from glific_gpt.functions.contract import Need
from glific_gpt.openai.traits import accepts_pictures, searches_files


class _Capability(NamedTuple):
    is_present: Callable[[str], bool]
    """Tells whether a model has it."""
    message: str
    """Message for a model without it."""


_CAPABILITIES = {
    Need.PICTURES: _Capability(accepts_pictures, MSG_READS_NO_PICTURES),
    Need.FILE_SEARCH: _Capability(searches_files, MSG_SEARCHES_NO_FILES),
}
"""Every model that questions may be sent to has the others."""


def find_refusal(model: str, needs: Iterable[Need]) -> ModelNotSupported | None:
    """Return the error for a model that lacks one of these capabilities; None if it has them all."""
    for need, capability in _CAPABILITIES.items():
        if need in needs and not capability.is_present(model):
            return ModelNotSupported(capability.message.format(model=model))
    return None
