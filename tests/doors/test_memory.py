"""What a daemon tells the C library about memory is understood, and it gives back what is free."""

import platform
import subprocess
import sys

import pytest

FREED = """
import re, sys
from orchestrator.daemon import memory

def held():
    with open("/proc/self/status") as said:
        return int(re.search(r"VmRSS:\\s+(\\d+)", said.read())[1]) / 1024

if sys.argv[1] == "spare":
    assert memory.spare()
before = held()
for _ in range(3):
    pieces = [bytearray(8_000_000) for _ in range(8)]   # pieces this large teach the library to keep them
    del pieces
    pieces = [bytearray(200_000) for _ in range(300)]
    kept = pieces[99::100]
    del pieces
print(held() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_memory_that_is_free_goes_back():
    held = {}
    for how in ("spare", "untold"):
        said = subprocess.run([sys.executable, "-c", FREED, how], capture_output=True, text=True, check=True)
        held[how] = float(said.stdout)
    assert held["spare"] < 5 < held["untold"]
