"""Messages about pictures and documents."""

from glific_gpt.errors.base import N_

MSG_PICTURE_NOT_DOWNLOADED = N_(
    "url: OpenAI could not download this picture. Check that everybody can open the address. If so, let this server "
    "download pictures, in the settings of the organization."
)
MSG_PICTURE_NOT_FETCHED = N_(
    "url: this server could not download this picture. Check that everybody can open the address, or try again."
)
MSG_PICTURE_SLOW = N_("url: this picture took too long to download. Send a smaller one, or try again.")
MSG_PICTURE_REDIRECTED = N_(
    "url: this address leads to another one that is not public or does not begin with https://. Send the final address "
    "of the picture."
)
MSG_PICTURE_TOO_LARGE = N_("url: this picture is larger than 20 MB. Send a smaller one.")
MSG_NOT_A_PICTURE = N_(
    "url: this is not a picture that OpenAI can read. Send a picture in JPEG, PNG or WebP, or a GIF without animation."
)
MSG_NO_VECTOR_STORE = N_(
    "vector_store_id: your OpenAI account has no vector store with this ID. Copy the ID from the page Documents of the "
    "console."
)
"""Message of InvalidField for a store that does not exist, has expired or belongs to another account."""
MSG_MANY_PICTURES = N_("This server is downloading many pictures at the moment. Try again in a moment.")
MSG_KEY_WITHOUT_DOCUMENTS = N_(
    "OpenAI does not allow this key to use files and vector stores. Give it these permissions at platform.openai.com, "
    "or create a key with all permissions."
)
"""Message of InvalidApiKey for requests about documents."""
MSG_DOCUMENT_TYPE = N_(
    "OpenAI does not search this type of file. Save it as PDF, Word, text or Markdown, and upload that."
)
MSG_EMPTY_DOCUMENT = N_("This file is empty. Choose another one.")
MSG_NO_DOCUMENT = N_("This is no longer at OpenAI. Load the page again.")
"""Message of NotFound for a document or a vector store that is gone, or that belongs to another account."""
MSG_DOCUMENT_REFUSED = N_(
    "OpenAI does not accept this. If it is a document, save it as PDF, Word, text or Markdown, and upload it again."
)
