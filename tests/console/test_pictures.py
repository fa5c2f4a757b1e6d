"""The pictures of the documentation, and of every page, can be taken."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.console.pictures import list_page_pictures, run_sample_server, take_pictures


def test_the_pages_are_drawn_in_the_language_of_their_folder(browser: Browser, tmp_path: Path) -> None:
    with run_sample_server() as server:
        pictures = list(list_page_pictures(server, tmp_path))
        wanted = [each for each in pictures if each.file.name in ("list_calls.png", "sign-in.png")]
        narrow = [each for each in wanted if each.width == 390 and each.theme == "light"]
        take_pictures(browser, narrow)
    assert len({each.file for each in pictures}) == len(pictures)
    drawn = {str(each.file.relative_to(tmp_path)): each.file.read_bytes() for each in narrow}
    assert set(drawn) == {
        f"{language}-390-light/{name}.png" for language in ("en-GB", "hi-IN") for name in ("list_calls", "sign-in")
    }
    assert all(content.startswith(b"\x89PNG") for content in drawn.values())
    assert drawn["en-GB-390-light/sign-in.png"] != drawn["hi-IN-390-light/sign-in.png"]
