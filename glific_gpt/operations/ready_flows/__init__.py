"""Flow files for one organization: built or converted with its address, authentication and model, and simulated."""

from glific_gpt.flows.converting import Placement
from glific_gpt.operations.ready_flows.building import (
    AuthMethod,
    ConversionPreview,
    ConvertedFlowFile,
    FlowFile,
    convert_flow,
    export_flow,
    list_setup_warnings,
    preview_conversion,
)
from glific_gpt.operations.ready_flows.warnings import FlowWarning

__all__ = [
    "AuthMethod",
    "ConversionPreview",
    "ConvertedFlowFile",
    "FlowFile",
    "FlowWarning",
    "Placement",
    "convert_flow",
    "export_flow",
    "list_setup_warnings",
    "preview_conversion",
]
