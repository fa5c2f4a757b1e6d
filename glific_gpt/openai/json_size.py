"""A quick count of the values in JSON, before a decoder creates objects for them.

A decoder keeps Python's lock until it ends. Four megabytes of `{}` take it many seconds, and a gigabyte of memory.
"""

MAX_REPLY_VALUES = 20_000
"""Limit of a reply of OpenAI. An answer in JSON is one of its values: a text. To decode so many takes 0.03 seconds."""
MAX_ANSWER_VALUES = 100_000
"""Limit of an answer in JSON."""


def has_more_values(json: str, limit: int) -> bool:
    """Return whether the JSON has more than about `limit` values. For other text, the result can be wrong."""
    bare = json.replace("\\\\", "").replace('\\"', "")
    if bare.count('"') > 4 * limit:  # a member of an object has two texts
        return True
    outside_of_texts = "".join(bare.split('"')[::2])
    return sum(map(outside_of_texts.count, ",[{")) > limit
