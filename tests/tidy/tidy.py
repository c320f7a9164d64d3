"""What the tidy checks share: the project's files, and how a finding is printed."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE_FOLDERS = ("app", "proxyengine", "simulator", "tests")


def project_files():
    """Files that git tracks or would track, as paths relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()
    return [Path(name) for name in listed if (ROOT / name).is_file()]


def sources(*suffixes):
    """C++ files of ours; tests/fuzz/corpus is data."""
    return [
        path for path in project_files()
        if path.parts[0] in SOURCE_FOLDERS and path.suffix in (suffixes or (".cpp", ".h")) and "corpus" not in path.parts
    ]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def without_comments_and_strings(text):
    """The code with comments and the insides of literals blanked; lines and columns stay."""
    def blank(found):
        token = found.group(0)
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]

    text = re.sub(r'R"(\w*)\((?:.|\n)*?\)\1"', lambda found: re.sub(r"[^\n]", " ", found.group(0)), text)
    return re.sub(r'//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', blank, text)


class Report:
    """Collects findings and ends the process with them."""

    def __init__(self):
        self.count = 0

    def add(self, path, line, rule, instead):
        self.count += 1
        print(f"{path}:{line}: {rule}: {instead}")

    def end(self):
        if self.count:
            print(f"{self.count} findings")
        sys.exit(1 if self.count else 0)
