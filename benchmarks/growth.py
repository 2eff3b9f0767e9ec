"""What S5 costs as the audience grows: seconds and peak memory of counting it, and of reading its members with six columns.

`python -m benchmarks.growth [--large]`: 100,000 people with two million events and a million with twenty; ten million with a hundred
million beside them if asked. Each question has a process of its own, which opens the file as `segment count` and a planner do.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks.segments import AT, ATTRIBUTES, CATALOGUE, SEGMENTS, filled
from orchestrator.audience.compiling import members_sql
from orchestrator.audience.questions import Questions
from orchestrator.audience.store import Audience
from orchestrator.core.segments import Moment, parse

SIZES = ((100_000, 2_000_000), (1_000_000, 20_000_000))
LARGE = (10_000_000, 100_000_000)
SIX = ("a.country", "a.os", "a.age", "email", "zone", "locale")


def asked(folder: str, question: str) -> str:
    """Members, seconds and the peak in MB of one question, in JSON; and what the process had taken before it."""
    segments = {name: parse(raw, CATALOGUE) for name, raw in YAML(typ="safe").load(SEGMENTS).items()}
    moment = Moment(AT, "Europe/Vienna", segments)
    audience = Audience.open("duckdb:audience.duckdb", Path(folder), ATTRIBUTES)
    before, start = _peak(), time.perf_counter()
    if question == "count":
        found = Questions(audience.ask, audience.columns, moment).count(segments["S5"])
    else:
        with audience.members(members_sql(segments["S5"], moment, audience.columns), SIX) as spool:
            found = sum(batch.num_rows for batch in spool)
    return json.dumps([found, time.perf_counter() - start, before, _peak()])


def _peak() -> float:
    """MB; `getrusage` would count what the parent had taken when it made this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description="S5 as the audience grows.")
    parser.add_argument("--large", action="store_true", help="ten million people with a hundred million events as well")
    parser.add_argument("--runs", type=int, default=3)
    told = parser.parse_args()
    print(f"the least of {told.runs} runs, each in a process of its own")
    print(f"{'people':>12}{'events':>14}{'question':>12}{'members':>10}{'seconds':>9}{'MB before':>11}{'MB peak':>9}")
    for people, events in (*SIZES, *((LARGE,) if told.large else ())):
        with tempfile.TemporaryDirectory() as folder:
            filled(Path(folder) / "audience.duckdb", people, events).close()
            for question in ("count", "members"):
                runs = [json.loads(_alone(folder, question)) for _ in range(told.runs)]
                found, seconds, before, peak = (min(column) for column in zip(*runs, strict=True))
                print(
                    f"{people:>12,}{events:>14,}{question:>12}{found:>10,}{seconds:>9.2f}{before:>11,.0f}{peak:>9,.0f}",
                    flush=True,
                )


def _alone(folder: str, question: str) -> str:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(asked, (folder, question))


if __name__ == "__main__":
    main()
