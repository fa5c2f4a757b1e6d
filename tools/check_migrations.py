"""Check that new migrations block no running server: `python -m tools.check_migrations`.

squawk reads the statements that `flask db upgrade --sql` prints for PostgreSQL. Nothing is executed.
"""

import os
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

FIRST_CHECKED = "0010"
"""The migration before the first one that is checked. Earlier ones are on all servers already."""

RULES_OF_STYLE = (
    "prefer-bigint-over-int",
    "prefer-identity",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-timestamp-tz",
)
"""Rules that are not about locks."""

RULES_OF_CONNECTION = ("require-lock-timeout", "require-statement-timeout")
"""The connection has these time-outs (glific_gpt/database/engines.py)."""

ROOT = Path(__file__).parents[1]


def main() -> None:
    problems = find_problems(print_statements())
    print(problems or "The new migrations block no running server.")
    sys.exit(bool(problems))


def print_statements() -> str:
    """Return the statements of all checked migrations. The database in these settings does not exist."""
    settings = {
        "GLIFIC_GPT_DATABASE_URL": "postgresql+psycopg://nobody@localhost/nothing",
        "GLIFIC_GPT_SECRET_KEY": "made-up-for-a-check",
        "GLIFIC_GPT_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }
    flask = (sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade", f"{FIRST_CHECKED}:head", "--sql")
    result = subprocess.run(  # noqa: S603 - its own command
        flask, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=True
    )
    return result.stdout


def find_problems(statements: str) -> str:
    """Return what squawk reports, or an empty string."""
    excluded = ",".join(RULES_OF_STYLE + RULES_OF_CONNECTION)
    squawk = Path(sys.executable).with_name("squawk")
    run = subprocess.run(  # noqa: S603 - the statements are its input, and no arguments
        [squawk, f"--exclude={excluded}", "--stdin-filepath=migrations.sql"],
        input=statements,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout + run.stderr if run.returncode else ""


if __name__ == "__main__":
    main()
