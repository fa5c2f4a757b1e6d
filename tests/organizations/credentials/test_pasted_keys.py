"""Pasted keys: what was copied with a key is removed, and other things are refused with what they are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select

from glific_gpt.database import transaction
from glific_gpt.errors import InvalidKey
from glific_gpt.organizations.credentials import pasted_keys
from glific_gpt.organizations.credentials.providers import OpenAi, OpenAiFields, read_fields
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tokens import API_PREFIX, WEBHOOK_PREFIX
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import require_ok

TOKEN = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY"  # not random: the processes of a test run collect the same tests
KEY = "sk-proj-Ab3_dE-0123456789xyzT3BlbkFJ9876543210"


@pytest.mark.parametrize(
    "pasted",
    [
        KEY,
        f" {KEY}\n",
        f'"{KEY}"',
        f"'{KEY}',",
        f"“{KEY}”",
        f"`{KEY}`",
        f"OPENAI_API_KEY={KEY}",
        f"export OPENAI_API_KEY='{KEY}'",
        f"openai_api_key = {KEY};",
        f"OPENAI_KEY: {KEY}",
        f"API key: {KEY}",
        f"key={KEY}",
        f"Bearer {KEY}",
        f"bearer  {KEY}",
        f"Authorization: Bearer {KEY}",
        f'-H "Authorization: Bearer {KEY}"',
        f'{{"api_key": "{KEY}"}}',
        f'"api_key": "{KEY}",',
        f"$env:OPENAI_API_KEY={KEY}",
        f"\ufeff{KEY}\u200b",
        f"\u202a{KEY[:20]}\u200d{KEY[20:]}\u202c",
        f"\u00a0{KEY}\u3000",
        KEY.replace("-", "\u2011"),
        KEY.replace("-", "\u2013"),
    ],
)
def test_what_was_copied_with_a_key_is_removed(pasted: str) -> None:
    fields = read_fields(OpenAi("https://api.openai.com/v1"), {"api_key": SecretStr(pasted)})
    assert isinstance(fields, OpenAiFields)
    assert fields.api_key.get_secret_value() == KEY


@pytest.mark.parametrize(
    ("pasted", "word"),
    [
        ("https://platform.openai.com/api-keys", "address"),
        ("platform.openai.com/account/api-keys", "address"),
        ("http://127.0.0.1:8000/webhooks/seva/parse_via_chat_gpt", "address"),
        ("sk-ant-api03-Ab3dE0123456789", "Anthropic"),
        ("Bearer sk-ant-api03-Ab3dE0123456789", "Anthropic"),
        ("AIzaSyA0123456789abcdefghijklmnopqrstuv", "Google"),
        ("gsk_0123456789abcdefABCDEF", "Groq"),
        ("hf_0123456789abcdefABCDEF", "Hugging Face"),
        ("xai-0123456789abcdefABCDEF", "xAI"),
        ("sk-or-v1-0123456789abcdef", "OpenRouter"),
        ("pplx-0123456789abcdef", "Perplexity"),
        ("r8_0123456789abcdefABCDEF", "another company"),
        ("AKIAIOSFODNN7EXAMPLE", "another company"),
        ("ghp_0123456789abcdefABCDEF", "another company"),
        ("0123456789abcdef0123456789abcdef", "Azure"),
        ("AZURE_OPENAI_API_KEY=0123456789ABCDEF0123456789ABCDEF", "Azure"),
        (f"{'aB3' * 17}JQQJ99BCACYeBjFXJ3w3AAABACOGabcd", "Azure"),
        (f"{WEBHOOK_PREFIX}{TOKEN}", "webhook token"),
        (f"Bearer {WEBHOOK_PREFIX}{TOKEN}", "webhook token"),
        (f"{API_PREFIX}{TOKEN}", "API token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "sign-in token"),
        ("sk-admin-0123456789abcdef", "admin key"),
        ("sess-0123456789abcdef", "sign-in token"),
        ("org-0123456789abcdef", "id of something"),
        ("proj_0123456789abcdef", "id of something"),
        ("asha@example.org", "e-mail"),
        ("sk-proj-...wxyz", "part of a key"),
        ("sk-********wxyz", "part of a key"),
        ("$OPENAI_API_KEY", "part of a key"),
        ("gAAAAABmQ0123456789", "encrypted"),
        ("my secret key", "not an OpenAI key"),
        ("short", "not an OpenAI key"),
        ("", "not an OpenAI key"),
        (f"{KEY} {KEY}", "not an OpenAI key"),
        (f"{KEY}\x00", "not an OpenAI key"),
        ("कुंजी-0123456789", "not an OpenAI key"),
        ("sk-" + "a" * 500, "not an OpenAI key"),
    ],
)
def test_other_things_are_refused_with_what_they_are(pasted: str, word: str) -> None:
    with pytest.raises(InvalidKey) as caught:
        read_fields(OpenAi("https://api.openai.com/v1"), {"api_key": SecretStr(pasted)})
    assert word in caught.value.reason
    assert str(caught.value).startswith("api_key: this ")
    assert len(pasted) < 9 or pasted not in str(caught.value)


@pytest.mark.parametrize(
    "key", ["sk-0123456789abcdef0123456789abcdef", "sk-svcacct-Ab3", "sk-None-Ab3dE01", "sk-local"]
)
def test_keys_of_all_kinds_of_openai_are_accepted(key: str) -> None:
    assert pasted_keys.refusal(pasted_keys.clean(key)) is None


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=20, max_size=100))
def test_cleaning_changes_no_key(rest: str) -> None:
    key = f"sk-proj-{rest}".rstrip("\"'`´,;<>()[]{}")
    assert pasted_keys.clean(key) == key
    assert pasted_keys.clean(f"OPENAI_API_KEY='{key}'") == key


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_key_that_was_saved_under_older_rules_still_works(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    key, vault = "0123456789abcdef0123456789abcdef", alice.server.services.vault
    with alice.server.app.app_context(), transaction() as session:
        saved = session.scalars(select(Credential)).one()
        saved.ciphertext = vault.encrypt(saved.organization_id, saved.provider, json.dumps({"api_key": key}))
    require_ok(alice.ask())
    assert openai.requests[-1].api_key == key


def test_a_long_text_is_read_in_a_moment() -> None:
    for text in ("sk-" * 500_000, "api_key=" * 200_000, "a-" * 500_000, "secret_" * 200_000, '{"' * 500_000):
        assert pasted_keys.refusal(pasted_keys.clean(text)) is not None
