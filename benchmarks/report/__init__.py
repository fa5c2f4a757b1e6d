"""The report: docs/performance.md, written from the results."""
