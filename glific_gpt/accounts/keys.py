"""Keys for what belongs to signing in, derived from the server's secret key, one for each purpose."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr


def derive(secret_key: SecretStr, purpose: str) -> bytes:
    """The same at every start; it tells nothing about the secret key or about another purpose's."""
    info = f"glific_gpt:accounts:{purpose}".encode()
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(secret_key.get_secret_value().encode())
