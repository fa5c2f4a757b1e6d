"""Kinds of text that models write, with what a person reads on WhatsApp."""

import pytest

from glific_gpt.glific.model_output import SLICE_CHARACTERS, remove_thinking
from glific_gpt.glific.text import format_for_whatsapp

UNCHANGED = {
    "USSD codes": (
        "बैलेंस के लिए *99*1# और हिंदी के लिए *99*22# डायल करें।",
        "Dial *123# or *121*1# for the balance, ##002# to stop.",
        "Forward calls with **21*9876543210# and *#21#, stop with ##21#.",
        "*99# और *99*1*3#",
    ),
    "codes of a telephone": (
        "Dial *#06# or *#*#4636#*#*",
        "*#*#225#*#* shows the calendar.",
        "*2767*3855# erases all.",
    ),
    "masked addresses": (
        "Sent to c******ll@g****.com and d*****ll@h*****.com",
        "Sent to r**i@g**l.com and s*i@x.org",
        "आपका ईमेल: a***a@n**.org",
    ),
    "masked numbers": (
        "खाता ****1234 से ****5678 में",
        "Card ****-****-****-4321, PIN ****",
        "Aadhaar ********1234, phone 98******10",
        "Phone **98765*** and **43210**1",
    ),
    "factors and formulas": (
        "5 * (3+2) * 4 and (2)*(3)*(4)",
        "a*b*c = 2*x*y, 2**3 = 8 and 4**5",
        "(a+b)*(c+d)*(e+f)",
        "f(x)*y* and /home/*/x* too",
        "x ** y ** z and 5 *3 *2",
        "a_1 + b_2 = c_3",
        "5\n+ 3\n= 8",
        "5\n* 3\n= 15",
        "50% * ₹500 = ₹250*",
    ),
    "sums": (
        "12\n+5\n===\n17",
        "₹200 rent\n₹300 food\n==========\n₹500 in all",
        "Rent 200, food 300\n=====\n500",
        "- rent: 200\n- food: 300\n=====\n- total: 500",
        "+ 5 kg\n====\n17 kg",
        "किराया २००\n====\n२००",
        "Total\n===\n= *17*",
        "5 kg\n\n+3 kg\n===\n8 kg",
        "+3 kg\n===\nEight",
        "12 × 2\n===\ntwenty-four",
        "Rent 200\n===\nRs. 200 in all",
    ),
    "rows of equals signs": (
        "=====\nCamp\n=====",
        "a === b",
        "A\n==\nb",
        "==========",
        "x" * 101 + "\n===\ny",
        "A\n    ===\nb",
        "> A\n===\nb",
    ),
    "temperatures": ("−5 °C to 38.5°C, ~38 °C", "- 5 °C\n- 10 °C", "+5°C, -5°C, 36–37°C", "- −5°C at night"),
    "telephone numbers": ("+91 98765 43210", "+ 91 98765 43210", "(022) 2345-6789 / 1800-123-456", "- 1098\n- 112"),
    "years, zeros and numbers at the start of a line": (
        "0. शून्य\n1. एक",
        "2024. Year of change",
        "2021. Moved\n2019. Founded",
        "1947 was the year.\n1950. India is a republic\nsince then.",
        "007. Bond\n00. zero",
        "10) ten\n9) nine",
        "1947. a\n1947. b",
    ),
    "comparison signs": (
        "< 5 and > 10, <= 3, >= 4, a<b, a<b>c, 5<6>4",
        "> 10 is large",
        ">= 5 is enough\n<= 3 is not",
        ">5\n<3",
        "if x <y and z> w",
        "-> next => then <- back",
    ),
    "placeholders": ("Enter <your name> and <phone>", "<name>, call <b> or <i>", "Write <1 to 5>"),
    "WhatsApp's own marks": (
        "*Important*: drink ORS. _Slowly_. ~No~ milk.",
        "*स्टार* और _इटैलिक_ और ~गलत~",
        "_*both*_ and *_both_*",
        "*एक*\n*दो*\n```code```",
        "> quote\n*bold* text",
    ),
    "names": ("snake_case_name and __init__.py", "file_name.txt", "#hashtag #1", "C:\\new\\file", "R&D; AT&T; a&b"),
    "addresses": (
        "https://who.int/a_b_c?x=1&y=2*3",
        "help_me@ngo.org, first_last_name@x.org",
        "(https://hi.wikipedia.org/wiki/जल_(द्रव))",
        "https://x.org/__a__/~~b~~/**c**",
    ),
    "ratings and rows of marks": ("★★★☆☆ *** out of *****", "*****", "Name: ____ Age: ____", "________________", "~~~"),
    "indentation and blank lines": ("a\n    indented\n  b", "One\n\n\n\nTwo", "a \nb\t\n c", "Q1)\n   True"),
    "citations and notes": (
        "As said [1].\n\n[1]: https://who.int",
        "[Note]: Drink",
        "[x] [ ] [a][b]",
        "Fees* \n* taxes 5%",
    ),
    "money": ("It costs $5 and $10, $x$ is no price", "₹500*, ₹600**", "US$5-US$10"),
}

