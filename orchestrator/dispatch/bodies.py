"""The hash of what a message says: an intent stores it, so that a repeat under the same key is known to be the same."""

import json
from dataclasses import fields
from hashlib import blake2b

from orchestrator.core.nouns import EmailContent, Message


def body_hash(message: Message) -> bytes:
    """16 bytes over the content and the address; the same for the same bundle, person, first judging moment and id."""
    content = message.content
    if isinstance(content, EmailContent):
        parts = [
            content.sender,
            content.subject,
            content.html,
            content.text,
            content.reply_to,
            *map("=".join, content.headers.items()),
        ]
    else:
        parts = [json.dumps(getattr(content, field.name), sort_keys=True, default=dict) for field in fields(content)]
    text = "\0".join((message.address.value, type(content).__name__, *parts))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
