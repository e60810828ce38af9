"""Names of files that nobody hands over: what systems, editors, transfers and synchronisation leave in a folder.

Only names are looked at here; what is done of such a file (ignored, told) is decided where folders are read.
"""

from __future__ import annotations

import re
from typing import Literal

Leftover = Literal["système", "verrou", "transfert", "conflit", "ancien"]

_FOLDERS = frozenset({
    "__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found", "recycler",
})  # fmt: skip
_SYSTEM = frozenset({"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", "ntuser.dat"})
_LOCKS = ("~$", ".~lock.", ".~")
# Browsers, WinSCP, FileZilla, rsync and office suites write under these endings before they give the final name.
_TRANSFERS = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart", ".opdownload", ".!ut")
_OLD = (".bak", ".old", ".orig", ".swp", ".swo", "~")
_SHORTCUTS = (".lnk", ".url", ".webloc", ".desktop")
_CONFLICT = re.compile(
    r"""\.sync-conflict-\d{8}-\d{6}                      # Syncthing
      | _conflict-\d{8}-\d{6}                            # ownCloud
      | \([^()]*(?:conflicted\ copy|case\ conflict|sfconflict|copie\ conflictuelle|copie\ en\ conflit
                  |en\ conflit|conflit)\b[^()]*\)        # Nextcloud, Dropbox, Seafile
      | (?-i:-(?:DESKTOP|LAPTOP|WIN)-[A-Z0-9]{5,}(?=\.|$))   # OneDrive adds the name of the machine
    """,
    re.VERBOSE | re.IGNORECASE,
)


def leftover(name: str) -> Leftover | None:
    """Return the kind of leftover that a file is by its name (no folder), or None for a file that was handed over.

    ``conflit``: the other copy of a file changed in two places at once, which its owner may want to look at.
    """
    plain = name.casefold()
    if _CONFLICT.search(name):
        return "conflit"
    if plain.startswith(_LOCKS):
        return "verrou"
    if plain.endswith(_TRANSFERS):
        return "transfert"
    if plain in _SYSTEM or plain.startswith(".") or plain.endswith(_SHORTCUTS):
        return "système"
    return "ancien" if plain.endswith(_OLD) or (plain.startswith("#") and plain.endswith("#")) else None


def leftover_folder(name: str) -> bool:
    """Tell whether a folder is one of a system's or a tool's own: nothing in it was handed over."""
    return name.startswith(".") or name.casefold() in _FOLDERS


def leftover_path(path: str) -> bool:
    """Tell whether a path (in an archive) is a leftover, by its name or by one of its folders."""
    *folders, name = path.rstrip("/").split("/")
    return leftover(name) is not None or any(leftover_folder(folder) for folder in folders)
