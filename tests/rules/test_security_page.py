"""docs/security.md: each test that it names exists, in the file that it names."""

import re

from tests.support.programs import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()


def test_each_file_of_tests_exists() -> None:
    files = set(re.findall(r"`(tests/[\w/.]+)`", PAGE))
    assert len(files) > 10
    assert {file for file in files if not (ROOT / file).exists()} == set()


def test_each_test_exists() -> None:
    names = set(re.findall(r"`(test_\w+)", PAGE))
    code = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(names) > 10
    assert {name for name in names if f"def {name}(" not in code} == set()


def test_each_test_is_in_the_file_that_follows_it() -> None:
    found = re.findall(r"((?:`test_\w+`, )*`test_\w+`) in `(tests/[\w/]+\.py)`", PAGE)
    assert len(found) > 10
    wrong = [
        (name, file)
        for group, file in found
        for name in re.findall(r"test_\w+", group)
        if f"def {name}(" not in (ROOT / file).read_text()
    ]
    assert wrong == []
