#!/usr/bin/env python3
"""Brings the .ts files up to date with the sources; English needs its plural forms only.

    translations/update.py          needs lupdate (qt6-l10n-tools)

The pseudo-locale needs no file: `meshwright --locale pseudo` makes it by rule.
"""
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as tree

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENGLISH = ROOT / "translations" / "meshwright_en.ts"
SINGULAR = {"services and gateways": "service or gateway", "services": "service", "nodes": "node",
            "changes": "change", "objects": "object", "findings": "finding",
            "failed requests": "failed request"}


def forms(source):
    """Singular and plural of an English text with %n."""
    if re.search(r"\(e?s\)", source):
        return re.sub(r"\(e?s\)", "", source), re.sub(r"\((e?s)\)", r"\1", source)
    for many, one in SINGULAR.items():
        if re.search(rf"%n {many}\b", source):
            return source.replace(f"%n {many}", f"%n {one}"), source
    return source, source


def main():
    lupdate = "/usr/lib/qt6/bin/lupdate"
    subprocess.run([lupdate, "-silent", "-locations", "none", "-no-obsolete", "-pluralonly",
                    "-source-language", "en", "-target-language", "en", "-I", str(ROOT),
                    str(ROOT / "app"), "-ts", str(ENGLISH)], check=True, stderr=subprocess.DEVNULL)
    document = tree.parse(ENGLISH)
    for message in document.iter("message"):
        source = message.findtext("source")
        translation = message.find("translation")
        for form in list(translation):
            translation.remove(form)
        translation.attrib.pop("type", None)
        for text in forms(source):
            tree.SubElement(translation, "numerusform").text = text
    tree.indent(document, "    ")
    text = tree.tostring(document.getroot(), encoding="unicode")
    ENGLISH.write_text('<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n' + text + "\n",
                       encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
