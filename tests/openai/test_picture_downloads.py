"""Limits of downloads of pictures: at once, by organization, and in memory."""

import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from glific_gpt.clock import Deadline
from glific_gpt.errors import InvalidField, Overloaded
from glific_gpt.openai import picture_downloads
from glific_gpt.openai.picture_client import PictureClients
from glific_gpt.openai.picture_downloads import DOWNLOADS_PER_ORGANIZATION, PictureDownloads
from tests.support.picture_server import JPEG, Page, PictureServer, run_picture_server
from tests.support.self_signed import LOOPBACK


@pytest.fixture
def pictures(tmp_path: Path) -> Iterator[PictureServer]:
    with run_picture_server(tmp_path) as pictures:
        yield pictures


def fetch(downloads: PictureDownloads, group: str, url: str, *, seconds: float = 10, hold: Event | None = None) -> str:
    with downloads.fetch(group, url, Deadline.after(seconds)) as picture:
        if hold:
            hold.wait(20)
        return picture


def test_an_organization_downloads_few_pictures_concurrently(pictures: PictureServer) -> None:
    pictures.pages["/slow.jpg"] = Page(seconds=0.2)
    downloads = pictures.downloads()
    with ThreadPoolExecutor(6) as pool:
        found = [pool.submit(fetch, downloads, "alice", f"{pictures.url}/slow.jpg") for _ in range(6)]
        assert len({future.result(20) for future in found}) == 1
    assert pictures.max_concurrent == DOWNLOADS_PER_ORGANIZATION


def test_slow_pictures_of_an_organization_do_not_delay_another(pictures: PictureServer) -> None:
    pictures.pages["/slow.jpg"] = Page(seconds=1)
    downloads = pictures.downloads()
    with ThreadPoolExecutor(20) as pool:
        slow = [pool.submit(fetch, downloads, "alice", f"{pictures.url}/slow.jpg", seconds=1.5) for _ in range(12)]
        while pictures.concurrent < DOWNLOADS_PER_ORGANIZATION:
            time.sleep(0.01)
        assert fetch(downloads, "bob", f"{pictures.url}/field.jpg", seconds=0.8)
        assert not any(future.done() for future in slow)
        failures = [type(future.exception(20)) for future in slow]
    assert failures.count(type(None)) == DOWNLOADS_PER_ORGANIZATION
    assert set(failures) - {type(None)} <= {Overloaded, InvalidField}


def test_pictures_wait_for_memory_until_others_are_answered(
    pictures: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_downloads, "MAX_HELD_CHARACTERS_PER_ORGANIZATION", len(JPEG))
    downloads, answered = pictures.downloads(), Event()
    url = f"{pictures.url}/field.jpg"
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(fetch, downloads, "alice", url, hold=answered)
        while not downloads._held:
            time.sleep(0.01)
        with pytest.raises(Overloaded):
            fetch(downloads, "alice", url, seconds=0.3)
        assert fetch(downloads, "bob", url)
        second = pool.submit(fetch, downloads, "alice", url)
        time.sleep(0.2)
        assert not second.done()
        answered.set()
        assert first.result(20) == second.result(20)
    assert not downloads._held


def test_pictures_in_progress_count_for_the_memory_of_their_organization(
    pictures: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_downloads, "MAX_HELD_CHARACTERS_PER_ORGANIZATION", len(JPEG))
    pictures.pages["/slow.jpg"] = Page(seconds=0.3)
    downloads, answered = pictures.downloads(), Event()
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(fetch, downloads, "alice", f"{pictures.url}/slow.jpg", hold=answered) for _ in range(2)]
        while not downloads._held:
            time.sleep(0.01)
        time.sleep(0.3)
        assert len(pictures.requests) == 1
        answered.set()
        assert len({future.result(20) for future in found}) == 1
    assert not downloads._held
    assert not downloads._downloading


def test_a_slow_resolver_ends_the_call_in_time_without_a_trace(
    pictures: PictureServer, caplog: pytest.LogCaptureFixture
) -> None:
    resolved = Event()

    def resolve_slowly(_host: str, _port: int) -> list[str]:
        resolved.wait(20)
        return [LOOPBACK]

    downloads = pictures.downloads(resolve=resolve_slowly)
    with pytest.raises(InvalidField, match="too long"):
        fetch(downloads, "alice", f"{pictures.url}/field.jpg", seconds=0.2)
    resolved.set()
    while downloads._late:
        time.sleep(0.01)
    assert not downloads._held
    gc.collect()
    assert not caplog.records


def test_a_picture_that_comes_too_late_holds_no_memory(
    pictures: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up = Event()
    monkeypatch.setattr(PictureClients, "download", lambda *_: str(given_up.wait(20)))
    downloads = pictures.downloads()
    with pytest.raises(InvalidField, match="too long"):
        fetch(downloads, "alice", f"{pictures.url}/field.jpg", seconds=0.1)
    given_up.set()
    while downloads._late:
        time.sleep(0.01)
    assert not downloads._held
