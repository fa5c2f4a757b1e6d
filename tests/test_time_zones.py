"""Time zones that organizations can choose."""

from glific_gpt.organizations import time_zones


def test_names_that_differ_between_computers_are_not_offered() -> None:
    assert {"UTC", "Asia/Kolkata", "Africa/Nairobi"} <= time_zones.list_names()
    assert not {"localtime", "Factory"} & time_zones.list_names()


def test_a_name_that_the_database_does_not_know_any_more_means_utc() -> None:
    assert time_zones.find_zone("Asia/Kolkata").key == "Asia/Kolkata"
    assert {time_zones.find_zone(name).key for name in (None, "UTC", "Asia/Pune", "../etc/passwd")} == {"UTC"}
