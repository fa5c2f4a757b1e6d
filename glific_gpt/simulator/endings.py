"""Ways in which a run of a flow ends too early; each carries the sentence that is shown."""


class EndsEarly(Exception):
    """The run is over, and the author should know why."""


class Aborted(EndsEarly):
    """Glific ends the contact's flows."""


class Hung(EndsEarly):
    """The conversation stays where it is, and nothing wakes it."""