CHANGED = {
    "a bold address": {
        "Open **https://example.org/form?id=7** now": "Open https://example.org/form?id=7 now",
        "**www.x.org**, __https://x.org/a_b__": "www.x.org, https://x.org/a_b",
        "**help_me@ngo.org** or **ngo.org/help**": "help_me@ngo.org or ngo.org/help",
        "**bit.ly/3xYz_1**, **Https://x.org**, **9.5/10**": "bit.ly/3xYz_1, Https://x.org, *9.5/10*",
        "**Form: https://x.org/f?id=7**": "*Form:* https://x.org/f?id=7",
        "# https://x.org": "https://x.org",
    },
    "an italic address": {
        "See *https://example.org/a_b* please": "See https://example.org/a_b please",
        "See _https://example.org/a_b_, ~www.x.org~.": "See https://example.org/a_b, www.x.org.",
        "_a_b@ngo.org_ and *a.b@ngo.org*": "a_b@ngo.org and a.b@ngo.org",
    },
    "codes beside Markdown": {
        "**Balance:** dial *99*1# and *99*22#": "*Balance:* dial *99*1# and *99*22#",
        "**Dial *99#** now": "*Dial *99#* now",
        "**Area** = (2)*(3)*(4) and a*b*c": "*Area* = (2)*(3)*(4) and a*b*c",
        "**Card** ****1234, r**i@g**l.com": "*Card* ****1234, r**i@g**l.com",
        "**+91 98765 43210**": "*+91 98765 43210*",
    },
    "marks beside letters": {
        '**"ओआरएस"**का और **ओआरएस**का': '*"ओआरएस"*का और *ओआरएस*का',
        "यह**जरूरी**है": "यहजरूरीहै",
        "**un**happy, play**ed**, **5**kg": "unhappy, played, 5kg",
        "**कीमत:**₹500 **₹500**/kg **(z)**(w)": "*कीमत:*₹500 *₹500*/kg *(z)*(w)",
        "** Note:** text": "*Note:* text",
        "**Bold text**more, more**bold text**": "Bold textmore, morebold text",
        "un**believ**able, r**s**h": "unbelievable, r**s**h",
        "**(2)*(3)** x": "(2)*(3) x",
    },
    "underlined headings": {
        "टीकाकरण\n========\nजन्म पर BCG": "*टीकाकरण*\nजन्म पर BCG",
        "Camp **dates**\n===\n\n- 5 May\n\nPlace 2\n  ======  \n1. Pune": (
            "*Camp dates*\n\n- 5 May\n\n*Place 2*\n1. Pune"
        ),
        "> Note\n> ===\n> a": "> *Note*\n> a",
        "# Camp\nPlace\n====": "*Camp*\n*Place*",
        "10 tips\n===\n1. Wash\n\nFees\n===\n5 rupees": "*10 tips*\n1. Wash\n\n*Fees*\n5 rupees",
    },
    "marks in marks": {
        "***a*** **b _c_ d** _**e**_ **~~f~~**": "*_a_* *b _c_ d* _*e*_ *~f~*",
        "**a *b* c** and *d **e** f*": "*a _b_ c* and _d *e* f_",
        "# The *Gita*": "*The Gita*",
        "# The *Gita* and **more**\n**x**": "*The _Gita_ and more*\n*x*",
    },
    "HTML": {
        "<b>Note</b>: H<sub>2</sub>O&nbsp;is <i>water</i>.<br>Next<br/>line": "*Note*: H2O is _water_.\nNext\nline",
        "<strong>a</strong> <em>b</em> <u>c</u> <s>d</s> <del>e</del>": "*a* _b_ c ~d~ ~e~",
        "<p>One</p>\n<p>Two</p>": "One\n\nTwo",
        "<h2>Title</h2>Text<hr>More": "*Title*\n\nText\n\n───\n\nMore",
        "You need:<ul><li>Salt</li><li><b>Sugar</b></li></ul>Stir.": "You need:\n- Salt\n- *Sugar*\n\nStir.",
        "<ol>\n <li>One</li>\n <li>Two<ul><li>a</li></ul></li>\n</ol>": "1. One\n2. Two\n   - a",
        "x<sup>2</sup>, 10<sup>-3</sup>, 1<sup>st</sup>, y<sup>k</sup>": "x², 10⁻³, 1st, y^k",
        '<a href="https://who.int/a_b">WHO</a>, <a href="mailto:a@b.org">mail</a>': (
            "WHO (https://who.int/a_b), mail (a@b.org)"
        ),
        '<img src="https://x.org/w.png" alt="A well">': "A well (https://x.org/w.png)",
        "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>": "A: 1\nB: 2",
        "<pre><code>x = 1 &lt; 2\ny</code></pre>": "```\nx = 1 < 2\ny\n```",
        "Use <code>pip</code> <!-- hidden --> now": "Use `pip` now",
        "Salt &amp; sugar &lt; 5 &quot;q&quot; &#39;s &copy;": "Salt & sugar < 5 \"q\" 's ©",
        "&lt;b&gt;x&lt;/b&gt;": "<b>x</b>",
        "`<b>x</b>` and <b>y</b>": "`<b>x</b>` and *y*",
        "H<b>2</b>O": "H2O",
        "<ul>\n<li><p>One</p></li>\n<li><p>Two</p>more</li>\n</ul>": "- One\n- Two\nmore",
        "a <br/> b<br><br>c": "a\nb\n\nc",
        "<P>a</P><BR><B>b</B><br><p>c</p>": "a\n\n*b*\n\nc",
        "<ol start='3'><li>c</li><li>d</li></ol>": "3. c\n4. d",
        "x<y>z</y>, List<String> and vector<i>": "x<y>z</y>, List<String> and vector<i>",
        "<div><span style='color: red'>Red</span></div>": "Red",
    },
    "links by reference": {
        'See [WHO][1] or [ICMR].\n\n[1]: https://who.int "WHO"\n[icmr]: <https://icmr.gov.in>': (
            "See WHO (https://who.int) or ICMR (https://icmr.gov.in)."
        ),
        "[Form][]\n\n[form]: https://x.org/f_1": "Form (https://x.org/f_1)",
        "[a][x] [b][X]\n\n[x]: https://x.org": "a (https://x.org) b (https://x.org)",
    },
    "links": {
        "[x.org](https://www.x.org/) [Read more](#more)": "https://www.x.org/ Read more",
        "[Data](sandbox:/mnt/data/x.csv)": "Data",
        "![](https://x.org/w.png) <a_b@x.org>": "https://x.org/w.png a_b@x.org",
        "[**WHO**](https://who.int) **[x](https://x.org)**": "*WHO* (https://who.int) *x (https://x.org)*",
    },
    "code fences": {
        "```markdown\n# टीका\n\n**पहला:** जन्म\n\n- BCG\n```": "*टीका*\n\n*पहला:* जन्म\n\n- BCG",
        "```\n**पानी** उबालें।\n```": "*पानी* उबालें।",
        "```text\nHello there.\n```": "Hello there.",
        "~~~md\n**a**\n~~~": "*a*",
        "Here it is:\n\n```markdown\n## A\n```\n\nDone": "Here it is:\n\n*A*\n\nDone",
        "```markdown\n**a**\n\n```py\nx = 1\n```\n**b**\n```": "*a*\n\n```\nx = 1\n```\n*b*",
        "```python\nx = '**a**'\n```": "```\nx = '**a**'\n```",
        "- ```py\n  x = 1\n  ```\n- **b**": "- ```\n  x = 1\n  ```\n- *b*",
        "```markdown\n**a**": "*a*",
        "```\nx = 1\n```\nThen **run** it.\n```\ny = 2\n```": "```\nx = 1\n```\nThen *run* it.\n```\ny = 2\n```",
        "Send:\n```\n**पानी** उबालें।\n```\nOr:\n```\nx = 2**3**2\n```": (
            "Send:\n*पानी* उबालें।\nOr:\n```\nx = 2**3**2\n```"
        ),
        "```a``` ``b`c`` `d`": "```a``` ```b`c``` `d`",
    },
    "marks of file search": {
        "Drink water【4:0†guide.pdf】 daily【12†source】.": "Drink water daily.",
        "Wash hands 【4:1†a.pdf】【4:2†b.pdf】 often. 【1†x】": "Wash hands often.",
        "\u0939\u093e\u0925 \u0927\u094b\u090f\u0901\ue200cite\ue202turn0search0\ue202turn1search2\ue201। "
        "\u0930\u094b\u091c \ue200filecite\ue202turn0file0\ue201": "\u0939\u093e\u0925 \u0927\u094b\u090f\u0901। "
        "\u0930\u094b\u091c",
        "Boil it citeturn0search0turn2news1. Then cool :contentReference[oaicite:0]{index=0}.": "Boil it. Then cool.",
        "\ue200url\ue202WHO\ue202turn0search0\ue201 and \ue203this\ue204": "WHO and this",
        "\ue200entity\ue202[\"city\",\"Pune\",\"India\"]\ue201 is big.": "Pune is big.",
        "注意【重要】です": "注意【重要】です",
    },
    "thinking": {
        "<think>\nlet me see\n</think>\nउत्तर: 5": "उत्तर: 5",
        "<thinking>a</thinking>\n\n<answer>5</answer>": "5",
        "<Reasoning>\n2+3\n</Reasoning>Five": "Five",
        "let me see\n</think>\n\nFive": "Five",
        "Five\n<think>\nis it right": "Five",
        "Five</think>": "Five",
        "<answer>\nHello **x**\n</answer>": "Hello *x*",
        " <Final_Answer>Five</final_answer>\n": "Five",
        "<answer>```markdown\n**a**\n```</answer>": "*a*",
        "<answer>5</answer> or <answer>6</answer>": "<answer>5</answer> or <answer>6</answer>",
        "Write <answer>5</answer>": "Write <answer>5</answer>",
        "[THINK]a[/THINK]Five": "Five",
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>Five<|return|>": "Five",
        "I think <b>so</b>": "I think *so*",
    },
    "tables": {
        "Fees:\n| Class | Fee |\n|---|---|\n| 1 | ₹500 |\n| 2 | ₹600 |\n\nPay.": (
            "Fees:\nClass: 1\nFee: ₹500\n\nClass: 2\nFee: ₹600\n\nPay."
        ),
        "| a | b |\n|---|---|\n| 1 | 2 |\nPay by Monday.": "a: 1\nb: 2\n\nPay by Monday.",
        "a | b\n--- | ---\n`x|y` | 2 \\| 3": "a: `x|y`\nb: 2 | 3",
        "| | |\n|---|---|\n| Name | Asha |\n| Age | 5 |": "Name: Asha\nAge: 5",
        "| a | b |\n|---|---|\n| 1 |\n| 2 | 3 | 4 |": "a: 1\n\na: 2\nb: 3\n4",
        "- x\n\n  | a | b |\n  |:-:|--:|\n  | **1** | 2 |": "- x\n\n  a: *1*\n  b: 2",
        "> | a | b |\n> |---|---|\n> | 1 | 2 |": "> a: 1\n> b: 2",
    },
    "lists": {
        "*   **One:** a\n    *   Two\n        *   Three": "- *One:* a\n  - Two\n    - Three",
        "1. a\n   * b\n     1. c\n2. d": "1. a\n   - b\n     1. c\n2. d",
        "- [ ] todo\n- [x] done\n1. [X] ok": "- ☐ todo\n- ☑ done\n1. ☑ ok",
        "1. a\n\n1. b\n\ntext\n\n1. c": "1. a\n\n2. b\n\ntext\n\n1. c",
        "* 3 apples\n* 4 pears\n+ salt": "- 3 apples\n- 4 pears\n- salt",
        "- # Title\n- **b**": "- *Title*\n- *b*",
    },
    "headings": {
        "## 1. **Step one:** go": "*1. Step one: go*",
        "> # Title\n> text": "> *Title*\n> text",
        "###### a ######\nb": "*a*\nb",
        "# [WHO](https://who.int)": "*WHO (https://who.int)*",
        "# 5*3*2\n# *99#": "*5*3*2*\n*99#",
    },
    "LaTeX": {
        r"\( x^2 + y_1 \) and $$E = mc^2$$": "x² + y₁ and E = mc²",
        r"\[ \frac{a}{b} \times \sqrt{9} \leq 3^{10} \]": "a/b × √9 ≤ 3¹⁰",
        r"$\frac{1}{2}$ of 37^\circ is $x_{12}$; $5": r"1/2 of 37^\circ is x₁₂; $5",
        r"\[see below\] \*x\*": "[see below] *x*",
        r"\( 98.6^\circ \text{F} \)": "98.6° F",
    },
    "footnotes": {
        "Claim[^1], more[^note].\n\n[^1]: Source": "Claim[1], more[note].\n\n[1]: Source",
        "**a**[^2]": "*a*[2]",
        "एक[^१]": "एक[१]",
    },
    "rules": {
        "One\n\n***\n\nTwo\n___\nThree": "One\n\n───\n\nTwo\n───\nThree",
        "a\n\n- - -\n\nb\n\n* * *": "a\n\n───\n\nb\n\n───",
        "a\n----------\nb": "a\n───\nb",
    },
    "suspicious code": {
        "know your Immune System. It fights.": "know your Immune System\u200b. It fights.",
        "Save the File.\nRADIO. Task.": "Save the File\u200b.\nRADIO\u200b. Task\u200b.",
        "reapply(now), spawn(x), :os.cmd, **EEx**.": "reapply\u200b(now), spawn\u200b(x), :os\u200b.cmd, *EEx*.",
        "https://x.org/File.pdf, https://Code.org/IO.html": "https://x.org/File%2Epdf, https://code.org/IO%2Ehtml",
        "https://medium.com/@global.health/x": "https://medium.com/%40global.health/x",
    },
}  # fmt: skip


