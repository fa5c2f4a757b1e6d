"""Allowlist of Glific hosts: the operator's patterns, and protection of the operator's own network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.errors import HostNotAllowed, InvalidValue, SettingsError
from glific_gpt.glific.hosts import HostAllowlist

DEFAULT_PATTERNS = ("*.glific.com",)


def allows(patterns: tuple[str, ...], url: str) -> bool:
    try:
        HostAllowlist(patterns).validate_url(url)
    except InvalidValue:
        return False
    return True


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://api.seva.glific.com", "https://api.seva.glific.com"),
        ("https://api.seva.glific.com/", "https://api.seva.glific.com"),
        ("https://api.seva.glific.com/api", "https://api.seva.glific.com"),
        ("https://api.seva.glific.com/api/", "https://api.seva.glific.com"),
        (" HTTPS://API.Seva.Glific.COM:443/ ", "https://api.seva.glific.com"),
        ("https://api.सेवा.glific.com", "https://api.xn--y2bft8a.glific.com"),
    ],
)
def test_it_normalizes_a_url(url: str, normal: str) -> None:
    assert HostAllowlist(DEFAULT_PATTERNS).validate_url(url) == normal
    assert HostAllowlist(DEFAULT_PATTERNS).validate_url(normal) == normal


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.seva.glific.com",
        "//api.seva.glific.com",
        "ftp://api.seva.glific.com",
        "https://",
        "https:///api",
        "https://alice@api.seva.glific.com",
        "https://alice:secret@api.seva.glific.com",
        "https://evil.example\\@api.seva.glific.com",
        "https://api.seva.glific.com/api/v1/session",
        "https://api.seva.glific.com/api/../x",
        "https://api.seva.glific.com/?",
        "https://api.seva.glific.com?x=1",
        "https://api.seva.glific.com#x",
        "https://api.seva.glific.com\r\nx: y",
        "https://api seva.glific.com",
        "https://api..glific.com",
        "https://.glific.com",
        "https://-.glific.com",
        "https://api.seva.glific.com.",
        "https://*.glific.com",
        f"https://{'x' * 64}.glific.com",
        f"https://{'x.' * 150}glific.com",
        "https://api.seva.glific.com:99999",
        "https://api.seva.glific.com:x",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        "https://\ud800.glific.com",
        "https://api.seva.glific.com/\0",
    ],
)
def test_it_refuses_an_invalid_url_and_names_the_expected_form(url: str) -> None:
    with pytest.raises(InvalidValue, match=r"must look like https://api\.<shortcode>\.glific\.com"):
        HostAllowlist(("*", "*:*")).validate_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://glific.com",
        "https://evilglific.com",
        "https://api.glific.com.evil.example",
        "https://api.seva.glific.com:8443",
        "http://api.seva.glific.com",
        "http://api.seva.glific.com:443",
        "https://127.0.0.1",
        "https://localhost",
    ],
)
def test_it_refuses_a_host_without_a_pattern_and_names_the_patterns_to_administrators(url: str) -> None:
    with pytest.raises(HostNotAllowed) as refused:
        HostAllowlist(DEFAULT_PATTERNS).validate_url(url)
    assert refused.value.administrator_message.endswith("GLIFIC_GPT_GLIFIC_HOSTS allows: *.glific.com.")
    assert "*" not in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("glific.example.org", "https://glific.example.org"),
        ("GLIFIC.example.org", "https://glific.EXAMPLE.org"),
        ("api.*.example.org", "https://api.a.b.example.org"),
        ("glific-*.example.org", "https://glific-staging.example.org"),
        ("*", "https://api.seva.glific.com"),
        ("*", "https://8.8.8.8"),
        ("glific.example.org:8443", "https://glific.example.org:8443"),
        ("glific.example.org:*", "https://glific.example.org:4001"),
        ("http://glific.example.org", "http://glific.example.org"),
        ("http://glific.example.org:4000", "http://glific.example.org:4000"),
        ("https://glific.example.org", "https://glific.example.org"),
        ("127.0.0.1", "http://127.0.0.1:4000"),
        ("127.0.0.1", "https://127.0.0.1"),
        ("127.1.2.3", "http://127.1.2.3:1"),
        ("localhost", "http://localhost:4000"),
        ("localhost:4000", "https://localhost:4000"),
        ("[::1]", "http://[::1]:4000"),
        ("[::1]:4000", "http://[0:0:0:0:0:0:0:1]:4000"),
        ("10.0.0.5", "https://10.0.0.5"),
        ("http://10.0.0.5:4000", "http://10.0.0.5:4000"),
    ],
)
def test_it_allows_hosts_that_match_a_pattern(pattern: str, url: str) -> None:
    assert allows((pattern,), url)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("glific.example.org", "http://glific.example.org"),
        ("http://glific.example.org", "https://glific.example.org"),
        ("glific.example.org:8443", "https://glific.example.org"),
        ("https://127.0.0.1", "http://127.0.0.1"),
        ("localhost:4000", "http://localhost:4001"),
        ("localhost", "http://127.0.0.1"),
        ("127.0.0.1", "http://localhost"),
        ("127.0.0.1", "http://127.0.0.2"),
        ("10.0.0.5", "http://10.0.0.5"),
        ("10.0.0.5", "https://10.0.0.5:8443"),
        ("glific.example.org?", "https://glific.example.orgs"),
        ("api-glific.com", "https://apixglific.com"),
    ],
)
def test_it_refuses_hosts_that_do_not_match_a_pattern(pattern: str, url: str) -> None:
    try:
        assert not allows((pattern,), url)
    except SettingsError:
        assert "?" in pattern


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "api.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "10.0.0.5",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[fe80::1]",
        "[fc00::1]",
        "[ff02::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.5]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)
def test_no_wildcard_matches_a_private_host(host: str) -> None:
    wildcards = ("*", "*:*", "http://*:*", "https://*:*", "1*", "*.0.0.1", "127.*", "local*", "*.localhost")
    for scheme in ("http", "https"):
        assert not allows(wildcards, f"{scheme}://{host}")
        assert not allows(wildcards, f"{scheme}://{host}:8080")


def test_without_patterns_nothing_is_allowed() -> None:
    assert not allows((), "https://api.seva.glific.com")


@pytest.mark.parametrize(
    "pattern",
    ["", " ", "ftp://glific.com", "https://", "*.glific.com/api", "a b", "*:*:*", "::1", "[x]", "x:port", "सेवा.org"],
)
def test_an_invalid_pattern_raises_a_settings_error(pattern: str) -> None:
    with pytest.raises(SettingsError, match=r"GLIFIC_GPT_GLIFIC_HOSTS .* Write \*\.glific\.com"):
        HostAllowlist((pattern,))


def test_the_stars_of_a_pattern_are_limited() -> None:
    assert allows(("*a*b*c*.*.example.org",), "https://xa-b-c.d.example.org")
    with pytest.raises(SettingsError, match=r"has too many stars\. Use at most 5\."):
        HostAllowlist(("*a" * 6,))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.5",
        "169.254.169.254",
        "::1",
        "fe80::1%1",
        "::ffff:10.0.0.5",
        "64:ff9b::a00:5",
        "224.0.0.1",
        "fec0::1",
        "64:ff9b:1::808:808",
        "::808:808",
        "192.0.0.8",
    ],
)
def test_a_public_name_must_not_resolve_to_a_private_address(address: str) -> None:
    assert not HostAllowlist(("*", "127.0.0.1")).may_connect("api.seva.glific.com", address)
    assert not HostAllowlist(("*",)).may_connect("2130706433", address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_a_public_name_may_resolve_to_a_public_address_and_localhost_may_not(address: str) -> None:
    assert HostAllowlist(DEFAULT_PATTERNS).may_connect("api.seva.glific.com", address)
    assert not HostAllowlist(("localhost",)).may_connect("localhost", address)


def test_a_private_host_with_its_own_pattern_is_allowed() -> None:
    assert HostAllowlist(("localhost",)).may_connect("localhost", "127.0.0.1")
    assert HostAllowlist(("10.0.0.5",)).may_connect("10.0.0.5", "10.0.0.5")


@given(st.text() | st.from_regex(r"https?://[\w.@:\[\]%\\*-]{0,30}(/api)?"))
def test_every_input_is_normalized_or_refused_with_a_sentence(url: str) -> None:
    hosts = HostAllowlist(("*:*", "http://*:*"))
    message = None
    try:
        normal = hosts.validate_url(url)
    except InvalidValue as error:
        message = str(error)
    if message is None:
        assert hosts.validate_url(normal) == normal
        assert normal.isascii()
    else:
        assert message.endswith(".")
