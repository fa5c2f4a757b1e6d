"""Calendar months in a time zone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from glific_gpt.clock import midnight, now


@dataclass(frozen=True)
class Month:
    """A calendar month in a time zone."""

    first: date
    zone: ZoneInfo

    @property
    def last(self) -> date:
        return self.following - timedelta(days=1)

    @property
    def following(self) -> date:
        """The first day of the next month."""
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def start(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The start of the next month."""
        return midnight(self.following, self.zone)

    @property
    def is_current(self) -> bool:
        return self.first <= today(self.zone) <= self.last

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


def today(zone: tzinfo) -> date:
    return now().astimezone(zone).date()


def list_months(since: datetime, zone: ZoneInfo) -> list[Month]:
    """Return the months from a time on until the current one, which comes first."""
    first, oldest = today(zone).replace(day=1), since.astimezone(zone).date().replace(day=1)
    months = [Month(first, zone)]
    while months[-1].first > oldest:
        months.append(Month((months[-1].first - timedelta(days=1)).replace(day=1), zone))
    return months


def find_month(text: str | None, months: list[Month]) -> Month:
    """Return the month of a text such as 2026-11, if it is one of these; otherwise the first of them."""
    return next((month for month in months if str(month) == text), months[0])
