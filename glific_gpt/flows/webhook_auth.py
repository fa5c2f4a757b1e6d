"""Where a webhook node calls this server, and what lets it in."""

from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True)
class WayIn:
    """The address and the token of one organization."""

    url: str
    """`https://<host>/webhooks/<organization>/parse_via_chat_gpt`, without a query."""
    token: SecretStr | None
    """None where Glific's signature alone lets a call in."""

    def headers(self) -> dict[str, str]:
        """What the node sends, token included; only a flow's file may hold it."""
        plain = {"Accept": "application/json", "Content-Type": "application/json"}
        if self.token is None:
            return plain
        return plain | {"Authorization": f"Bearer {self.token.get_secret_value()}"}
