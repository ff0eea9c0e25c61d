"""Style sheet, font and icons: each address changes with the content, so that browsers may keep what they have."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask

from broker.web.request_context import NONE, runs

_YEAR_S = 365 * 86_400


def install(app: Flask) -> None:
    """Serve the static files without a transaction, to be kept for a year, under addresses with their version."""
    assert app.static_folder is not None
    folder = Path(app.static_folder)
    versions = {
        file.relative_to(folder).as_posix(): sha256(file.read_bytes()).hexdigest()[:12]
        for file in folder.rglob("*") if file.is_file()
    }  # fmt: skip
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = _YEAR_S
    app.view_functions["static"] = runs(NONE)(app.view_functions["static"])

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and values.get("filename") in versions:
            values["v"] = versions[values["filename"]]
