"""Addresses of pictures: which ones may be passed to OpenAI, or fetched by this server."""

import re
from ipaddress import ip_address

import httpx2

from glific_gpt.network.ip_addresses import is_public

MAX_ADDRESS_CHARACTERS = 8192
"""Signed addresses of storage services have up to about 2,000."""

MAX_PORT = 65_536

MSG_NOT_HTTPS = "the address of a picture must begin with https://"
MSG_NOT_AN_ADDRESS = "this is not the address of a picture. Send one that begins with https://"
MSG_CREDENTIALS = "the address must not contain a user name or a password. Remove the part before @"
MSG_PRIVATE = "this address is in a private network. Send an address that everybody can open"

_LOCAL_NAMES = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".onion")
"""Names that only resolve inside a network (RFC 6761, RFC 6762, RFC 8375)."""
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
"""Dotted names whose last label begins with a letter: others are numbers that programs read as IPv4 addresses."""


def read_address(text: str) -> str:
    """Return the address of a picture; characters that no address can have are encoded.

    The address is checked by itself, without resolving its name. Raises ValueError with a sentence.
    """
    address = text.strip()
    if len(address) > MAX_ADDRESS_CHARACTERS:
        raise ValueError(f"this address is too long. It can have at most {MAX_ADDRESS_CHARACTERS} characters")
    if not address.lower().startswith("https://"):
        raise ValueError(MSG_NOT_HTTPS)
    try:
        parsed = httpx2.URL(address)
        host = parsed.raw_host.decode("ascii").lower().rstrip(".")
    except (httpx2.InvalidURL, ValueError):
        raise ValueError(MSG_NOT_AN_ADDRESS) from None
    if not (parsed.port is None or 0 < parsed.port < MAX_PORT):
        raise ValueError(MSG_NOT_AN_ADDRESS)
    if parsed.userinfo:
        raise ValueError(MSG_CREDENTIALS)
    _require_public_host(host)
    # Other programs read a backslash as a slash, so that another host may follow.
    return str(parsed) if not address.isascii() or re.search(r"[\s\\]", address) else address


def _require_public_host(host: str) -> None:
    try:
        is_private = not is_public(ip_address(host))
    except ValueError:
        is_private = "." not in host or host.endswith(_LOCAL_NAMES)
        if not is_private and not _HOST_NAME.fullmatch(host):
            raise ValueError(MSG_NOT_AN_ADDRESS) from None
    if is_private:
        raise ValueError(MSG_PRIVATE)
