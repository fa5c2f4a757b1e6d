"""Pictures that this server downloads: for organizations that choose so, from public addresses, within limits."""

from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from glific_gpt.openai import picture_client
from glific_gpt.openai.picture_client import MAX_PICTURE_BYTES, allow_public
from glific_gpt.openai.picture_downloads import DOWNLOADS_PER_ORGANIZATION
from tests.conftest import StartServer
from tests.support.deferred import create_connected_organization, pending_call_id, resumed_result, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, server_error
from tests.support.openai_pictures import find_pictures
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.picture_server import JPEG, Page, PictureServer, run_picture_server
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import get_code
from tests.webhooks.test_pictures import ask, require_refusal

PNG = b"\x89PNG\r\n\x1a\nfield"


@pytest.fixture
def pictures(tmp_path: Path) -> Iterator[PictureServer]:
    with run_picture_server(tmp_path) as pictures:
        yield pictures


@pytest.fixture
def alice(server: RunningServer, pictures: PictureServer) -> TestOrganization:
    use_pictures(server, pictures)
    return server.add_organization("alice", fetch_images=True)


def use_pictures(server: RunningServer, pictures: PictureServer) -> None:
    server.services.model_provider.gateway.pictures = pictures.downloads()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "kind"),
    [(JPEG, "jpeg"), (PNG, "png"), (b"GIF89a.", "gif"), (b"GIF87a.", "gif"), (b"RIFF\0\0\0\0WEBPVP8 ", "webp")],
)
def test_openai_gets_the_bytes_and_the_type_that_they_have(
    alice: TestOrganization, pictures: PictureServer, openai: OpenAIStandIn, body: bytes, kind: str
) -> None:
    pictures.pages["/field.jpg"] = Page(body, headers={"content-type": "image/tiff"})
    assert ask(alice, url=f"{pictures.url}/field.jpg?signature=c2VjcmV0").is_success
    [picture] = find_pictures(openai.requests[0])
    start, _, encoded = picture.partition(",")
    assert (start, b64decode(encoded)) == (f"data:image/{kind};base64", body)
    [(path, headers)] = pictures.requests
    assert path == "/field.jpg?signature=c2VjcmV0"
    assert not {"authorization", "cookie", "referer"} & headers.keys()


def test_a_picture_of_almost_20_mb_arrives_whole(
    alice: TestOrganization, pictures: PictureServer, openai: OpenAIStandIn
) -> None:
    body = JPEG + b"x" * (MAX_PICTURE_BYTES - len(JPEG))
    pictures.pages["/field.jpg"] = Page(body)
    assert ask(alice, url=f"{pictures.url}/field.jpg").is_success
    assert b64decode(find_pictures(openai.requests[0])[0].partition(",")[2]) == body


def test_redirects_are_followed_to_public_addresses(
    alice: TestOrganization, pictures: PictureServer, openai: OpenAIStandIn
) -> None:
    pictures.pages["/a"] = Page(b"", 302, {"location": "/b?x=1"})
    pictures.pages["/b"] = Page(b"", 307, {"location": f"{pictures.url}/field.jpg"})
    assert ask(alice, url=f"{pictures.url}/a").is_success
    assert [path for path, _ in pictures.requests] == ["/a", "/b?x=1", "/field.jpg"]


@pytest.mark.parametrize(
    "location",
    [
        "https://10.0.0.1/a.jpg",
        "https://localhost/a.jpg",
        "http://media.example.org/a.jpg",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
def test_a_redirect_elsewhere_is_refused(
    alice: TestOrganization, pictures: PictureServer, openai: OpenAIStandIn, location: str
) -> None:
    pictures.pages["/a"] = Page(b"", 302, {"location": location})
    sentence = "url: this address leads to another one" if location else "url: this server could not download"
    require_refusal(ask(alice, url=f"{pictures.url}/a"), "invalid_field", sentence)
    assert openai.requests == []


def test_endless_redirects_end(alice: TestOrganization, pictures: PictureServer) -> None:
    pictures.pages["/a"] = Page(b"", 302, {"location": "/a"})
    require_refusal(ask(alice, url=f"{pictures.url}/a"), "invalid_field", "url: this server could not download")
    assert len(pictures.requests) == 4


def test_a_public_name_with_a_private_address_is_not_connected_to(
    alice: TestOrganization, pictures: PictureServer, openai: OpenAIStandIn
) -> None:
    alice.server.services.model_provider.gateway.pictures = pictures.downloads(allow_public)  # type: ignore[attr-defined]
    sentence = "url: this address is in a private network."
    require_refusal(ask(alice, url=f"{pictures.url}/field.jpg"), "invalid_field", sentence)
    assert (pictures.requests, openai.requests) == ([], [])


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (Page(status=404), "url: this server could not download this picture."),
        (Page(status=403), "url: this server could not download this picture."),
        (Page(b"<html>Sign in</html>"), "url: this is not a picture that OpenAI can read."),
        (Page(b""), "url: this is not a picture that OpenAI can read."),
        (Page(b"%PDF-1.7"), "url: this is not a picture that OpenAI can read."),
        (Page(b"", headers={"content-length": str(MAX_PICTURE_BYTES + 1)}), "url: this picture is larger than 20 MB."),
        (Page(JPEG + b"x" * MAX_PICTURE_BYTES), "url: this picture is larger than 20 MB."),
        (Page(JPEG + b"x" * MAX_PICTURE_BYTES, declares_length=False), "url: this picture is larger than 20 MB."),
    ],
    ids=["404", "403", "html", "empty", "pdf", "declared", "large", "undeclared"],
)
def test_something_else_than_a_picture_costs_nothing_and_is_not_logged(
    alice: TestOrganization, pictures: PictureServer, openai: OpenAIStandIn, page: Page, sentence: str
) -> None:
    pictures.pages["/a"] = page
    with capture_logs() as logs:
        require_refusal(ask(alice, url=f"{pictures.url}/a?signature=c2VjcmV0"), "invalid_field", sentence)
        wait_until(lambda: [line for line in logs if line["event"] == "call_finished"])
    [call] = alice.calls()
    assert (openai.requests, call["cost_usd"]) == ([], None)
    assert "media.example.org" not in f"{call}{logs}"
    [line] = [line for line in logs if line["event"] == "call_finished"]
    assert line["cause"].startswith("picture: ")


