"""A downloaded picture is in no memory while its question waits for OpenAI's limit to pass."""

import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.calls.allowance import Allowance
from glific_gpt.clock import Deadline
from glific_gpt.openai.chat import LanguageModel, Question
from glific_gpt.openai.fallback import ModelWithFallback
from glific_gpt.openai.gateway import Gateway
from tests.support.deferred import wait_until
from tests.support.openai_behaviours import answer, rate_limit
from tests.support.openai_pictures import find_pictures
from tests.support.openai_stand_in import OpenAIStandIn

KEY = SecretStr("sk-proj-alice-0123456789-alic")
ADDRESS = "https://media.example.org/field.jpg"


class Picture(str):
    """A data URL to which a weak reference can point."""

    __slots__ = ("__weakref__",)


class Downloads:
    """Downloads of the same picture."""

    def __init__(self) -> None:
        self.pictures: list[weakref.ref[Picture]] = []

    @contextmanager
    def fetch(self, _group: str, address: str, _deadline: Deadline) -> Iterator[str]:
        assert address == ADDRESS
        picture = Picture("data:image/jpeg;base64,/9j/" + "A" * 100)
        self.pictures.append(weakref.ref(picture))
        yield picture

    def in_memory(self) -> int:
        return sum(picture() is not None for picture in self.pictures)


@pytest.fixture
def downloads() -> Downloads:
    return Downloads()


@pytest.fixture
def ask(downloads: Downloads, openai: OpenAIStandIn) -> Callable[..., LanguageModel]:
    pictures: Any = downloads
    gateway, deadline = Gateway(openai.base_url, pictures=pictures), Deadline.after(10)

    def bind(model: str) -> Any:
        return gateway.bind(KEY, model, deadline, picture_group="1")

    def create(*, has_fallback: bool) -> LanguageModel:
        first = bind("gpt-4o")
        return ModelWithFallback(first, bind("gpt-4o-mini"), deadline) if has_fallback else first

    return create


@pytest.mark.parametrize("has_fallback", [False, True])
def test_the_picture_is_released_during_the_wait_and_downloaded_again(
    ask: Callable[..., LanguageModel], downloads: Downloads, openai: OpenAIStandIn, has_fallback: bool
) -> None:
    refusals = [rate_limit("2")] * (1 + has_fallback)
    openai.will(*refusals, answer("A field."))
    model = ask(has_fallback=has_fallback)
    model.allowance = Allowance(Decimal(1))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(model.ask, Question("What is it?", picture_url=ADDRESS))
        wait_until(lambda: len(openai.requests) == len(refusals))
        wait_until(lambda: not downloads.in_memory())
        assert not asked.done()
        assert asked.result(10).text == "A field."
    assert len(downloads.pictures) == 2
    assert all(find_pictures(request)[0].startswith("data:image/jpeg;") for request in openai.requests)


def test_a_short_wait_downloads_nothing_again(
    ask: Callable[..., LanguageModel], downloads: Downloads, openai: OpenAIStandIn
) -> None:
    openai.will(rate_limit("0.2"), answer("A field."))
    assert ask(has_fallback=False).ask(Question("What is it?", picture_url=ADDRESS)).text == "A field."
    assert (len(openai.requests), len(downloads.pictures)) == (2, 1)


def test_the_attempts_before_a_long_wait_count(
    ask: Callable[..., LanguageModel], downloads: Downloads, openai: OpenAIStandIn
) -> None:
    openai.always(rate_limit("1.1"))
    with pytest.raises(Exception, match="rate limit"):
        ask(has_fallback=False).ask(Question("What is it?", picture_url=ADDRESS))
    assert (len(openai.requests), len(downloads.pictures)) == (3, 3)
