"""Messages that stay on this machine: written into a folder, one line each, where people can read what would have left."""

import json
from dataclasses import asdict
from pathlib import Path

from orchestrator.core.nouns import Message
from orchestrator.providers import LocalReply, LocalRequest, Request, Response
from orchestrator.wire import NotSent


class FolderEngine:
    """Appends to `<folder>/<channel>.jsonl`. It stands behind the memory adapter wherever nothing may leave."""

    places = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def exchange(self, request: Request, deadline: float) -> Response:  # noqa: ARG002 - a line in a local file waits for nobody
        """Write the messages down; NotSent if the folder cannot be written."""
        if not isinstance(request, LocalRequest):
            raise TypeError("the folder takes local requests only")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for message in request.messages:
                with (self._folder / f"{message.key.channel}.jsonl").open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(_line(message), ensure_ascii=False, default=dict) + "\n")
        except OSError as problem:
            raise NotSent(f"{self._folder} cannot be written: {problem.strerror}") from problem
        return LocalReply([message.id for message in request.messages])

    async def close(self) -> None:
        """Nothing is held open."""


def _line(message: Message) -> dict[str, object]:
    kind = type(message.content).__name__
    return {
        "id": message.id,
        "user": message.key.user,
        "channel": message.key.channel,
        "to": message.address.value,
        "kind": kind,
        "content": asdict(message.content),
    }
