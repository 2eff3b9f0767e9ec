"""Providers that come with the product, what each declares of its service, and the settings it reads."""

from docs.generate.tables import code, table
from orchestrator.core.phrases import say_duration
from orchestrator.core.times import SECOND
from orchestrator.providers import Declaration, registry

INTRO = """# Providers

An entry under `providers:` in `config/orchestrator.yaml` is an account with one of these services; `adapter:` says which, unless it is
named like it. Other packages bring along more by the entry-point group `orchestrator.providers`."""


def page() -> str:
    """The page."""
    parts = [INTRO]
    for name in sorted(registry.BUILT_IN):
        adapter = registry.provider(name)
        parts += [f"## `{name}`", _declared(adapter.declaration)]
        if adapter.declaration.settings:
            parts.append(
                table(
                    ["setting", "", "unless written", "meaning"],
                    [
                        (
                            code(it.name),
                            "secret" if it.secret else "",
                            "required" if it.required else code(it.default) if it.default else "",
                            it.about,
                        )
                        for it in adapter.declaration.settings
                    ],
                )
            )
    return "\n\n".join(parts)


def _declared(it: Declaration) -> str:
    life = say_duration(it.key_life * SECOND)[:] if it.key_life else ""
    local = it.transport in ("inbox", "memory")
    rows = [
        ("carries", code(*sorted(it.channels))),
        *([("knows devices of", code(*sorted(it.platforms)))] if it.platforms else []),
        ("by", code(it.transport)),
        ("messages in one request", it.batch),
        ("messages a second", f"{it.rate:,.0f}" if it.rate else "as `rate` says"),
        (
            "remembers our key",
            life or ("not needed" if local else "no: `on_ambiguous` decides about a message in doubt"),
        ),
        ("in the air at once, a worker", f"{it.window:,}"),
        ("waits for an answer", f"{it.timeout:g} s"),
        (
            "an error of the server's own",
            "may have been delivered: ambiguous" if it.answers_twice else "was not delivered: tried again",
        ),
    ]
    if it.reports:
        rows.append(("tells later what became of messages", it.reports))
    return table(["it declares", ""], rows)
