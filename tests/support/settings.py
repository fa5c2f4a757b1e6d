"""Settings for tests: made-up secrets, and whatever a test wants otherwise."""

from typing import Any

from cryptography.fernet import Fernet

from glific_gpt.settings import Settings

ENCRYPTION_KEY = Fernet.generate_key().decode()


def create_settings(**wanted: Any) -> Settings:
    values = {"secret_key": "made-up-for-tests", "encryption_keys": ENCRYPTION_KEY, **wanted}
    return Settings.model_validate(values)
