"""What a conversion says about a node; what is filled in stands in braces."""

from glific_gpt.errors import N_

CHANGED = N_("Calls this server now, which has less than five seconds for an answer.")
CHANGED_IN_A_LOOP = N_(
    "Calls this server now, which has less than five seconds for an answer. As the flow comes back here, "
    "the address changes with each answer: Glific would drop the same call within a minute."
)

OTHER_FUNCTION = N_("{function} stays Glific's own function: this server does not serve it.")
SPEECH = N_("{function} stays Glific's own function: speech never goes through this server.")
BODY_NOT_JSON = N_(
    "The Function body is not a JSON object, so the conversation stops here in Glific already: "
    "mend the body, export the flow once more, and convert it then."
)
ALREADY_HERE = N_("Calls this server already.")

NO_BODY = N_("The Function body was empty: write the question behind question_text.")
NO_QUESTION = N_("The Function body has no question_text: without one there is no answer.")
TWO_MODELS = N_("The Function body named two models: gpt_model {gpt_model} stays, model {model} was taken out.")
MODEL_HONOURED = N_("Glific ignored gpt_model and asked gpt-4o; this server asks {gpt_model}.")
RESULT_NAME = N_('The result is saved as "{result_name}", which no variable can read: use letters, digits and _ alone.')
NEEDS_A_COUNTER = N_(
    "After a failure the flow can come back here within a minute, and then Glific drops the call and the "
    "conversation hangs: count up with Update flow result before this node, and put the number into its address."
)