def test_keys_with_an_address_of_their_own_share_the_downloads_of_the_process(
    start_server: StartServer, pictures: PictureServer, other_openai: OpenAIStandIn
) -> None:
    server = start_server(openai_hosts="127.0.0.1")
    use_pictures(server, pictures)
    alice = server.add_organization("alice", fetch_images=True)
    alice.set_key("a-key-of-this-server", base_url=other_openai.base_url)
    assert ask(alice, url=f"{pictures.url}/field.jpg").is_success
    assert find_pictures(other_openai.requests[0])[0].startswith("data:image/jpeg;base64,")


def test_a_slow_server_ends_the_call_in_time(
    start_server: StartServer, pictures: PictureServer, openai: OpenAIStandIn
) -> None:
    server = start_server(deadline_seconds=0.5)
    use_pictures(server, pictures)
    alice = server.add_organization("alice", fetch_images=True)
    pictures.pages["/field.jpg"] = Page(seconds=2)
    require_refusal(ask(alice, url=f"{pictures.url}/field.jpg"), "invalid_field", "url: this picture took too long")
    assert openai.requests == []


def test_a_slow_server_does_not_occupy_a_thread_for_long(
    alice: TestOrganization, pictures: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_client, "DOWNLOAD_SECONDS", 0.2)
    pictures.pages["/field.jpg"] = Page(seconds=1)
    require_refusal(ask(alice, url=f"{pictures.url}/field.jpg"), "invalid_field", "url: this picture took too long")


def test_the_choice_takes_effect_on_the_next_call(
    alice: TestOrganization, pictures: PictureServer, openai: OpenAIStandIn
) -> None:
    url = f"{pictures.url}/field.jpg"
    alice.change(fetch_images=False)
    assert get_code(ask(alice, url=url)) == "ok"
    assert find_pictures(openai.requests[0]) == [url]
    assert pictures.requests == []


def test_the_fallback_model_gets_the_picture_without_a_second_download(
    alice: TestOrganization, pictures: PictureServer, openai: OpenAIStandIn
) -> None:
    alice.change(fallback_model="gpt-4o-mini")
    openai.will(server_error(), answer("A field."))
    assert ask(alice, url=f"{pictures.url}/field.jpg").json()["parsed_msg"] == "A field."
    first, second = openai.requests
    assert (second.model, find_pictures(first)) == ("gpt-4o-mini", find_pictures(second))
    assert len(pictures.requests) == 1


def test_a_deferred_call_downloads_the_picture_when_it_is_asked(
    start_server: StartServer, pictures: PictureServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    server = start_server(with_worker=True)
    use_pictures(server, pictures)
    alice = create_connected_organization(server, glific, fetch_images=True)
    flow: dict[str, Any] = {"contact": {"id": 21}, "flow_id": "5", "organization_id": 17}
    call_id = pending_call_id(ask(alice, "?mode=async", url=f"{pictures.url}/field.jpg", **flow))
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert resumed_result(glific, 21)["success"] is True
    assert find_pictures(openai.requests[0])[0].startswith("data:image/jpeg;base64,")


def test_calls_in_a_request_and_after_it_share_the_downloads_of_their_organization(
    start_server: StartServer, pictures: PictureServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    server = start_server(with_worker=True)
    use_pictures(server, pictures)
    alice = create_connected_organization(server, glific, fetch_images=True)
    pictures.pages["/slow.jpg"] = Page(seconds=0.5)
    url = f"{pictures.url}/slow.jpg"
    flow: dict[str, Any] = {"contact": {"id": 21}, "flow_id": "5", "organization_id": 17}
    later = [pending_call_id(ask(alice, "?mode=async", url=url, **flow)) for _ in range(2)]
    wait_until(lambda: pictures.concurrent)
    with ThreadPoolExecutor(2) as pool:
        assert all(reply.is_success for reply in pool.map(lambda _: ask(alice, url=url), range(2)))
    assert {alice.wait_for_delivery(call_id).state for call_id in later} == {"delivered"}
    assert pictures.max_concurrent == DOWNLOADS_PER_ORGANIZATION
