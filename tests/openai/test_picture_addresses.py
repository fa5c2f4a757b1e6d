"""Addresses of pictures: public https addresses pass unchanged, all others are refused with a sentence."""

import pytest

from glific_gpt.openai.picture_addresses import MAX_ADDRESS_CHARACTERS, read_address


@pytest.mark.parametrize(
    "address",
    [
        "https://media.example.org/field.jpg?Expires=1&Signature=a%2Fb~c__&Key-Pair-Id=@x",
        "HTTPS://Media.Example.org:8443/a%20b/%E0%A4%96.jpg",
        "https://8.8.8.8/field.jpg",
        "https://[2606:4700::1111]/field.jpg",
        "https://xn--e1afmkfd.xn--p1ai/field.jpg",
        "https://filemanager.gupshup.io/wa/69d27dd2/wa/media/8656?download=false",
    ],
)
def test_a_public_address_passes_as_it_is(address: str) -> None:
    assert read_address(f" {address}\n") == address


@pytest.mark.parametrize(
    ("address", "encoded"),
    [
        ("https://media.example.org/my field.jpg", "https://media.example.org/my%20field.jpg"),
        ("https://media.example.org/खेत.jpg", "https://media.example.org/%E0%A4%96%E0%A5%87%E0%A4%A4.jpg"),
        ("https://bücher.example/a.jpg", "https://xn--bcher-kva.example/a.jpg"),
    ],
)
def test_other_characters_are_encoded(address: str, encoded: str) -> None:
    assert read_address(address) == encoded


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "127.0.0.1",
        "192.168.1.1:8443",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - it is not bound
        "[::1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::a00:1]",
        "[::ffff:0:10.0.0.1]",
        "[fd00::1]",
        "[fe80::1]",
        "localhost",
        "LOCALHOST.",
        "intranet",
        "api.localhost",
        "metadata.google.internal",
        "printer.local",
        "nas.home.arpa",
        "0x7f000001",
        "2130706433",
    ],
)
def test_an_address_in_a_private_network_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"in a private network|not the address of a picture"):
        read_address(f"https://{host}/field.jpg")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("http://media.example.org/field.jpg", "must begin with https://"),
        ("ftp://media.example.org/field.jpg", "must begin with https://"),
        ("data:image/png;base64,AAAA", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("field.jpg", "must begin with https://"),
        ("https://user:secret@media.example.org/field.jpg", "user name"),
        ("https://media.example.org@10.0.0.1/field.jpg", "user name"),
        ("https://", "private network|not the address"),
        ("https:///field.jpg", "private network|not the address"),
        ("https://127.1/field.jpg", "not the address"),
        ("https://1.0x7f/field.jpg", "not the address"),
        ("https://a..example.org/field.jpg", "not the address"),
        ("https://media.example.org:99999999/field.jpg", "not the address"),
        ("https://media.example.org/" + "a" * MAX_ADDRESS_CHARACTERS, "too long"),
    ],
)
def test_another_text_is_refused(address: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        read_address(address)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["https://media.example.org\\@10.0.0.1/a.jpg", "https://10.0.0.1\\.example.org/a"])
def test_a_backslash_does_not_hide_another_host(address: str) -> None:
    try:
        read = read_address(address)
    except ValueError:
        return
    assert read.startswith("https://media.example.org/")
