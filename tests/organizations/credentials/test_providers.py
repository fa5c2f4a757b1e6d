"""The clients of a provider: one for each address of keys."""

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import InvalidApiKey, InvalidKey, UpstreamError
from glific_gpt.openai.hosts import OpenAiHosts, region_url
from glific_gpt.organizations.credentials import providers
from glific_gpt.organizations.credentials.providers import OpenAi, OpenAiFields, read_fields
from tests.support.openai_behaviours import never_respond
from tests.support.openai_stand_in import OpenAIStandIn

PROVIDER_HOSTS = OpenAiHosts(("api.openai.com", "*.api.openai.com", "llm.example.org", "*.openai.azure.com"))


@pytest.fixture
def provider() -> OpenAi:
    return OpenAi("https://api.openai.com/v1", PROVIDER_HOSTS)


def test_each_address_has_a_client_of_its_own(provider: OpenAi) -> None:
    europe = provider.gateway_at(region_url("eu"))
    assert provider.gateway_at(region_url("eu")) is europe
    assert provider.gateway_at(None) is provider.gateway
    assert len({id(provider.gateway_at(region_url(region))) for region in ("eu", "us", "in")}) == 3


def test_clients_are_kept_for_a_limited_number_of_addresses(provider: OpenAi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "MAX_GATEWAYS", 2)
    europe = provider.gateway_at(region_url("eu"))
    provider.gateway_at(region_url("us"))
    assert provider.gateway_at(region_url("eu")) is europe  # used last
    provider.gateway_at(region_url("in"))
    assert len(provider._others) == 2
    assert provider.gateway_at(region_url("eu")) is europe


def test_only_other_servers_are_checked_for_private_addresses(provider: OpenAi) -> None:
    """Nobody else has a certificate for a host of OpenAI or Azure, and private links of Azure are private."""
    pools = {
        base_url: provider.gateway_at(base_url)._client._pool
        for base_url in (region_url("in"), "https://ngo.openai.azure.com/openai/v1", "https://llm.example.org/v1")
    }
    checks = [pool._allows for pool in pools.values()]
    assert checks[:2] == [None, None]
    assert checks[2]
    assert [checks[2](address) for address in ("10.0.0.5", "93.184.216.34")] == [False, True]


def test_an_address_that_is_not_allowed_has_no_client(provider: OpenAi) -> None:
    with pytest.raises(InvalidApiKey):
        provider.gateway_at("https://evil.example/v1")


@pytest.mark.parametrize("base_url", ["https://llm.example.org/v1", "https://ngo.openai.azure.com/openai/v1"])
@pytest.mark.parametrize("key", ["EMPTY", "gsk_0123456789", "0" * 32, "sk-ant-0123456789"])
def test_keys_of_other_servers_may_have_any_form(provider: OpenAi, key: str, base_url: str) -> None:
    fields = read_fields(provider, {"api_key": SecretStr(f" {key}\n")}, base_url)
    assert isinstance(fields, OpenAiFields)
    assert (fields.api_key.get_secret_value(), fields.base_url) == (key, base_url)


@pytest.mark.parametrize("base_url", [None, region_url("in")])
def test_openai_gets_keys_of_openai_only(provider: OpenAi, base_url: str | None) -> None:
    for key in ("EMPTY", "gsk_0123456789", "0" * 32):
        with pytest.raises(InvalidKey):
            read_fields(provider, {"api_key": SecretStr(key)}, base_url)


@pytest.mark.parametrize("key", ["ggw_0123456789", "gga_0123456789", "two words", "", "ключ"])
def test_tokens_of_this_server_and_other_text_are_no_keys_anywhere(provider: OpenAi, key: str) -> None:
    with pytest.raises(InvalidKey):
        read_fields(provider, {"api_key": SecretStr(key)}, "https://llm.example.org/v1")


def test_a_short_key_is_not_shown(provider: OpenAi) -> None:
    shown = [provider.last4(OpenAiFields.model_construct(api_key=SecretStr(key))) for key in ("EMPTY", "k" * 8, "ab")]
    assert shown == ["Y", "kk", "b"]
    assert provider.last4(OpenAiFields(api_key=SecretStr("sk-proj-0123456789-wxyz"))) == "wxyz"


def test_a_silent_server_is_named(other_openai: OpenAIStandIn) -> None:
    other_openai.for_models(never_respond())
    provider = OpenAi("https://api.openai.com/v1", OpenAiHosts(("127.0.0.1",)))
    fields = OpenAiFields(api_key=SecretStr("EMPTY"), base_url=other_openai.base_url)
    with pytest.raises(UpstreamError, match=r"^The server 127\.0\.0\.1 could not be reached"):
        provider.verify(fields, Deadline.after(0.3))
