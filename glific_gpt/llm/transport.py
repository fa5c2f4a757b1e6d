"""Clients of OpenAI's library: one for each thread, and each call with its own organization's key alone."""

import ssl
import threading

from openai import Omit, OpenAI, RequestOptions
from pydantic import SecretStr

from glific_gpt.network import DeadlineTransport, ThreadClient

NO_KEY = "no-key"


class Clients(threading.local):
    """An openai client for each thread, all over one SSL context.

    A pool that a thousand threads share makes each wait for its lock; a pool for each thread does not.
    """

    def __init__(self, base_url: str, context: ssl.SSLContext) -> None:
        http = ThreadClient(DeadlineTransport(context))
        self.client = OpenAI(api_key=NO_KEY, base_url=base_url, http_client=http, max_retries=0)


def options_for(api_key: SecretStr) -> RequestOptions:
    """One call's own headers: this key, and nothing of what the library finds in the operator's environment."""
    authorization = f"Bearer {api_key.get_secret_value()}"
    return {"headers": {"Authorization": authorization, "OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}}
