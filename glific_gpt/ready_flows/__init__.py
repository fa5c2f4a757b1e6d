"""Flows for one organization, ready to import into Glific: made new, or converted, with what lets them in."""

from glific_gpt.flows.converting import Place
from glific_gpt.ready_flows.building import Converted, LetIn, Preview, Ready, convert, export, preview, standing
from glific_gpt.ready_flows.warnings import Caution

__all__ = ["Caution", "Converted", "LetIn", "Place", "Preview", "Ready", "convert", "export", "preview", "standing"]
