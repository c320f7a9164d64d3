#!/usr/bin/env python3
"""The documents stay true: every header is used, every limit says why, README names what exists, links lead somewhere."""
import re
import sys

from tidy import ROOT, Report, project_files, read, sources

MUST_EXIST = ["README.md", "LICENSE", "proxyengine/ARCHITECTURE.md", "simulator/ARCHITECTURE.md", "app/ARCHITECTURE.md",
              "packaging/CHANGELOG.md", "packaging/deps.txt", "resources/help/glossary.md"]


def check_limits(report):
    """A limit has its reason on its line, or its block opens with one in brackets or after a colon."""
    path, heading = "proxyengine/base/limits.h", ""
    for number, line in enumerate(read(path).splitlines(), 1):
        if not line.strip():
            heading = ""
        elif line.startswith("//"):
            heading += line
        elif line.startswith("inline constexpr") and "//" not in line and not re.search(r"[(:]", heading):
            following = read(path).splitlines()[number:number + 1]
            if line.rstrip().endswith(";") and not (following and following[0].strip().startswith("//")):
                report.add(path, number, "limit", "say the reason beside it")


def main():
    report = Report()
    for name in MUST_EXIST:
        if not (ROOT / name).is_file():
            report.add(name, 1, "missing", "the design asks for it")

    included = set()
    for path in sources():
        included.update(re.findall(r'#\s*include\s+"([^"]+)"', read(path)))
    for path in sources(".h"):
        if str(path) not in included:
            report.add(path, 1, "unused header", "nobody includes it; delete it")

    check_limits(report)

    for path in [path for path in project_files() if path.suffix == ".md"]:
        for number, line in enumerate(read(path).splitlines(), 1):
            for link in re.findall(r"\]\(([^)#\s]+)", line):
                if "://" in link or link.startswith("mailto:"):
                    continue
                if link.startswith(":/"):  # Compiled into the console: a path in resources/.
                    target = ROOT / "resources" / link[2:]
                else:
                    target = (ROOT / path).parent / link
                if not target.exists():
                    report.add(path, number, "dead link", link)
    report.end()


if __name__ == "__main__":
    sys.exit(main())
