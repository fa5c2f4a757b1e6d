"""The server address that a webhook node calls, and the headers that authenticate it."""

from dataclasses import dataclass

import httpx2
from pydantic import SecretStr


@dataclass(frozen=True)
class WebhookEndpoint:
    """The webhook address and token of one organization."""

    url: str
    """`https://<host>/webhooks/<organization>/parse_via_chat_gpt`, without a query."""
    token: SecretStr | None
    """None if calls are authenticated by Glific's signature alone."""

    def url_of(self, function: str) -> str:
        """Return the address of another function of the organization."""
        return self.url[: self.url.rfind("/") + 1] + function

    def headers(self) -> dict[str, str]:
        """Return the headers of the node. They hold the token in plain text, so write them to a flow file only."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.get_secret_value()}"
        return headers


def is_url_of_server(url: str, server: str) -> bool:
    """Return whether a call of the address goes to the server: same scheme, host and port, and below its path.

    Both are parsed by httpx2, which also sends the calls. A second parser could read a crafted address differently.
    """
    try:
        called, own = httpx2.URL(url), httpx2.URL(server)
    except (httpx2.InvalidURL, ValueError, TypeError):
        return False
    is_same_origin = (called.scheme, called.host, _port(called)) == (own.scheme, own.host, _port(own))
    return is_same_origin and called.path.startswith(own.path.rstrip("/") + "/")


def _port(url: httpx2.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)
