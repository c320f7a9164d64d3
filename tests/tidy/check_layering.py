#!/usr/bin/env python3
"""Every include of ours goes downwards, along the table of packaging/cmake/MeshTargets.cmake, and Qt stays above its border."""
import re
import sys

from tidy import ROOT, Report, read, sources


def library_of(path):
    """The library a file belongs to, or None for tests."""
    parts = path.parts
    if parts[0] == "tests":
        return None
    if parts[0] == "simulator":
        return "mesh_live" if parts[1] == "live" else "mesh_simulator"
    if parts[:2] == ("proxyengine", "daemon"):
        return "meshwrightd"
    if parts[:2] == ("app", "console"):
        return "meshwright"
    if parts[:2] == ("app", "ctl") and parts[-1] == "main.cpp":
        return "meshwrightctl"
    return "mesh_" + parts[1]


def table():
    """Library -> set of libraries it may use, and the set that may use Qt."""
    text = (ROOT / "packaging/cmake/MeshTargets.cmake").read_text()
    lists = {}

    def words(raw):
        found = []
        for word in raw.replace('""', "").split():
            reference = re.fullmatch(r"\$\{(\w+)\}", word)
            found += lists[reference[1]] if reference else [word]
        return found

    for name, raw in re.findall(r"^set\((\w+)\s*([^)]*)\)", text, re.M):
        lists[name] = words(raw)
    may_use = {
        name.removeprefix("MESH_MAY_USE_"): {word.replace("mesh::", "mesh_") for word in value}
        for name, value in lists.items() if name.startswith("MESH_MAY_USE_") and name != "MESH_MAY_USE_QT"
    }
    return may_use, set(lists["MESH_MAY_USE_QT"])


def main():
    may_use, may_use_qt = table()
    report = Report()
    for path in sources():
        library = library_of(path)
        if library is None:
            continue
        if library not in may_use:
            report.add(path, 1, "layering", f"{library} has no row in packaging/cmake/MeshTargets.cmake")
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            own = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if own and not own[1].endswith(".moc"):
                target = own[1]
                if not (ROOT / target).is_file() and not target.startswith("ui_"):
                    report.add(path, number, "include", f'"{target}" is not spelled from the root, or does not exist')
                    continue
                other = library_of(type(path)(target))
                if other is None:
                    report.add(path, number, "layering", "production code does not include tests")
                elif other != library and other not in may_use[library]:
                    report.add(path, number, "layering", f"{library} may not include {other}; move the code down or the use up")
            if re.match(r"\s*#\s*include\s+<(Q[A-Z]|Qt)", line) and library not in may_use_qt:
                report.add(path, number, "layering", f"no Qt in {library}")
    report.end()


if __name__ == "__main__":
    sys.exit(main())
