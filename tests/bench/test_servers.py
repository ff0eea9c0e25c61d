"""A server under test is found where it says that it is, and its failure to start is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.servers import announced


def test_a_server_that_announces_itself_is_found_where_it_says(tmp_path: Path) -> None:
    script = tmp_path / "server.sh"
    script.write_text("echo starting\necho ready http://127.0.0.1:4711\nexec sleep 60\n")
    with announced(["sh", str(script)], {}) as server:
        assert server.address == ("127.0.0.1", 4711)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    script = tmp_path / "server.sh"
    script.write_text("echo the database is newer than this program\nexit 1\n")
    with pytest.raises(RuntimeError, match="newer than this program"), announced(["sh", str(script)], {}):
        pass
