"""The secret of a token: made from 256 random bits, kept only as a hash."""

import hashlib
import secrets

WEBHOOK_PREFIX = "ggw_"
API_PREFIX = "gga_"
# A prefix of our own lets scanners for leaked secrets find a token in a public repository.


def new_token(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """SHA-256 in hex. A plain hash is enough for a secret of full entropy, and fast enough for every call."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
