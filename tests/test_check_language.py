"""The check of the project's English."""

import subprocess
from pathlib import Path

import pytest

from tools.check_language.__main__ import main
from tools.check_language.reading import texts
from tools.check_language.report import measure
from tools.check_language.rules import problems, subject_problems

PYTHON = Path("some.py")
DOCUMENT = Path("some.md")
TEMPLATE = Path("templates/some.html")


def found(source: str, path: Path = PYTHON) -> list[tuple[int, str]]:
    """The line and the rule of each problem."""
    return [(problem.line, problem.rule.partition(",")[0]) for problem in problems(path, source)]


@pytest.mark.parametrize(
    "sentence",
    [
        "What a call needs.",
        "Who may call.",
        "Whoever calls waits.",
        "Whose key it is.",
        "Where the files are.",
        "Whether it is active.",
        "That is all.",
        "That's all.",
        "That it is saved is not known.",
        "Saves the key. What the form sends is checked.",
        "Saves the key.\n\n    Where there is none, creates it.",
    ],
)
def test_a_sentence_that_begins_with_a_question_word_is_a_problem(sentence: str) -> None:
    rules = {rule for _, rule in found(f'"""{sentence}"""')}
    assert "sentence opening" in rules


@pytest.mark.parametrize(
    "sentence",
    [
        "What is ORS?",
        "Where does it go? It is sent.",
        "That call is refused.",
        "Whatever the flow sends is decoded.",
        "The caller learns what is missing.",
        "`What` is a field.",
        "Whole numbers.",
    ],
)
def test_other_sentences_are_no_problem(sentence: str) -> None:
    assert found(f'"""{sentence}"""') == []


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("The caller asks anew.", "'anew'"),
        ("Each door has a lock.", "'door'"),
        ("It is somebody else's key.", "'somebody else's'"),
        ("The answer can be\nhad later.", "'be had'"),
        ("The key is used no more.", "'no more'"),
        ("The change counts from the next call.", "'counts from the'"),
        ("Their stories are long.", "'stories'"),
    ],
)
def test_a_banned_word_is_a_problem_that_names_a_better_one(sentence: str, word: str) -> None:
    (problem,) = problems(PYTHON, f'"""{sentence}"""')
    assert problem.rule.startswith(f"{word}, write ")


@pytest.mark.parametrize(
    "sentence", ["No more than five.", "There is room for ten.", "`door` is a field.", "Amendments."]
)
def test_a_word_in_another_meaning_is_no_problem(sentence: str) -> None:
    assert found(f'"""{sentence}"""') == []


def test_it_reads_docstrings_attribute_docstrings_and_comments() -> None:
    source = '''"""What this is."""
LIMIT = 5
"""What it limits."""
class One:
    """What one is."""
    name: str
    """What its name is."""
    def two(self):
        """What it does."""
        # The reason goes on in a
        # second line. What follows is another sentence.
        return 1  # What is returned.
'''
    assert found(source) == [(line, "sentence opening") for line in (1, 3, 5, 7, 9)] + [
        (10, "'goes on'"),
        (11, "sentence opening"),
        (12, "sentence opening"),
    ]


def test_it_reads_texts_for_people_and_no_other_strings() -> None:
    source = """
a = N_("What is missing.")
b = _("What is missing."), gettext("What is missing.")
c = ngettext("What is missing.", "What they miss.", 2)
@click.option("--name", help="What it is called.")
def d():
    raise InvalidValue(f"What {e} needs.")
f = "What is data."
g = other("What is data.")
"""
    assert [line for line, _ in found(source)] == [2, 3, 3, 4, 4, 5, 7]


def test_it_reads_the_texts_of_templates() -> None:
    source = """<h1>What is markup</h1>
{{ _("What is missing") }} {{ _('Who can see it') }}
{% trans count=n %}
Whose it is
{% endtrans %}
"""
    assert [line for line, _ in found(source, TEMPLATE)] == [2, 2, 4]


def test_it_reads_documents_without_their_code() -> None:
    source = """# What it is
Some text. What follows is wrong.

```sh
What is code
```
- **What it costs:** nothing.
| name | What it means |
|---|---|
| `door` | [a link](door.md) to a door |
"""
    expected = [(1, "sentence opening"), (2, "sentence opening"), (7, "sentence opening"), (8, "sentence opening")]
    assert found(source, DOCUMENT) == [*expected, (10, "'door'")]


def test_a_line_may_be_exempt() -> None:
    assert found('LIMIT = 5\n"""What it limits."""  # language: ok\n') == []
    assert found("What it is. <!-- language: ok -->\n", DOCUMENT) == []
    assert len(found("# What it is.\na = 1  # language: ok\n")) == 1


@pytest.mark.parametrize("event", ["call_finished", "database_unavailable", "job_lost", "call_not_recorded"])
def test_a_log_event_is_a_noun_and_a_past_tense_or_a_state(event: str) -> None:
    assert found(f'log.info("{event}", status=1)') == []


