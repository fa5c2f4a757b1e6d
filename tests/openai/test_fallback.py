"""A model with a fallback: each question is for the first model first."""

from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.openai.chat import Question
from glific_gpt.organizations.credentials.providers import OpenAi, OpenAiFields
from tests.support.openai_behaviours import unknown_model
from tests.support.openai_stand_in import OpenAIStandIn


def test_the_next_question_of_a_call_is_for_the_first_model_again(openai: OpenAIStandIn) -> None:
    key, deadline = SecretStr("sk-proj-made-up-for-tests-0123456789"), Deadline.after(10)
    model = OpenAi(openai.base_url).bind(OpenAiFields(api_key=key), "gpt-4o", deadline, "gpt-4.1-mini")
    openai.will(unknown_model())
    model.ask(Question("What is ORS?"))
    assert model.usage.fallback
    model.ask(Question("And now?"))
    assert not model.usage.fallback
    assert [request.model for request in openai.requests] == ["gpt-4o", "gpt-4.1-mini", "gpt-4o"]
