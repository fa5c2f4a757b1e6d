"""Ids of models that the openai library knows, for when a key's own list is not there."""

from functools import cache
from typing import get_args


@cache
def model_ids() -> list[str]:
    """Sorted ids of every kind of model, from the library's type lists."""
    from openai import types
    from openai.types.shared.all_models import AllModels
    from openai.types.shared.chat_model import ChatModel

    listed = (ChatModel, types.AudioModel, types.EmbeddingModel, types.ImageModel, types.ModerationModel)
    ids = {name for alias in listed for name in get_args(alias)}
    ids |= {name for part in get_args(AllModels) for name in get_args(part)}
    return sorted(ids)