@pytest.mark.parametrize(
    "event", ["call", "not_served", "answers_hang", "Call_finished", "call finished", "taken_over"]
)
def test_another_log_event_is_a_problem(event: str) -> None:
    assert found(f'log.warning("{event}")') == [(1, "log event")]


def test_a_concurrency_limit_has_a_standard_name() -> None:
    source = "AT_ONCE = 5\ndef run(at_once_each): ...\nrun(at_once_each=5)\n"
    assert found(source) == [(1, "name"), (2, "name")]


@pytest.mark.parametrize(
    "subject",
    ["calls: batch the writes", "api, console: answer 502", "calls/later: bring back a retry", "docs: need less"],
)
def test_a_subject_names_its_part_in_the_imperative(subject: str) -> None:
    assert subject_problems(subject) == []


@pytest.mark.parametrize(
    ("subject", "rule"),
    [
        ("Batch the writes", "no part"),
        ("x", "no part"),
        ("x: batch the writes", "no part"),
        ("batch: ", "no part"),
        (": batch the writes", "no part"),
        ("some more work: batch the writes", "no part"),
        ("Calls: batch the writes", "no part"),
        ("calls: batched the writes", "not imperative: batched"),
        ("calls: batching writes", "not imperative: batching"),
        ("calls: batch the writes.", "full stop"),
        ("calls: " + "x" * 66, "over 72 characters"),
    ],
)
def test_another_subject_is_a_problem(subject: str, rule: str) -> None:
    (problem,) = subject_problems(subject)
    assert rule in problem


def test_the_command_prints_file_line_rule_and_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text('"""What it is."""\n')
    (tmp_path / "right.md").write_text("A text.\n")
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"{wrong}:1: sentence opening: What it is.\n"
    assert main([str(tmp_path / "right.md")]) == 0


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path / "nothing")])
    assert caught.value.code == 2


def test_the_command_checks_commit_subjects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=Asha", "-c", "user.email=asha@example.org"]
    subprocess.run([*git, "init", "--quiet"], check=True)  # noqa: S603
    for subject in ("calls: batch the writes", "Fixed it."):
        subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", subject], check=True)  # noqa: S603
    monkeypatch.setattr("tools.check_language.__main__.ROOT", tmp_path)
    assert main(["--commits", "HEAD~1..HEAD"]) == 1
    assert [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "full stop at the end: Fixed it.",
        "no part before it, as in `calls: batch the writes`: Fixed it.",
    ]
    with pytest.raises(SystemExit, match="git cannot read"):
        main(["--commits", "no-such-branch"])


def test_the_report_counts_prose_and_code(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text(
        '"""What one sees, and who sees it."""\n\n# A reason.\na = 1\nb = "Who reads this"\n'
    )
    measures = dict(measure([tmp_path]))
    assert measures["words in docstrings and comments"] == "9"
    assert measures["sentence openings (What/Who/Where/Whether/That) per 1,000 words"] == "111.1"
    assert measures["who/whom/whose/whoever per 1,000 words"] == "111.1"
    assert measures["comments per 100 lines of code"] == "50.0"
    assert int(measures["top-level entries in glific_gpt/"]) > 0


def test_a_line_is_found_inside_a_long_docstring() -> None:
    (text,) = texts(PYTHON, '"""One.\n\nTwo.\nThree."""')
    assert text.line_at(text.value.index("Three")) == 4


HINDI = "संस्था की सेटिंग और उत्तर"


@pytest.mark.parametrize(
    ("wrong", "chosen"),
    [
        ("संगठनों की सेटिंग", "संस्था"),  # language: ok
        ("नई सेटिंग्स", "सेटिंग"),  # language: ok
        ("इसका उपयोग करें", "इस्तेमाल"),  # language: ok
        ("सवाल-जवाब", "उत्तर"),  # language: ok
        ("\u0959र्च", "खर्च"),  # language: ok
        ("\u0916\u093cर्च", "खर्च"),  # language: ok
    ],
)
@pytest.mark.parametrize("path", [Path("hi/messages.po"), Path("docs/hi/console.md"), PYTHON])
def test_a_hindi_word_that_was_rejected_is_a_problem(path: Path, wrong: str, chosen: str) -> None:
    begin, end = ("", "") if path.suffix == ".md" else ('msgstr "', '"') if path.suffix == ".po" else ('TEXT = "', '"')
    found_here = problems(path, f"{begin}{HINDI}{end}\n{begin}{wrong}{end}\n")
    assert [(problem.line, problem.rule) for problem in found_here] == [(2, f"Hindi word, say {chosen}")]


def test_other_hindi_words_are_no_problem() -> None:
    assert problems(DOCUMENT, f"{HINDI}: Glific का उपयोगकर्ता") == []


def test_the_catalogue_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "messages.po").write_text('msgstr "संगठन"', encoding="utf-8")  # language: ok
    assert main([str(tmp_path)]) == 1
    assert "messages.po:1: Hindi word, say संस्था: संगठन" in capsys.readouterr().out  # language: ok
