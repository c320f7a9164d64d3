#!/usr/bin/env python3
"""Calls and words that are banned outside their one place, each with what to write instead.

An exception is a line of tests/tidy/banned_exceptions.txt: `RULE PATH`. A stale exception is an error, so the list only shrinks.
"""
import re
import sys

from tidy import ROOT, Report, read, sources, without_comments_and_strings

# rule, pattern, folders where it is allowed, what to write instead
BANNED = [
    ("clock", r"\b\w*_clock::now\b|\bclock_gettime\b|\bgettimeofday\b", ("proxyengine/base/",), "take the time as an argument, or a mesh::Clock"),
    ("time", r"(?<![\w.>:])(?:std::)?time\s*\(\s*(?:nullptr|NULL|0|&)", ("proxyengine/base/",), "mesh::Clock::wallNow()"),
    ("random", r"\bs?rand\s*\(|\brandom_device\b|\bstd::mt19937|\bstd::\w+_distribution\b", ("proxyengine/base/",), "mesh::Random with a printed seed"),
    ("subrange", r"\bstd::ranges::(?:unique|rotate|partition|stable_partition|remove|remove_if|search|equal_range|subrange)\b", (),
     "std::unique(begin, end) and its kind: clang 14 cannot read the subrange of libstdc++ 12"),
    ("thread", r"\bstd::j?thread\b|\bQThread\b|\bstd::async\b", ("proxyengine/base/",), "mesh::Thread"),
    ("detach", r"\.detach\s*\(", (), "join it: mesh::Thread"),
    ("sleep", r"\bsleep_for\b|\bsleep_until\b|\busleep\b|\bnanosleep\b|\bmsleep\b|\bqWait\s*\(|\bqSleep\s*\(", (), "wait for a condition with a deadline"),
    ("lock", r"\bstd::(?:recursive_|shared_|timed_)?mutex\b|\bQMutex\b|\bstd::condition_variable\b", ("proxyengine/base/mailbox.h",), "mesh::Mailbox"),
    ("volatile", r"\bvolatile\b", (), "a relaxed atomic with one writer"),
    ("regex", r"\bstd::w?regex\b|\bQRegularExpression\b", ("tests/", "app/"), "RE2, in linear time"),
    ("value", r"\w\)?\.value\(\)\s*(?:\.|->)\s*error", (), "check the Result first, then *result"),
    ("iostream", r"#\s*include\s+<iostream>", (), "fmt::print, or MESH_LOG"),
    ("reinterpret_cast", r"\breinterpret_cast\b", ("proxyengine/net/", "proxyengine/tls/", "proxyengine/http/", "tests/"), "a typed door in net, tls or http"),
    ("getenv", r"\bgetenv\b|\bqgetenv\b|\bqEnvironmentVariable", ("app/console/", "tests/"), "an option of the program"),
    ("spdlog", r"\bspdlog::|#\s*include\s+<spdlog", ("proxyengine/base/",), "MESH_LOG"),
    ("qdebug", r"\bqDebug\b|\bqWarning\b|\bqCritical\b|\bQ_ASSERT\b", ("tests/",), "MESH_LOG, MESH_ASSERT or MESH_CHECK"),
    ("capture", r"\[\s*=\s*[\],]", (), "name what the lambda captures"),
    ("throw", r"\bthrow\b", ("tests/",), "return fail(...)"),
    ("using", r"^\s*using\s+namespace\s+(?!std::chrono_literals|std::string_view_literals|std::string_literals|Qt::)", ("tests/",), "write the namespace"),
    ("stylesheet", r"\bsetStyleSheet\b", (), "app/theme: palette and proxy style"),
    ("hex colour", r"#[0-9a-fA-F]{6}\b", ("app/theme/", "tests/"), "a token of app/theme/tokens.h"),
    ("findChild", r"\bfindChild(?:ren)?\s*<", ("tests/",), "keep a pointer"),
]
NEEDS_STRINGS = {"hex colour"}


def exceptions():
    path = ROOT / "tests/tidy/banned_exceptions.txt"
    lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()] if path.exists() else []
    return {tuple(line.rsplit(" ", 1)) for line in lines if line}


def main():
    report, allowed, used = Report(), exceptions(), set()
    patterns = [(rule, re.compile(pattern, re.M), folders, instead) for rule, pattern, folders, instead in BANNED]
    for path in sources():
        text = read(path)
        code = without_comments_and_strings(text)
        for rule, pattern, folders, instead in patterns:
            if str(path).startswith(folders) if folders else False:
                continue
            for found in pattern.finditer(text if rule in NEEDS_STRINGS else code):
                if (rule, str(path)) in allowed:
                    used.add((rule, str(path)))
                    continue
                report.add(path, text.count("\n", 0, found.start()) + 1, f"banned {rule} ({found.group(0).strip()})", instead)
    for rule, path in sorted(allowed - used):
        report.add("tests/tidy/banned_exceptions.txt", 1, "stale exception", f"remove `{rule} {path}`")
    report.end()


if __name__ == "__main__":
    sys.exit(main())
