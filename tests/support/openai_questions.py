"""A question to chat and one to the Responses API, through OpenAI's own library."""

from typing import Any

from openai import OpenAI
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

KEY = "sk-proj-alice0000000000wxyz"


def create_chat_completion(client: OpenAI, **more: Any) -> ChatCompletion:
    completion: ChatCompletion = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "What is ORS?"}], **more
    )
    return completion


def create_response(client: OpenAI, **more: Any) -> Response:
    response: Response = client.responses.create(model="gpt-5-pro", input="What is ORS?", **more)
    return response
