"""The site's rule pages: one for each file of backpropdoctor/rules, and a table of all. Run by mkdocs (`hooks:`)."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from backpropdoctor import rules

HEAD = """# Rules

A code is never reused. `python -m backpropdoctor explain BD102` prints the page of a rule on the terminal.

| code | name | severity | what it says |
|---|---|---|---|
"""


def pages() -> dict[str, str]:
    """Path of each generated page in the site's sources, with its Markdown."""
    known = [rules.get(code) for code in rules.names()]
    table = "".join(f"| [{r.code}]({r.code}.md) | {r.name} | {r.severity} | {r.summary} |\n" for r in known)
    head = "---\ntitle: {0} {1}\n---\n\n*{0}, `{1}`, severity: {2}*\n\n"
    found = {f"rules/{r.code}.md": head.format(r.code, r.name, r.severity) + r.page.strip() + "\n" for r in known}
    return {"rules/index.md": HEAD + table, **found}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Every rule stands in the navigation under 'Rules'."""
    for entry in config.nav or []:
        if isinstance(entry, dict) and "Rules" in entry:
            entry["Rules"] = list(pages())
    return config
