"""How much memory an import takes, in a process of its own so that its peak is its own: `python -m tests.audience.weighing`.

FOLDER, rows, and the bytes that the engine may take; tells the rows and the peak in MB.
"""

import json
import resource
import sys
from pathlib import Path

from orchestrator.audience import opening
from orchestrator.audience.mapping import What
from tests.audience.builders import an_audience, imported


def main(folder: str, rows: str, room: str) -> None:
    opening.BENCH_ROOM = int(room)
    path = Path(folder) / "people.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("user,email,country,signed_up,score\n")
        file.writelines(
            f"u{n:08},person.number.{n}@mail.example,AT,2026-01-05T10:{n // 60 % 60:02}:{n % 60:02}Z,{n}\n"
            for n in range(int(rows))
        )
    done = imported(an_audience(Path(folder)), What.PROFILES, path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sys.stdout.write(json.dumps({"rows": done.rows, "new": done.new, "left_out": done.left_out, "peak": peak}))


main(*sys.argv[1:])
