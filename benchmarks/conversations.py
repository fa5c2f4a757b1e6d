"""The cost of memory for a call: CPU time to open and seal a full thread, and the input that it adds.

`.venv/bin/python -m benchmarks.conversations` prints a row for English and one for Hindi, with texts of this project.
"""

import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import SecretStr

from glific_gpt.calls import thread_ids
from glific_gpt.calls.thread_ids import Owner
from glific_gpt.openai.chat import Turn
from glific_gpt.openai.request_bodies import max_history_tokens
from glific_gpt.vault import Vault

ROOT = Path(__file__).parents[1]
CATALOGUE = ROOT / "glific_gpt/console/translations/hi/LC_MESSAGES/messages.po"
OWNER = Owner(1, "parse_via_chat_gpt", 21)
TURNS = 40
"""More than fit into a thread."""
QUESTION_CHARACTERS, ANSWER_CHARACTERS = 80, 500
"""Lengths of a usual question and answer."""
CHARACTERS_PER_TOKEN = {"English": 4.0, "Hindi": 2.8}
"""English: OpenAI's rule of thumb. Hindi: the example of https://openai.com/index/hello-gpt-4o, 31 tokens."""
REPETITIONS = 200


def texts() -> dict[str, str]:
    """Return a long text of each language."""
    english = " ".join((ROOT / "docs" / name).read_text() for name in ("glific.md", "flows.md", "server.md"))
    hindi = " ".join(re.findall(r'^msgstr "(.+)"$', CATALOGUE.read_text(), re.MULTILINE))
    return {"English": " ".join(english.split()), "Hindi": re.sub(r"[A-Za-z%()_\\]+", "", hindi)}


def turns_of(text: str) -> Iterator[Turn]:
    """Cut a text into questions and answers."""
    step = QUESTION_CHARACTERS + ANSWER_CHARACTERS
    for at in range(0, len(text) - step, step):
        yield Turn(text[at : at + QUESTION_CHARACTERS], text[at + QUESTION_CHARACTERS : at + step])


def cpu_microseconds(function: Callable[[], object]) -> float:
    """Return the mean CPU time of a call, after one that fills caches."""
    function()
    started = time.thread_time()
    for _ in range(REPETITIONS):
        function()
    return (time.thread_time() - started) / REPETITIONS * 1e6


def main() -> None:
    vault, day = Vault([SecretStr(Fernet.generate_key().decode())]), timedelta(days=1)
    print("language  turns  characters  thread_id  open us  seal us  tokens (about)  tokens (at most)")
    for language, text in texts().items():
        remembered: tuple[Turn, ...] = ()
        for turn in islice(turns_of(text), TURNS):
            full = (*remembered, turn)
            thread_id = thread_ids.seal(vault, OWNER, full)
            remembered = thread_ids.open_sealed(vault, OWNER, thread_id, day) or ()
        characters = sum(len(turn.question) + len(turn.answer) for turn in remembered)
        opening = cpu_microseconds(partial(thread_ids.open_sealed, vault, OWNER, thread_id, day))
        sealing = cpu_microseconds(partial(thread_ids.seal, vault, OWNER, full))
        print(
            f"{language:8}  {len(remembered):5}  {characters:10,}  {len(thread_id):9,}  {opening:7.0f}  {sealing:7.0f}"
            f"  {characters / CHARACTERS_PER_TOKEN[language]:14,.0f}  {max_history_tokens(remembered):16,}"
        )


if __name__ == "__main__":
    main()
