"""What our flows say to people.

All that can be said again holds the number of the message, which is another one each time: Glific ends
a conversation in which one node has sent the same text more than three times within six hours.
No variable stands before a `.` or `-`: Glific would read on.
"""

WELCOME = "Hello! What would you like to know? Type your question, or END to finish."
ANSWER = (
    "@results.gpt_response.parsed_msg\n\n_Question @results.n.input is answered. Type the next one, or END to finish._"
)
"""One message, as organizations pay for each."""
ROOM = 196
"""Characters that are left beside an answer, for staff to say more."""
NOT_TEXT = (
    "Message @results.n.input is not text, and I can read text only. Please type your question, or END to finish."
)
MOMENT = "One moment, please: question @results.n.input takes a little longer."
APOLOGY = (
    "Sorry, I could not answer question @results.n.input just now. Please ask again in a minute, or type END to finish."
)


def goodbye(keyword: str) -> str:
    """It is said once in a conversation."""
    return f"Thank you! Send {keyword} whenever you have another question."
