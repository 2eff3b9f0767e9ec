"""How long `orchestrator test` takes for 200 personas, as a whole process: `python -m benchmarks.personas`.

Beside it stands what the process costs without any persona, so that what one costs can be told. `--profile` says where the
time goes.
"""

import os
import subprocess
import sys
from cProfile import Profile
from pathlib import Path
from pstats import Stats
from resource import RUSAGE_CHILDREN, getrusage
from shutil import copytree
from tempfile import TemporaryDirectory
from time import perf_counter

ROOT = Path(__file__).parents[1]
MANY, RUNS = 200, 7
CALL = "from orchestrator.cli import main; main()"

PERSONA = """\
about: Number {n}, a big spender who left a cart
profile: {{firstName: Ada, country: AT, email: p{n}@shop.test, time_zone: Europe/Vienna, consent: {{offers: [email]}}}}
events:
  - {{event: purchase, at: 2026-01-10 12:00, amount: {amount}, currency: EUR}}
  - {{event: app_open, at: [2026-02-03 09:00, 2026-02-07 09:00, 2026-02-11 09:00, 2026-02-20 09:00]}}
  - {{event: add_to_cart, at: 2026-02-14 18:00, product: Wool coat, price: 129, image: "https://x.test/c.jpg", link: "https://x.test/c"}}
sent:
  - {{campaign: new_in, at: 2026-02-20 10:00, channel: email, opened: 2026-02-20 11:00}}
expect:
  - {{campaign: winback, at: 2026-03-02 10:00, segment: lapsed_vips, channel: email, contains: [Wool coat, "€129.00"]}}
  - {{campaign: winback, at: 2026-03-03 10:00, nothing: repeat}}
  - {{campaign: winback, at: 2026-03-02 10:00, variant: discount, contains: BACK10}}
  - {{campaign: new_in, at: 2026-03-02 22:00, nothing: quiet_hours}}
"""


def project(folder: Path, many: int) -> Path:
    """The example with so many personas, no two alike."""
    for name in ("config", "templates", "lists"):
        copytree(ROOT / name, folder / name)
    (folder / "personas").mkdir()
    for n in range(many):
        (folder / "personas" / f"p{n:03}.yaml").write_text(PERSONA.format(n=n, amount=210 + n), encoding="utf-8")
    return folder


def seconds(folder: Path) -> tuple[float, float]:
    """What one whole process takes: by the clock on the wall, and of the processor."""
    command = [sys.executable, "-c", CALL, "--project", str(folder), "test"]
    before, began = getrusage(RUSAGE_CHILDREN), perf_counter()
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    took, after = perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def profiled(folder: Path) -> None:
    """Where the time of one process goes."""
    from orchestrator.cli import main  # noqa: PLC0415 - importing it is part of what is profiled below

    sys.argv = ["orchestrator", "--project", str(folder), "--json", "test"]
    profile = Profile()
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout = nowhere
        try:
            profile.runcall(main)
        except SystemExit:
            pass
        finally:
            sys.stdout = sys.__stdout__
    Stats(profile).sort_stats("cumulative").print_stats(45)


def run() -> None:
    """Print the figures."""
    with TemporaryDirectory() as place:
        folder, empty = project(Path(place) / "full", MANY), project(Path(place) / "empty", 0)
        if "--profile" in sys.argv:
            profiled(folder)
            return
        full, none = [], []
        for _ in range(RUNS):
            full.append(seconds(folder))
            none.append(seconds(empty))
    (wall, work), (bare, little) = (tuple(map(min, zip(*taken, strict=True))) for taken in (full, none))
    middle = sorted(took for took, _ in full)[RUNS // 2]
    print(f"{MANY} personas, {4 * MANY} expectations, the whole process, best of {RUNS}:")
    print(f"  {wall:.2f} s (middle {middle:.2f} s), {work:.2f} s of the processor")
    print(
        f"  without a persona {bare:.2f} s, {little:.2f} s of the processor: one takes {(work - little) / MANY * 1000:.1f} ms"
    )


if __name__ == "__main__":
    run()
