"""The metrics in Prometheus' text format. Only the page for metrics imports this, because the import takes time."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.registry import Collector

from glific_gpt import __version__
from glific_gpt.metrics import files, recording
from glific_gpt.operations import measurements

__all__ = ["CONTENT_TYPE", "render"]


def render() -> bytes:
    """Return the counts of all processes on this machine, and what is measured now."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Everything())
    return generate_latest(registry)


class _Everything(Collector):
    def collect(self) -> Iterable[Metric]:
        if folder := recording.folder():
            yield from files.read_all(folder)
        version = GaugeMetricFamily("glific_gpt_build_info", "The version of the server.", labels=["version"])
        version.add_metric([__version__], 1)
        yield version
        yield from measurements.measure_disks()
        yield from measurements.current_database_monitor().find()