@pytest.mark.parametrize("text", [text for texts in UNCHANGED.values() for text in texts])
def test_text_that_is_no_markdown_stays(text: str) -> None:
    assert format_for_whatsapp(text) == text


@pytest.mark.parametrize(("answer", "message"), [pair for cases in CHANGED.values() for pair in cases.items()])
def test_a_person_reads_whatsapp_text(answer: str, message: str) -> None:
    assert format_for_whatsapp(answer) == message


@pytest.mark.parametrize("kind", UNCHANGED)
def test_text_that_is_no_markdown_stays_beside_markdown(kind: str) -> None:
    for text in UNCHANGED[kind]:
        if kind != "WhatsApp's own marks":
            assert format_for_whatsapp(f"**Note**\n\n{text}") == f"*Note*\n\n{text}"


def test_thinking_that_does_not_end_is_no_answer() -> None:
    assert format_for_whatsapp("<think>\nlet me see") == ""


@pytest.mark.parametrize("at", range(SLICE_CHARACTERS - 12, SLICE_CHARACTERS + 2))
def test_long_thinking_ends_at_its_end_tag_wherever_that_is(at: int) -> None:
    thinking = "<think>".ljust(at, ".") + "</think>"
    assert remove_thinking(thinking + "Five") == "Five"
    assert remove_thinking("." * at + "<think>no</think>Five") == "." * at + "Five"
    assert remove_thinking("." * at + "</think>Five") == "Five"


def test_a_backslash_before_a_tag_leaves_no_control_character() -> None:
    assert format_for_whatsapp("a\\<b>b</b> c") == "a\\b c"
