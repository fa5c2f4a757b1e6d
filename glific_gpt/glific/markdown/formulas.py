r"""Write LaTeX formulas as plain text: `\( \frac{1}{2} \times 4^2 \)` becomes `1/2 × 4²`.

Only text between LaTeX's delimiters counts. Dollar signs alone are money, unless a command of LaTeX is between them.
Commands that are not known stay as they are.
"""

import re

_FORMULA = re.compile(
    r"\\\((?P<inline>[^\n]{1,1000}?)\\\)"
    r"|\\\[(?P<display>(?:(?!\\\]|\n\n)[\s\S]){1,2000})\\\]"
    r"|\$\$(?P<dollars>(?:(?!\$\$|\n\n)[\s\S]){1,2000})\$\$"
    r"|(?<![\w$])\$(?P<dollar>[^\s$](?:[^$\n]{0,300}[^\s$\\])?)\$(?![\w$])"
)
_IS_LATEX = re.compile(r"\\[a-zA-Z]{2,}|[\^_]\{|\^\d|[A-Za-z]_\w")
_FRACTION = re.compile(r"\\[dt]?frac\s?\{([^{}]{0,200})\}\s?\{([^{}]{0,200})\}")
_ROOT = re.compile(r"\\sqrt\s?(?:\[(\w{1,3})\])?\s?\{([^{}]{0,200})\}")
_WRAPPER = re.compile(
    r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|mathsf|operatorname|boxed|mbox|overline)\s?\{([^{}]{0,500})\}"
)
_SCRIPT = re.compile(r"([\^_])\s?(?:\{([^{}]{1,60})\}|(\\circ|\w))")
_COMMAND = re.compile(r"\\([A-Za-z]+)[ ]?|\\([,;:! %$&#_{}])")
_SPACES = re.compile(r"[ \t]{2,}")
_MAX_FORMULAS = 200

_SYMBOLS = {
    "times": "×", "div": "÷", "cdot": "·", "pm": "±", "mp": "∓", "ast": "*", "leq": "≤", "le": "≤", "geq": "≥",
    "ge": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "equiv": "≡", "sim": "~", "propto": "∝", "lt": "<", "gt": ">",
    "infty": "∞", "circ": "°", "degree": "°", "angle": "∠", "triangle": "△", "perp": "⊥", "parallel": "∥",
    "rightarrow": "→", "to": "→", "Rightarrow": "⇒", "implies": "⇒", "leftarrow": "←", "leftrightarrow": "↔",
    "iff": "⇔", "therefore": "∴", "because": "∵", "sum": "∑", "prod": "∏", "int": "∫", "partial": "∂", "nabla": "∇",
    "in": "∈", "notin": "∉", "subset": "⊂", "cup": "∪", "cap": "∩", "emptyset": "∅", "forall": "∀", "exists": "∃",
    "ldots": "…", "dots": "…", "cdots": "…", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε",
    "theta": "θ", "lambda": "λ", "mu": "μ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "omega": "ω",
    "Delta": "Δ", "Sigma": "Σ", "Omega": "Ω", "Pi": "Π", "left": "", "right": "", "quad": " ", "qquad": " ",
    "displaystyle": "", "sin": "sin ", "cos": "cos ", "tan": "tan ", "log": "log ", "ln": "ln ", "rupee": "₹",
}  # fmt: skip
_RAISED = str.maketrans("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")


def convert_formulas(text: str) -> str:
    """Replace the formulas in a text. Other text is unchanged."""
    if not ("\\" in text or "$" in text) or text.count("\\(") + text.count("\\[") + text.count("$") > _MAX_FORMULAS:
        return text
    return _FORMULA.sub(_formula, text)


def _formula(match: re.Match[str]) -> str:
    if match["dollar"] is not None:
        return to_text(match["dollar"]) if _IS_LATEX.search(match["dollar"]) else match[0]
    if match["display"] is not None and not _is_formula(match["display"]):
        return match[0]
    if match["inline"] is not None and not _is_formula(match["inline"]):
        return match[0]
    return to_text(match["inline"] or match["display"] or match["dollars"])


def _is_formula(text: str) -> bool:
    r"""Return whether escaped brackets hold a formula, and not words, as in `\[see below\]`."""
    return bool(re.search(r"[\\^_=+*/<>\d-]", text)) or len(text.split()) <= 1


def to_text(formula: str) -> str:
    """Return a formula without LaTeX's commands."""
    text = " ".join(formula.split())
    for _ in range(4):  # each round resolves the innermost braces
        before = text
        text = _WRAPPER.sub(r"\1", text)
        text = _SCRIPT.sub(_script, text)
        text = _ROOT.sub(_root, text)
        text = _FRACTION.sub(_fraction, text)
        if text == before:
            break
    return _SPACES.sub(" ", _COMMAND.sub(_command, text)).strip()


def _script(match: re.Match[str]) -> str:
    text = match[2] or match[3]
    if match[1] == "^":
        if text.strip() in {"\\circ", "\\degree"}:
            return "°"
        raised = text.translate(_RAISED)
        return raised if not _has_ascii(raised) else f"^{_grouped(text)}"
    lowered = text.translate(_LOWERED)
    return lowered if not _has_ascii(lowered) else f"_{_grouped(text)}"


def _root(match: re.Match[str]) -> str:
    sign = {"3": "∛", "4": "∜"}.get(match[1] or "", "√")
    return sign + _grouped(match[2])


def _fraction(match: re.Match[str]) -> str:
    return f"{_grouped(match[1])}/{_grouped(match[2])}"


def _grouped(text: str) -> str:
    text = text.strip()
    return text if text.isalnum() or len(text) <= 1 else f"({text})"


def _has_ascii(text: str) -> bool:
    return any(character.isascii() and not character.isspace() for character in text)


def _command(match: re.Match[str]) -> str:
    if match[1]:
        symbol = _SYMBOLS.get(match[1])
        if symbol is None:
            return match[0]
        return symbol + (" " if match[0].endswith(" ") and symbol else "")
    return match[2] if match[2] in "%$&#_{}" else " "
