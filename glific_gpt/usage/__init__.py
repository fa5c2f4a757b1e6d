"""Usage statistics for the console: totals, alerts, answer times, organization status and the setup checklist."""
