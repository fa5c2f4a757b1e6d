"""Results: what each part measured last, with when and where, in a file that is kept with the project."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results.json"


def read(path: Path) -> dict[str, Any]:
    """By the names of parts; those that were never measured are not in it."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


def save(path: Path, part: str, about: dict[str, object], measured: object) -> None:
    """In the place of what the part had measured before."""
    everything = read(path) | {part: {"about": about, "measured": _rounded(measured)}}
    path.write_text(json.dumps(everything, indent=1) + "\n")


def _rounded(value: Any) -> Any:
    """A thousandth is more than is known of anything here."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value
