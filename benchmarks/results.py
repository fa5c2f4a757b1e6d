"""Results: the last measurement of each part, with its date and machine, in a file of the repository."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results.json"


def read(path: Path) -> dict[str, Any]:
    """Return the results by part. A part without a measurement is missing."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


def save(path: Path, part: str, about: dict[str, object], measured: object) -> None:
    """Replace the results of this part."""
    results = read(path) | {part: {"about": about, "measured": _round(measured)}}
    path.write_text(json.dumps(results, indent=1) + "\n")


def _round(value: Any) -> Any:
    """Round to thousandths, as no measurement here is more precise."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _round(each) for key, each in value.items()}
    return [_round(each) for each in value] if isinstance(value, list) else value
