"""Spools: whoever is killed leaves none for long, and nobody takes one from the living."""

import subprocess
import sys
from pathlib import Path

from orchestrator.audience import spool

LEAVES_ONE = """
import sys
from pathlib import Path
from orchestrator.audience import spool
made = spool.fresh(Path(sys.argv[1]))
made.write_text("Ada, ada@mail.example")
print(made, flush=True)
sys.stdin.read()
"""


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(tmp_path):
    command = [sys.executable, "-c", LEAVES_ONE, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killed:
            left, kept = (Path(process.stdout.readline().decode().strip()) for process in (killed, living))
            killed.kill()
        assert left.exists()
        ours = spool.fresh(tmp_path)
        assert not left.exists()
        assert not left.parent.exists()
        assert kept.read_text() == "Ada, ada@mail.example"
        assert spool.fresh(tmp_path).parent == ours.parent
        living.stdin.close()
