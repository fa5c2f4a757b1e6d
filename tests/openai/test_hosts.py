"""The addresses of OpenAI and of other servers that a key may have, by the operator's patterns."""

import pytest

from glific_gpt.errors import InvalidValue, OpenAiHostNotAllowed, SettingsError
from glific_gpt.openai.hosts import REGIONS, OpenAiHosts, region_url, serves_openai

DEFAULT = ("api.openai.com", "*.api.openai.com")

NORMAL_FORMS = {
    "https://in.api.openai.com/v1": "https://in.api.openai.com/v1",
    " HTTPS://IN.API.OpenAI.com/v1/ ": "https://in.api.openai.com/v1",
    "https://eu.api.openai.com": "https://eu.api.openai.com/v1",
    "https://api.openai.com/v1/chat/completions": "https://api.openai.com/v1",
    "https://api.openai.com:443/v1": "https://api.openai.com/v1",
    "https://ngo.openai.azure.com/": "https://ngo.openai.azure.com/openai/v1",
    "https://ngo.services.ai.azure.com/openai/v1/responses": "https://ngo.services.ai.azure.com/openai/v1",
    "https://api.sarvam.ai/v1": "https://api.sarvam.ai/v1",
    "http://127.0.0.1:8080/v1": "http://127.0.0.1:8080/v1",
    "http://localhost:11434/v1": "http://localhost:11434/v1",
    "http://ollama:11434/v1": "http://ollama:11434/v1",
    "http://[::1]:8080": "http://[::1]:8080",
}
GENEROUS = OpenAiHosts(
    (
        *("api.openai.com", "*.api.openai.com", "*.azure.com", "api.sarvam.ai", "127.0.0.1:8080", "localhost"),
        *("http://ollama:11434", "[::1]:8080", "*"),
    )
)


@pytest.mark.parametrize("url", NORMAL_FORMS)
def test_an_address_gets_its_normal_form(url: str) -> None:
    normal = GENEROUS.validate_url(url)
    assert normal == NORMAL_FORMS[url]
    assert GENEROUS.validate_url(normal) == normal


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_is_allowed_by_default(region: str) -> None:
    assert OpenAiHosts(DEFAULT).validate_url(region_url(region)) == f"https://{region}.api.openai.com/v1"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.openai.com/v1",
        "https://api.openai.com:8443/v1",
        "https://api.openai.com.evil.example/v1",
        "https://evil.example/api.openai.com/v1",
        "https://openai.com/v1",
        "https://api.sarvam.ai/v1",
        "http://127.0.0.1:8080/v1",
        "http://localhost/v1",
        "https://169.254.169.254/v1",
    ],
)
def test_other_hosts_http_and_loopback_are_refused_by_default(url: str) -> None:
    with pytest.raises(OpenAiHostNotAllowed):
        OpenAiHosts(DEFAULT).validate_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/v1",
        "https://10.0.0.5/v1",
        "https://localhost/v1",
        "https://vllm/v1",
        "https://a.internal",
    ],
)
def test_a_wildcard_allows_no_private_host(url: str) -> None:
    with pytest.raises(OpenAiHostNotAllowed):
        OpenAiHosts(("*", "http://*:*")).validate_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "in.api.openai.com",
        "ftp://api.openai.com",
        "https://user@api.openai.com/v1",
        "https://api.openai.com/v1?key=1",
        "https://api.openai.com/v1#a",
        "https://api.openai.com/" + "a" * 300,
        "https://api.openai.com:0/v1",
        "https://ap i.openai.com/v1",
        "https://api.openai.com\\@evil.example/v1",
    ],
)
def test_text_that_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        OpenAiHosts(DEFAULT).validate_url(url)
    assert not isinstance(refused.value, OpenAiHostNotAllowed)


@pytest.mark.parametrize("address", ["10.0.0.5", "127.0.0.1", "169.254.169.254", "192.168.1.1", "::1", "fe80::1%eth0"])
def test_a_public_name_may_not_be_reached_at_a_private_address(address: str) -> None:
    hosts = OpenAiHosts(("llm.example.org", "*.example.org"))
    assert not hosts.may_connect("https://llm.example.org/v1", address)
    assert hosts.may_connect("https://llm.example.org/v1", "93.184.216.34")


def test_a_private_address_that_the_operator_names_may_be_reached() -> None:
    named = OpenAiHosts(("llm.example.org", "10.0.0.5"))
    assert named.may_connect("https://llm.example.org/v1", "10.0.0.5")
    assert not named.may_connect("https://llm.example.org/v1", "10.0.0.6")
    assert OpenAiHosts(("http://vllm:8000",)).may_connect("http://vllm:8000/v1", "172.18.0.3")
    assert OpenAiHosts(("127.0.0.1",)).may_connect("http://127.0.0.1:8080/v1", "127.0.0.1")


def test_localhost_is_this_machine_only() -> None:
    hosts = OpenAiHosts(("localhost",))
    assert hosts.may_connect("http://localhost:8080/v1", "127.0.0.1")
    assert not hosts.may_connect("http://localhost:8080/v1", "93.184.216.34")


def test_only_administrators_learn_the_patterns() -> None:
    with pytest.raises(OpenAiHostNotAllowed) as refused:
        OpenAiHosts(("llm.intern.example",)).validate_url("https://api.openai.com/v1")
    assert "intern" not in str(refused.value)
    assert "GLIFIC_GPT_OPENAI_HOSTS allows: llm.intern.example." in refused.value.administrator_message


def test_an_invalid_pattern_names_the_setting() -> None:
    with pytest.raises(SettingsError, match=r"GLIFIC_GPT_OPENAI_HOSTS contains 'https://a/b', which is not"):
        OpenAiHosts(("https://a/b",))


def test_openai_and_azure_have_openais_models() -> None:
    assert all(map(serves_openai, (None, region_url("in"), "https://ngo.openai.azure.com/openai/v1")))
    assert not any(map(serves_openai, ("https://api.sarvam.ai/v1", "https://api.openai.com.evil.example/v1")))


def test_the_console_offers_the_regions_that_are_allowed() -> None:
    assert OpenAiHosts(("api.openai.com", "in.api.openai.com")).allowed_regions() == ["in"]
    assert not OpenAiHosts(DEFAULT).allows_others
    assert OpenAiHosts(("*.openai.azure.com",)).allows_others
