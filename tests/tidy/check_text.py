#!/usr/bin/env python3
"""Form of the text itself: width, tabs, final newline, TODO kinds, file length, size of blobs, top level."""
import re
import sys

from tidy import ROOT, Report, project_files, read, sources

WIDTH = 100
LINES_MAX = 800
BLOB_MAX = 256 * 1024
PICTURE_MAX = 1024 * 1024  # Screenshots in the README.
TOP = {"CMakeLists.txt", "CMakePresets.json", "app", "proxyengine", "simulator", "resources", "translations", "tests",
       "packaging", "README.md", "LICENSE"}
TODO = re.compile(r"\bTODO\b(?!\((?:perf|security|port|test|later)\):)")


def main():
    report = Report()
    for path in project_files():
        if path.parts[0] not in TOP and not path.parts[0].startswith("."):
            report.add(path, 1, "top level", "only the entries of the design stand there")
        size = (ROOT / path).stat().st_size
        if size > (PICTURE_MAX if path.suffix == ".png" else BLOB_MAX):
            report.add(path, 1, "size", f"{size} bytes; make it smaller or generate it")
    for path in sources(".cpp", ".h", ".py", ".cmake"):
        text = read(path)
        lines = text.split("\n")
        if text and not text.endswith("\n"):
            report.add(path, len(lines), "final newline", "end the file with one")
        if path.suffix in (".cpp", ".h") and len(lines) > LINES_MAX:
            report.add(path, len(lines), "length", f"over {LINES_MAX} lines: is it two ideas?")
        for number, line in enumerate(lines, 1):
            if path.suffix in (".cpp", ".h") and len(line) > WIDTH:
                report.add(path, number, "width", f"{len(line)} columns, at most {WIDTH}")
            if "\t" in line:
                report.add(path, number, "tab", "four spaces")
            if TODO.search(line) and path.name != "check_text.py":
                report.add(path, number, "TODO", "give it a kind: TODO(perf|security|port|test|later): ...")
            if re.search(r"\bFIX" + r"ME\b", line):
                report.add(path, number, "FIX" + "ME", "fix it, or TODO(kind): ...")
    report.end()


if __name__ == "__main__":
    sys.exit(main())
