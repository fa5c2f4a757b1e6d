"""Citation marks, which are removed from answers."""

import time

import pytest

from glific_gpt.openai.citations import remove_marks


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("You can apply in May【4:0†source】.", "You can apply in May."),
        ("Bring your card 【12†rules.pdf】【4:1†L10-L12】. Come early.", "Bring your card. Come early."),
        ("मई में आवेदन करें 【4:2†source】।", "मई में आवेदन करें।"),
        ("Apply in May \ue200filecite\ue202turn0file0\ue202turn0file3\ue201. Done.", "Apply in May. Done."),
        ("Apply in May \ue200cite\ue202turn0file5\ue202L2-L4\ue201", "Apply in May"),
        ("Apply in May. filecite\ue202turn0file1", "Apply in May."),
        ("Apply in May. fileciteturn0file0turn0file12", "Apply in May."),
    ],
)
def test_marks_are_removed_with_the_blanks_before_them(written: str, read: str) -> None:
    assert remove_marks(written) == read


@pytest.mark.parametrize(
    "text",
    ["【注意】 Wash hands.", "Take 5 † after meals.", "The word filecite alone", "Room 4:0 [1] (source)", "a  b\n\n c"],
)
def test_other_text_stays(text: str) -> None:
    assert remove_marks(text) == text


@pytest.mark.parametrize(
    "part", [" ", "【", "【4:0†", "\ue200", "filecite", "turn0file0", "\u00a0【", "【" + 400 * "†"]
)
def test_a_long_text_takes_linear_time(part: str) -> None:
    started = time.process_time()
    remove_marks(part * (1_000_000 // len(part)))
    assert time.process_time() - started < 3
