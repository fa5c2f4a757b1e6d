"""The provider OpenAI: one API key, verified by listing the models that it reaches."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.credentials.provider import SecretFields, Verdict
from glific_gpt.errors import DeadlineExceeded, UpstreamError
from glific_gpt.llm.gateway import BoundModel, Gateway


def _plausible(key: SecretStr) -> SecretStr:
    """A key travels in a header, so it is printable ASCII without spaces; what was pasted around it is taken off."""
    text = key.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]{8,500}", text):
        raise ValueError("this is not an OpenAI key: paste the whole key, which begins with sk-, and nothing else")
    return SecretStr(text)


class OpenAiFields(SecretFields):
    api_key: Annotated[SecretStr, AfterValidator(_plausible)]


@dataclass(frozen=True)
class OpenAi:
    """Verifies keys through the gateway that also asks the models."""

    gateway: Gateway
    name: str = "open_ai"
    label: str = "OpenAI (ChatGPT)"
    fields: type[SecretFields] = OpenAiFields

    def last4(self, secrets: OpenAiFields) -> str:
        return secrets.api_key.get_secret_value()[-4:]

    def verify(self, secrets: OpenAiFields, deadline: Deadline) -> Verdict:
        try:
            return Verdict(self.gateway.list_models(secrets.api_key, deadline))
        except DeadlineExceeded:
            raise UpstreamError from None

    def bind(self, secrets: OpenAiFields, model: str, deadline: Deadline) -> BoundModel:
        """A model to ask with this key."""
        return self.gateway.bind(secrets.api_key, model, deadline)
