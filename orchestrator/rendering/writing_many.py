"""Many messages, each written where it belongs: here if it goes straight through, else in the render child."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator

from orchestrator.core.nouns import Content
from orchestrator.rendering.child import RenderChild
from orchestrator.rendering.rendering import Compiled, Refusal, RenderRequest


def write_many(
    compiled: Compiled, child: RenderChild, requests: Iterable[RenderRequest], weight: int
) -> Generator[Content | Refusal]:
    """One answer for each request, in order; what is written here is written only when it is asked for.

    Nothing that is known of a person is longer than `weight` bytes. RenderChildError if the child is gone.
    """
    source = iter(requests)
    order = deque[RenderRequest | None]()
    """What stands in front of the next request to be read; None for what the child has."""
    handed = deque[RenderRequest]()

    def for_the_child() -> Iterator[RenderRequest]:
        while True:
            while handed:
                yield handed.popleft()
            request = next(source, None)
            if request is None:
                return
            if compiled.straight(request, weight):
                order.append(request)
            else:
                order.append(None)
                yield request

    answers = child.render_many(compiled, for_the_child())
    try:
        while True:
            if order:
                request = order.popleft()
                yield next(answers) if request is None else compiled.render(request)
                continue
            request = next(source, None)
            if request is None:
                return
            if compiled.straight(request, weight):
                yield compiled.render(request)
            else:
                order.append(None)
                handed.append(request)
    finally:
        answers.close()
