"""Which text models can answer by a JSON schema (OpenAI: Structured Outputs).

From https://developers.openai.com/api/docs/guides/structured-outputs: GPT-4o of August 2024 and later models.
"""

import re

from glific_gpt.openai.traits import base_model

_OLDER_MODELS = re.compile(
    r"^(?: gpt-3 | gpt-4(?:$|-) | gpt-4o-2024-05-13 | chatgpt-4o | o1-(?:mini|preview) )", re.VERBOSE
)
PREFERRED_MODELS = ("gpt-4o-2024-08-06", "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-5-mini", "gpt-5")
"""Models that can do it. Glific's own function asks the first one for every answer by a schema."""


def supports_json_schema(model_id: str) -> bool:
    """Return whether the model, or the model that it is a fine-tune of, can do it. True for an unknown family."""
    return _OLDER_MODELS.search(base_model(model_id)) is None
