"""The hash of what a message says: an intent stores it, so that a repeat under the same key is known to be the same."""

import json
from hashlib import blake2b

from orchestrator.core.nouns import EmailContent, InAppContent, Message, PushContent, TextContent, WebhookContent


def body_hash(message: Message) -> bytes:
    """16 bytes over the content and the address; the same for the same bundle, person, first judging moment and id."""
    content = message.content
    match content:
        case EmailContent():
            headers = map("=".join, content.headers.items())
            parts = [content.sender, content.subject, content.html, content.text, content.reply_to, *headers]
        case PushContent():
            data = (f"{name}={value}" for name, value in sorted(content.data.items()))
            ttl = str(content.ttl)
            parts = [content.title, content.body, content.link, content.image, content.collapse, ttl, *data]
        case TextContent():
            parts = [content.text]
        case InAppContent():
            parts = [_json(content.payload), str(content.visible_for)]
        case WebhookContent():
            parts = [content.type, _json(content.data)]
    text = "\0".join((message.address.value, type(content).__name__, *parts))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


_json = json.JSONEncoder(sort_keys=True, default=dict).encode
