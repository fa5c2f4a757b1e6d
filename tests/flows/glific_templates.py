"""The flows with pictures and documents that Glific gives to new organizations, rebuilt with texts of our own.

Node types, methods, headers, keys of the bodies, their order and spacing, results and exits are those of the exports at
https://github.com/glific/glific/blob/d93aaee326e4754e2f932a61c35c160f97e1e5c8/priv/data/flows/GPT_Vision.json and
https://github.com/glific/glific/blob/d93aaee326e4754e2f932a61c35c160f97e1e5c8/priv/data/flows/filesearch_GPT_textandvoice.json
"""

from tests.flows.exports import Json, action_node, export, flow, message_node, router_node, uuid_of, webhook_node

KEYWORD = "ask"
ASSISTANT = "asst_ourOwnAssistant"

PICTURE_BODY = (
    '{\n  "prompt": "Describe the field in one sentence.",\n  "url": "@results.image",\n"model" : "gpt-4o"\n}'
)
DOCUMENT_BODY = (
    f'{{ \n"question": "@results.audio_query", \n"assistant_id": "{ASSISTANT}", \n"remove_citation":true \n}}'
)
NEXT_DOCUMENT_BODY = (
    '{ \n"question": "@results.result_3", \n"assistant_id": "", \n"remove_citation":true ,\n'
    '"thread_id":"@results.gpt_search.thread_id"\n}'
)
VOICE_BODY = (
    f'{{\n  "contact": "@contact",\n  "speech": "@results.audio_query.input",\n "assistant_id": "{ASSISTANT}",\n '
    '"remove_citation": true,\n "source_language": "english",\n "target_language": "@contact.language" \n}'
)


def picture_export() -> Json:
    """Return a flow that describes a picture, asks again for one in place of text, and tests the answer."""
    fails = {"type": "has_any_word", "arguments": ["@results.gptvision.response"]}
    webhook = {"url": "parse_via_gpt_vision", "result_name": "gptvision", "body": PICTURE_BODY}
    nodes = [
        message_node("greet", "Send a picture of your field.", "hear"),
        _media_node("hear", "image", "Has Image", "has_image", "wait", "only"),
        message_node("wait", "One moment.", "call"),
        message_node("only", "Send a picture only.", "hear"),
        webhook_node("call", "split", "sorry", **webhook),
        router_node("split", ("Failed", "sorry", fails), ("Other", "answer", None), operand="@results.gptvision"),
        message_node("sorry", "Sorry.", None),
        message_node("answer", "@results.gptvision.response", None),
    ]
    hindi = {f"{uuid_of('answer action 0')}": {"text": ["@results.gptvision.response\n"], "attachments": []}}
    return export(flow("Pictures", nodes, KEYWORD, localization={"hi": hindi}))


def document_export() -> Json:
    """Return a flow that answers two questions from documents, typed or spoken."""
    document = {"url": "filesearch-gpt", "result_name": "gpt_search", "body": DOCUMENT_BODY}
    second = {"url": "filesearch-gpt", "result_name": "gpt_search_2", "body": NEXT_DOCUMENT_BODY}
    voice = {"url": "voice-filesearch-gpt", "result_name": "gpt_voice", "body": VOICE_BODY}
    spoken = {"type": "send_msg", "text": "", "attachments": ["expression:@results.gpt_voice.media_url"]}
    nodes = [
        message_node("greet", "Ask a question, or record it.", "hear"),
        _media_node("hear", "audio_query", "Has Audio", "has_audio", "wait for voice", "wait"),
        message_node("wait", "One moment.", "call"),
        webhook_node("call", "answer", "sorry", **document),
        message_node("wait for voice", "One moment.", "call voice"),
        webhook_node("call voice", "translated", "sorry", **voice),
        message_node("sorry", "Sorry.", None),
        message_node("translated", "@results.gpt_voice.translated_text", "spoken"),
        message_node("answer", "@results.gpt_search.message", "hear again"),
        action_node("spoken", spoken, to="hear again"),
        _media_node("hear again", "result_3", "Has Audio", "has_audio", "sorry", "wait again"),
        message_node("wait again", "One moment.", "call again"),
        webhook_node("call again", "answer again", "sorry", **second),
        message_node("answer again", "@results.gpt_search_2.message", None),
    ]
    return export(flow("Documents", nodes, KEYWORD))


def _media_node(name: str, result: str, category: str, test: str, to: str, otherwise: str) -> Json:
    """Return a node that waits for a message, and leaves by the first category if it is of one kind."""
    ways = (category, to, {"type": test}), ("Other", otherwise, None)
    return router_node(name, *ways, wait={"type": "msg"}, result_name=result)
