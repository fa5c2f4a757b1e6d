"""Build flows that are ready to import, one for each mode of answering."""

from glific_gpt.flows.building.definition import build_definition
from glific_gpt.flows.building.dialog import READY_FLOW_FUNCTIONS, RESULT_TIMEOUT_SECONDS, build_dialog
from glific_gpt.flows.building.layout import compute_positions
from glific_gpt.flows.building.messages import build_notes
from glific_gpt.flows.building.spec import FlowOptions, FlowSpec, Mode, default_prompt, validate_spec
from glific_gpt.flows.building.texts import Language
from glific_gpt.flows.files import Export

__all__ = [
    "READY_FLOW_FUNCTIONS",
    "RESULT_TIMEOUT_SECONDS",
    "FlowOptions",
    "FlowSpec",
    "Language",
    "Mode",
    "build_flow",
    "default_prompt",
]


def build_flow(spec: FlowSpec) -> Export:
    """Build an export with one flow for Flows > Import. All its uuids are new.

    Raises InvalidValue if the name is blank or over 100 characters, the keyword is not normalized, or Glific could
    not fill a variable of the prompt.
    """
    validate_spec(spec)
    steps, notes = build_dialog(spec), build_notes(spec)
    positions = compute_positions({**steps, **notes}, spec.mode)
    flow = {"keywords": [spec.keyword], "definition": build_definition(spec.name, steps, notes, positions)}
    return {"flows": [flow], "contact_field": [], "collections": [], "interactive_templates": []}
