"""Codes that are imported into pools of coupons."""

from pathlib import Path

from orchestrator.cli.desk import USAGE, Desk, fail, no_such
from orchestrator.cli.screen import say


def stock_coupons(desk: Desk, words: list[Path], *, more: bool) -> None:
    """Add the codes of files to a pool; those it has already change nothing."""
    from orchestrator.core.coupons import codes_in  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import coupons  # noqa: PLC0415

    if len(words) < 2 or more:
        fail("import coupons NAME FILE …: the pool's name, then files of codes, one a line; it has no options", USAGE)
    name, files = str(words[0]), words[1:]
    pools = desk.project().settings.coupons
    if name not in pools:
        no_such("pool of coupons", name, pools)
    read: dict[Path, list[str]] = {}
    for file in files:
        try:
            read[file] = codes_in(file.read_bytes())
        except OSError as problem:
            fail(f"{file}: cannot be read: {problem.strerror}", USAGE)
        except ValueError as problem:
            fail(f"{file}: {problem}")
    with desk.ledger() as ledger:
        told = [
            {"file": str(file), "codes": len(codes), "new": coupons.load(ledger.store, name, codes)}
            for file, codes in read.items()
        ]
        left = coupons.stock(ledger.store, name).left

    def tell() -> None:
        for one in told:
            say(f" {one['file']} · {one['codes']:,} codes · {one['new']:,} new")
        say(f" coupons {name}: {left:,} left")

    desk.show({"pool": name, "files": told, "left": left}, tell)
