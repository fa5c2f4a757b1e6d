"""Settings for tests, with generated secrets."""

from typing import Any

from cryptography.fernet import Fernet

from glific_gpt.settings import Settings

ENCRYPTION_KEY = Fernet.generate_key().decode()


def create_settings(**settings: Any) -> Settings:
    values = {"secret_key": "made-up-for-tests", "encryption_keys": ENCRYPTION_KEY, **settings}
    return Settings.model_validate(values)
