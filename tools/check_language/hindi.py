"""The rule for Hindi: one spoken word for each thing, in the catalogue, the handbook and the flows."""

import re
import unicodedata
from collections.abc import Iterator

REJECTED = {
    "उपयोग(?!कर्ता)": "इस्तेमाल",  # language: ok
    "संगठन": "संस्था",  # language: ok
    "सेटिंग्स": "सेटिंग",  # language: ok
    "जवाब": "उत्तर",  # language: ok
    "प्रश्न": "सवाल",  # language: ok
    "त्रुटि": "गलती",  # language: ok
    "ख़?त्म": "समाप्त",  # language: ok
    "प्रतीक्षा": "इंतज़ार",  # language: ok
    "मैसेज": "संदेश",  # language: ok
    "पृष्ठ": "पेज",  # language: ok
    "सेव कर": "सहेजना",  # language: ok
    "स्लग": "छोटा नाम",  # language: ok
    "स्वामी": "मालिक",  # language: ok
    "व्यवस्थापक": "प्रशासक",  # language: ok
    "ई-मेल": "ईमेल",  # language: ok
    "ख़र्च": "खर्च",  # language: ok
    "ग़लत": "गलत",  # language: ok
    "बाक़ी": "बाकी",  # language: ok
    "से॰": "सेकंड",  # language: ok
    "माध्यिका|मीडियन": "आम तौर पर",  # language: ok
    "वैकल्पिक संदेश": "उत्तर न मिलने पर संदेश",  # language: ok
    "हस्ताक्षर वाक्यांश": "वेबहुक हस्ताक्षर",  # language: ok
}
"""The beginning of a rejected word, as a regular expression, and the chosen word."""

DEVANAGARI = "\u0900-\u097f"
WORDS = [
    (re.compile(f"(?<![{DEVANAGARI}])(?:{unicodedata.normalize('NFC', wrong)})"), chosen)
    for wrong, chosen in REJECTED.items()
]


def rejected_words(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the rejected word and the chosen word, in the order of the file."""
    # A letter with a dot below has two encodings.
    for number, line in enumerate(unicodedata.normalize("NFC", source).split("\n"), 1):
        for wrong, chosen in WORDS:
            for match in wrong.finditer(line):
                yield number, match[0], chosen
