"""The address of the client, also behind the operator's own reverse proxies."""

from flask import Flask, current_app, request

from glific_gpt.network import ip_addresses
from glific_gpt.settings import Settings

TRUSTED_PROXY_COUNT = "GLIFIC_GPT_TRUSTED_PROXY_COUNT"
UNKNOWN = "unknown"


def init(app: Flask, settings: Settings) -> None:
    app.config[TRUSTED_PROXY_COUNT] = settings.trusted_proxy_count


def client_address() -> str:
    """Return the IP address that the outermost of our own proxies recorded, or "unknown" if it recorded none.

    Clients can send the entries before it.
    """
    address = ip_addresses.parse(_recorded_address())
    return UNKNOWN if address is None else str(address)


def client_network() -> str:
    """Return the part of the address that a client cannot change, as `ip_addresses.network` does."""
    return ip_addresses.network(_recorded_address())


def _recorded_address() -> str:
    proxies: int = current_app.config[TRUSTED_PROXY_COUNT]
    return (
        ip_addresses.client_of(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""), proxies)
        or UNKNOWN
    )
