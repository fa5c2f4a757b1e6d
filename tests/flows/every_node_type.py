"""An export with every node type of Glific, two flows, translations, notes, and unusual numbers."""

from tests.flows.exports import (
    Json,
    action_node,
    export,
    flow,
    message_node,
    reply_node,
    router_node,
    uuid_of,
    webhook_node,
)

COMPLETED: Json = {"type": "has_only_text", "arguments": ["completed"]}
SUCCESS: Json = {"type": "has_only_text", "arguments": ["Success"]}
GROUP: Json = {"uuid": "17", "name": "Farmers"}
CHILD: Json = {"uuid": uuid_of("flow Weather"), "name": "Weather"}


def every_node_type() -> Json:
    """Return the export. Both of its GPT nodes are on a cycle."""
    main = flow(
        "Everything",
        [*_talk(), *_contact(), *_decisions(), *_outside()],
        "everything",
        "सबकुछ",
        localization={"hi": {uuid_of("greet action 0"): {"text": ["नमस्ते 🙏"]}, uuid_of("crop Rice"): {"name": "धान"}}},
        revision=12345678901234567890,
        zoom=1.0,
    )
    main["definition"]["_ui"]["stickies"] = {
        uuid_of("note"): {"title": "Note", "body": "é \u2028", "color": "blue", "position": {"left": 500, "top": 60}}
    }
    child = flow("Weather", [webhook_node("weather", "told", None), message_node("told", "Sunny.", None)], "weather")
    templates = [{"source_id": 5, "label": "Menu"}]
    more = {"contact_field": ["village"], "collections": ["Farmers"], "interactive_templates": templates}
    return export(main, child) | more


def _talk() -> list[Json]:
    message = {"type": "send_msg", "text": "Hello, @contact.name!", "labels": [], "quick_replies": ["Yes", "No"]}
    return [
        action_node("greet", {**message, "attachments": ["image:https://example.org/a.png"]}, to="interactive"),
        action_node("interactive", {"type": "send_interactive_msg", "name": "Menu", "id": 5, "text": "{}"}, to="hear"),
        reply_node("hear", "question", "gpt"),
        webhook_node("gpt", "broadcast", "hear"),
        action_node(
            "broadcast", {"type": "send_broadcast", "contacts": [], "groups": [], "text": "News"}, to="hear again"
        ),
        router_node(
            "hear again",
            ("Rice", "field", {"type": "has_any_word", "arguments": ["rice"]}),
            ("Photo", "field", {"type": "has_media"}),
            ("No Response", "field", {"type": "has_category"}),
            ("Other", "gpt", None),
            wait={"type": "msg", "timeout": {"seconds": 300, "category_uuid": uuid_of("hear again No Response")}},
        ),
    ]


def _contact() -> list[Json]:
    field: Json = {"key": "village", "name": "Village"}
    return [
        action_node(
            "field",
            {"type": "set_contact_field", "field": field, "value": "Pune"},
            {"type": "set_contact_name", "name": "Asha"},
            {"type": "set_contact_language", "language": "Hindi"},
            {"type": "set_run_result", "name": "n", "value": "<%= 1 + 1 %>", "category": ""},
            to="labels",
        ),
        action_node(
            "labels",
            {"type": "add_contact_groups", "groups": [GROUP]},
            {"type": "remove_contact_groups", "groups": [GROUP], "all_groups": False},
            {"type": "add_input_labels", "labels": [{"uuid": uuid_of("label"), "name": "Urgent"}]},
            to="crop",
        ),
    ]


def _decisions() -> list[Json]:
    return [
        router_node(
            "crop",
            ("Rice", "groups", {"type": "has_number_between", "arguments": ["1", "5"]}),
            ("Other", "groups", None),
            operand="@fields.crop",
        ),
        router_node(
            "groups",
            ("Farmers", "random", {"type": "has_group", "arguments": ["17", "Farmers"]}),
            ("Other", "random", None),
            operand="@contact.groups",
        ),
        router_node("random", ("Bucket 1", "sub flow", None), ("Bucket 2", "sub flow", None), type="random"),
    ]


def _outside() -> list[Json]:
    sheet: Json = {"type": "link_google_sheet", "sheet_id": 3, "url": "https://example.org/sheet", "row": "1"}
    session: Json = {"type": "start_session", "contacts": [], "groups": [], "flow": CHILD, "exclusions": {}}
    return [
        router_node(
            "sub flow",
            ("Complete", "sheet", COMPLETED),
            ("Expired", "sheet", None),
            actions=({"type": "enter_flow", "flow": CHILD},),
            operand="@child.status",
        ),
        router_node(
            "sheet",
            ("Success", "ticket", SUCCESS),
            ("Failure", "ticket", None),
            actions=({**sheet, "result_name": "sheet", "row_data": {}, "action_type": "READ", "name": "Prices"},),
        ),
        router_node(
            "ticket",
            ("Success", "other webhook", SUCCESS),
            ("Failure", "other webhook", None),
            actions=({"type": "open_ticket", "body": "Help", "topic": {"name": "x"}, "assignee": None},),
        ),
        webhook_node(
            "other webhook", "speech", "speech", method="POST", url="https://example.org/x", result_name="other"
        ),
        webhook_node("speech", "later", "later", url="speech_to_text", result_name="heard"),
        router_node("later", ("Completed", "time", None), actions=({"type": "wait_for_result", "delay": "60"},)),
        router_node("time", ("Completed", "start", None), actions=({"type": "wait_for_time", "delay": "60"},)),
        action_node("start", {**session, "create_contact": False}, to=None),
    ]
