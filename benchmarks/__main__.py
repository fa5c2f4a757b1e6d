"""`make bench`: starts an upstream and the server, measures both in one go, and prints them side by side."""

import json
import os
import platform
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from cryptography.fernet import Fernet

from benchmarks import load

BIN = Path(sys.executable).parent
RUNS = 3
QUESTION = {"question_text": "What is ORS?", "prompt": "Answer briefly.", "gpt_model": "gpt-4o-mini"}
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is ORS?"}]}
SLOW_SECONDS = 1.0
SLOW_CALLS = 500


def main() -> None:
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(f"granian {version('granian')}, openai {version('openai')}; medians of {RUNS} runs\n")
    print(f"{'':44}{'calls/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'failures':>10}")
    with upstream(0) as ai, server(ai) as (url, token):
        direct = f"{ai}/chat/completions"
        for at_once, calls in ((1, 500), (16, 2000)):
            measure(f"upstream asked directly, {at_once} at once", direct, "none", CHAT, at_once, calls)
            measure(f"through the server, {at_once} at once", url, token, QUESTION, at_once, calls)
    with upstream(SLOW_SECONDS) as ai, server(ai) as (url, token):
        name = f"{SLOW_CALLS} at once, upstream takes {SLOW_SECONDS:g} s"
        measure(name, url, token, QUESTION, SLOW_CALLS, SLOW_CALLS * 3)


def measure(name: str, url: str, token: str, question: object, at_once: int, calls: int) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps(question).encode()
    load.post(url, headers, body, at_once=at_once, calls=at_once)  # connections and threads are there afterwards
    runs = [load.post(url, headers, body, at_once=at_once, calls=calls) for _ in range(RUNS)]
    figures = [statistics.median(getattr(run, figure) for run in runs) for figure in ("per_second", "p50", "p99")]
    print(f"{name:44}{figures[0]:10.0f}{figures[1]:10.2f}{figures[2]:10.2f}{sum(run.failures for run in runs):10}")


@contextmanager
def upstream(wait: float) -> Iterator[str]:
    port = free_port()
    command: list[str | Path] = [
        BIN / "granian",
        "--interface",
        "rsgi",
        "--port",
        str(port),
        "--no-log",
        "benchmarks.upstream:app",
    ]
    with running(command, os.environ | {"WAIT_SECONDS": str(wait)}):
        wait_for(port)
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def server(ai: str) -> Iterator[tuple[str, str]]:
    """The production server with one organization: its webhook's address and token."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "GLIFIC_GPT_DATABASE_URL": os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder}/bench.db"),
            "GLIFIC_GPT_SECRET_KEY": secrets.token_hex(),
            "GLIFIC_GPT_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "GLIFIC_GPT_OPENAI_BASE_URL": ai,
            "GLIFIC_GPT_BIND": f"127.0.0.1:{free_port()}",
        }
        flask(environment, "db", "upgrade")
        slug = f"bench-{secrets.token_hex(4)}"
        made = json.loads(flask(environment, "organizations", "create", slug, "--name", "Bench", "--json"))
        key = ["credentials", "set", slug, "open_ai", "--api-key-stdin", "--no-verify"]
        flask(environment, *key, given="sk-proj-benchmark-0000")
        url = f"http://{environment['GLIFIC_GPT_BIND']}/webhooks/{slug}/parse_via_chat_gpt"
        with (
            Path(folder, "log").open("w") as log,
            running([sys.executable, "-m", "glific_gpt.server"], environment, log.fileno()),
        ):
            wait_for(int(environment["GLIFIC_GPT_BIND"].rpartition(":")[2]), "/readyz")
            yield url, made["webhook_token"]


def flask(environment: dict[str, str], *arguments: str, given: str = "") -> str:
    done = subprocess.run(
        [BIN / "flask", *arguments], env=environment, input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


@contextmanager
def running(command: Sequence[str | Path], environment: dict[str, str], output: int | None = None) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, path: str | None = None) -> None:
    for _ in range(200):
        with suppress(OSError):
            if path:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1).close()
            else:
                socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.1)
    sys.exit(f"Nothing listens on port {port}.")


if __name__ == "__main__":
    main()
