"""OpenAI's refusals of pictures. Its messages repeat the address, so that they are never passed on."""

import re

from glific_gpt import errors
from glific_gpt.errors import GlificGptError, InvalidField, ModelNotSupported
from glific_gpt.openai.refusals import ApiRefusal

# Codes: ResponseError of the openai library. Sentences: replies quoted in public bug reports. A message can hold the
# address and other text of the caller, so that each pattern describes OpenAI's sentence from its beginning.
_TOO_LARGE_CODES = {"image_too_large", "image_file_too_large"}
_TOO_LARGE = re.compile(
    r"failed to download image\b.{0,300}\bsize exceeds|image (?:size|file|data)?\b.{0,60}\b(?:exceeds|too large)"
)
_NOT_DOWNLOADED_CODES = {"invalid_image_url", "failed_to_download_image", "image_file_not_found"}
_NOT_DOWNLOADED = re.compile(
    r"(?:timeout|error) while downloading\b|(?:failed|unable) to download (?:the )?(?:image|file|resource)\b"
    r"|invalid image url\b|could not download\b"
)
_NOT_A_PICTURE = re.compile(
    r"you uploaded an unsupported image|invalid (?:mime type|image data|image format|base64 image)"
    r"|the image data you provided does not represent a valid image|unsupported image (?:type|format|media)"
)
_NO_PICTURES = re.compile(
    r"invalid content type\. (?:image_url|input_image) is only supported by certain models"
    r"|image inputs? (?:is|are) not supported (?:by|with|for) (?:this|the) model"
    r"|(?:this|the) model\b(?: [`'\"]?[\w.:/-]{1,200}[`'\"]?)? (?:does not|doesn't|cannot) "
    r"(?:support|accept|process|read) (?:image|picture|vision)"
)


def find_error(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    """Return this server's error for a refusal of a picture; None for a refusal of something else."""
    code, message = refusal.code.lower(), refusal.message
    if _NO_PICTURES.match(message):
        return ModelNotSupported(errors.MSG_READS_NO_PICTURES.format(model=model))
    if code in _TOO_LARGE_CODES or _TOO_LARGE.match(message):
        return InvalidField(errors.MSG_PICTURE_TOO_LARGE).naming("url")
    if _NOT_A_PICTURE.match(message):
        return InvalidField(errors.MSG_NOT_A_PICTURE).naming("url")
    if code in _NOT_DOWNLOADED_CODES or _NOT_DOWNLOADED.match(message):
        return InvalidField(errors.MSG_PICTURE_NOT_DOWNLOADED).naming("url")
    return InvalidField(errors.MSG_NOT_A_PICTURE).naming("url") if "image" in code else None
