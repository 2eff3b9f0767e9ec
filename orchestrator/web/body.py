"""The body of a request, read no further than it may be long, and unpacked."""

import zlib

from starlette.requests import Request


class BodyError(Exception):
    """It cannot be taken, and why in words."""


async def read_body(request: Request, largest: int) -> bytes:
    """The whole body, gzip unpacked; BodyError beyond `largest` bytes, before it was all read."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise _too_large(largest)
        parts.append(part)
    body = b"".join(parts)
    if body[:2] != b"\x1f\x8b":
        return body
    unpacker = zlib.decompressobj(31)
    try:
        body = unpacker.decompress(body, largest + 1)
    except zlib.error as problem:
        raise BodyError(f"the body begins like gzip and cannot be unpacked: {problem}") from problem
    if len(body) > largest:
        raise _too_large(largest)
    if not unpacker.eof:
        raise BodyError("the body is gzip that was cut off")
    return body


def _too_large(largest: int) -> BodyError:
    return BodyError(f"the body is larger than {largest // 1024} KB; send smaller batches")
