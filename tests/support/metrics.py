"""The metrics of a server, as Prometheus reads them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, select

from glific_gpt.calls.tables import Call
from glific_gpt.database import reading
from tests.support import http
from tests.support.server import TIMEOUT_SECONDS, RunningServer

TOKEN = "made-up-token-for-metrics"


Labels = tuple[str, str, str, str]
"""Function, mode, status and error code of calls."""


def with_row(calls: Counter[Labels]) -> Counter[Labels]:
    """Return the number of calls with a row, in the same form as `ended_calls`."""
    return Counter({labels: count for labels, count in calls.items() if labels[2] != "refused"})


def metered(folder: Path) -> dict[str, Any]:
    """Return the settings of a server with metrics. All tests on PostgreSQL would have the same default folder."""
    return {"metrics_token": TOKEN, "metrics_dir": folder / "metrics"}


@dataclass(frozen=True)
class Samples:
    """The samples of one page."""

    metrics: dict[str, Metric]

    @classmethod
    def of(cls, metrics: Iterable[Metric]) -> "Samples":
        return cls({metric.name: metric for metric in metrics})

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the samples with this name and these labels. Fails without such a sample."""
        found = [
            sample.value
            for metric in self.metrics.values()
            for sample in metric.samples
            if sample.name == f"glific_gpt_{name}" and labels.items() <= sample.labels.items()
        ]
        assert found, f"There is no {name} with {labels}."
        return sum(found)

    def has(self, name: str) -> bool:
        return any(sample.name == f"glific_gpt_{name}" for each in self.metrics.values() for sample in each.samples)

    def calls(self) -> Counter[Labels]:
        """Return the number of calls that are counted, by their labels."""
        samples = self.metrics["glific_gpt_calls"].samples if "glific_gpt_calls" in self.metrics else []
        names = ("function", "mode", "status", "error_code")
        counts = {tuple(each.labels[name] for name in names): int(each.value) for each in samples}
        return Counter({labels: count for labels, count in counts.items() if count})  # type: ignore[misc]


def get(url: str, token: str | None = TOKEN) -> tuple[int, str]:
    """Return the status and text of the page."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    response = http.get(f"{url}/metrics", headers=headers, timeout=TIMEOUT_SECONDS)
    return response.status_code, response.text


def scrape(url: str) -> Samples:
    status, text = get(url)
    assert status == 200, text
    return Samples.of(text_string_to_metric_families(text))


def ended_calls(server: RunningServer) -> Counter[Labels]:
    """Return the number of rows of calls with a final status, by the labels that they are counted with."""
    columns = (Call.function, Call.mode, Call.status, Call.error_code)
    with server.app.app_context(), reading() as session:
        rows = session.execute(
            select(*columns, func.count()).where(Call.status.not_in(("started", "pending"))).group_by(*columns)
        ).all()
    return Counter(
        {(function, mode or "unknown", status, code or ""): count for function, mode, status, code, count in rows}
    )
