"""Insert organizations, each with its own token, key and allowlist, directly into a migrated database."""

import json
from typing import cast

import sqlalchemy as sa
from pydantic import SecretStr

from benchmarks.server import ALLOWED_MODEL, API_KEY, webhook_url
from benchmarks.targets import WEBHOOK_BODY, Target
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization, WebhookToken
from glific_gpt.organizations.tokens import WEBHOOK_PREFIX, generate_token, hash_token
from glific_gpt.vault import Vault

MAX_CALLED_ORGANIZATIONS = 100


def seed_organizations(environ: dict[str, str], count: int) -> list[Target]:
    """Insert `count` organizations with ids from 1. Return targets for at most MAX_CALLED_ORGANIZATIONS of them."""
    vault = Vault([SecretStr(environ["GLIFIC_GPT_ENCRYPTION_KEYS"])])
    tokens = [generate_token(WEBHOOK_PREFIX) for _ in range(count)]
    ids = range(1, count + 1)
    engine = sa.create_engine(environ["GLIFIC_GPT_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(sa.insert(_table(Organization)), [_organization(number) for number in ids])
        connection.execute(sa.insert(_table(WebhookToken)), [_token(*each) for each in zip(ids, tokens, strict=True)])
        connection.execute(sa.insert(_table(Credential)), [_credential(vault, number) for number in ids])
    engine.dispose()
    chosen = list(zip(ids, tokens, strict=True))[:: -(-count // MAX_CALLED_ORGANIZATIONS)]
    return [
        Target(webhook_url(environ, _slug(number)), {"Authorization": f"Bearer {token}"}, dict(WEBHOOK_BODY))
        for number, token in chosen
    ]


def _organization(number: int) -> dict[str, object]:
    return {"id": number, "slug": _slug(number), "name": "Seeded", "allowed_models": [ALLOWED_MODEL]}


def _token(number: int, token: str) -> dict[str, object]:
    return {"organization_id": number, "label": "seeded", "token_hash": hash_token(token)}


def _credential(vault: Vault, number: int) -> dict[str, object]:
    ciphertext = vault.encrypt(number, "open_ai", json.dumps({"api_key": API_KEY}))
    return {"organization_id": number, "provider": "open_ai", "ciphertext": ciphertext, "last4": API_KEY[-4:]}


def _slug(number: int) -> str:
    return f"seeded-{number}"


def _table(model: type) -> sa.Table:
    return cast("sa.Table", model.__table__)  # type: ignore[attr-defined]
