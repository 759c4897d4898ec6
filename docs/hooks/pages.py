"""What the site has beyond docs/: pages that stand in the repository's root, and the files that pages point to.

Links are written for who reads the repository (`../CONTRIBUTING.md`, `../benchmarks/results/demo-cpu.json`). On the
site a page of the root is a page as well, and any other file outside docs/ is taken along as it is.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
ORIGINS = {page: origin for origin, page in PAGES.items()}
LINK = re.compile(r"(\]\()(?!\w+:|#)([^)#\s]+)")
FETCHED = re.compile(r'<(?:script|img|iframe|link(?![^>]*rel="?canonical))[^>]*(?:src|href)="?(?:https?:)?//[^>]*>')


def on_files(files: Files, *, config: Any, **_: Any) -> Files:
    """Adds the pages of the root, and what any page links to outside docs/."""
    for origin, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / origin).read_text(encoding="utf-8")))
    for page in files.documentation_pages():
        origin = _origin(page.src_uri)
        for _, link in LINK.findall((ROOT / origin).read_text(encoding="utf-8")):
            path = _path(origin, link)
            place = _place(path)
            if files.get_file_from_path(place) is None and (ROOT / path).is_file():
                files.append(File.generated(config, place, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Turns the repository's links into the site's."""
    here = page.file.src_uri
    origin = _origin(here)

    def on_the_site(link: re.Match[str]) -> str:
        return link[1] + posixpath.relpath(_place(_path(origin, link[2])), posixpath.dirname(here) or ".")

    return LINK.sub(on_the_site, markdown)


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Refuses a page that would load something from another machine."""
    if fetched := FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} fetches from elsewhere: {fetched[0]}")
    return output


def _origin(page: str) -> str:
    """Where a page of the site stands in the repository."""
    return ORIGINS.get(page, f"docs/{page}")


def _path(origin: str, link: str) -> str:
    """What a link on a page means, as a path in the repository."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))


def _place(path: str) -> str:
    """Where something of the repository stands on the site; sources become text, which browsers show."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"files/{path}.txt" if path.endswith(".py") or "." not in posixpath.basename(path) else f"files/{path}"
