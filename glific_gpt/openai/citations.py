"""Citation marks that models write into answers from documents. WhatsApp users cannot read them."""

import re

# The forms: 【4:0†source】 and 【12†rules.pdf】 (Assistants, and models that were trained on them), and the marks of
# newer models in characters of Unicode's private use area, filecite between U+E200 and U+E201. Text that passed through
# other software has lost these characters, so that filecite stands alone. Every repetition is limited, so that a long
# text is searched in linear time.
_BLANKS = r"[ \t\u00a0]{0,8}"
_MARKS = re.compile(
    rf"{_BLANKS}【[^【】†\n]{{0,100}}†[^【】\n]{{0,300}}】"
    rf"|{_BLANKS}\ue200[^\ue200\ue201\n]{{0,300}}\ue201"
    rf"|{_BLANKS}\bfilecite(?:\ue202?turn\d{{1,4}}file\d{{1,4}}){{1,20}}"
    r"|[\ue200-\ue206]"
)


def remove_marks(text: str) -> str:
    """Return the text without citation marks and the blanks before them."""
    return _MARKS.sub("", text)
