"""Flows for one organization, ready to import into Glific: made new, or converted, with what lets them in."""

from glific_gpt.flows.converting import Place
from glific_gpt.ready_flows.cautions import Caution
from glific_gpt.ready_flows.preparing import Converted, LetIn, Preview, Ready, convert, export, preview, standing

__all__ = ["Caution", "Converted", "LetIn", "Place", "Preview", "Ready", "convert", "export", "preview", "standing"]
