#!/usr/bin/env python3
"""Every C++ file is as clang-format 14 writes it. Fix with: clang-format-14 -i FILE..."""
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tidy import ROOT, sources


def main():
    tool = shutil.which("clang-format-14")
    if tool is None:
        print("clang-format-14 is missing; packaging/install-deps brings it")
        return 1
    files = [str(path) for path in sources()]
    batches = [files[at:at + 16] for at in range(0, len(files), 16)]

    def run(batch):
        return subprocess.run([tool, "--dry-run", "-Werror", *batch], cwd=ROOT, capture_output=True, text=True)

    with ThreadPoolExecutor(2) as pool:
        failed = [done for done in pool.map(run, batches) if done.returncode != 0]
    for done in failed:
        print("\n".join(line for line in done.stderr.splitlines() if "error:" in line))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
