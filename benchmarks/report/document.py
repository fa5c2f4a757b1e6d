"""docs/performance.md: what is said around the figures, which stays true whatever they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.report import comparison, growth, slow, startup

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"

INTRODUCTION = """\
<!-- Written by `python -m benchmarks report` from benchmarks/results.json: what is changed here by hand gets lost. -->
# Performance

What the server adds to a call, beside other gateways; how that changes as work grows; and how it starts. OpenAI is
stood in for by an upstream on the same machine, so nothing of its time or of the network's is in the figures.

Figures of one machine say little about another one. What can be compared is sides that were measured in one go.

## What each side does

- **upstream, asked directly**: nothing stands in between.
- **glific_gpt** checks who calls (a webhook token, compared by its hash), decrypts the organization's key, checks the
  model against the organization's allowlist (`gpt-4o*`) and the server's, asks, turns the answer into WhatsApp's
  formatting, and keeps a row for each call: written and committed before the upstream is asked, and again before the
  answer is given. On SQLite, and on PostgreSQL on the same machine.
- **glific_gpt, signed calls**: the same, with Glific's signature instead of a token. Each call has a signature of its
  own, and the answer that the same call would get when it came again is claimed before and stored after, encrypted.
- **LiteLLM**: its proxy with a master key, which it compares, one worker, and one model in its configuration. It has no
  database: nothing is recorded.
- **Portkey**: its open gateway passes on what it is asked, with the caller's key. It has no authentication of its own,
  keeps nothing, and records nothing.
"""

CONCLUSION = """\
## Measuring again

```sh
make peers   # once: the other gateways, into .peers/; without them they are left out
make bench   # everything; this takes a good while, and some gigabytes of disk for recorded calls
.venv/bin/python -m benchmarks comparison            # one part alone: comparison, slow, growth, startup
.venv/bin/python -m benchmarks growth --quick        # without ten million recorded calls
.venv/bin/python -m benchmarks report                # this page anew from benchmarks/results.json
```

Measure on a machine that does nothing else. The upstream is nginx where it is installed, with its echo module where it
is to take its time (Debian: nginx-light, libnginx-mod-http-echo), and else one in Python, which leaves less of the
machine to the sides. PostgreSQL is asked at `TEST_POSTGRESQL_URL`; databases
are made there and dropped at the end. The memory of processes is read from Linux's `/proc`.
What was measured, round by round, is in [benchmarks/results.json](../benchmarks/results.json).
"""

SECTIONS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "comparison": ("Side by side", comparison.render_section),
    "slow": ("While the upstream takes its time", slow.render_section),
    "growth": ("As work grows", growth.render_section),
    "startup": ("Starting", startup.render_section),
}


def write(results: dict[str, Any], path: Path) -> None:
    path.write_text(render(results))


def render(results: dict[str, Any]) -> str:
    """The whole document; a part that was not measured says so."""
    parts = [INTRODUCTION]
    for name, (title, section) in SECTIONS.items():
        parts.append(f"## {title}\n")
        if name in results:
            parts.append(f"{section(results[name]['measured'])}\n\n{_render_machine(results[name]['about'])}\n")
        else:
            parts.append("Not measured yet.\n")
    return "\n".join([*parts, CONCLUSION])


def _render_machine(about: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return f"Measured on {about['date']}, {about['machine']}; {versions}."
