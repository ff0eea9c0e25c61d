"""Files that outlive a crash: whole lines, whole contents."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.store import files


@pytest.mark.parametrize("durably", [True, False])
def test_a_torn_line_is_left_alone_and_the_next_begins_anew(tmp_path: Path, durably: bool) -> None:
    file = tmp_path / "lines"
    files.append(file, b"one\n", durably=durably)
    file.write_bytes(file.read_bytes() + b"tor")
    files.append(file, b"two\nthree\n", durably=durably)
    assert file.read_bytes() == b"one\ntor\ntwo\nthree\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_content_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "whole"
    for content in (b"long before", b"new"):
        files.write_whole(file, content)
        assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


def test_the_tail_of_a_file_is_its_end_and_of_none_is_nothing(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    assert files.tail(file) == b""
    file.write_bytes(b"x" * files.TAIL + b"end")
    assert files.tail(file) == b"x" * (files.TAIL - 3) + b"end"


def test_a_disk_that_is_full_takes_no_half_of_a_line_for_a_whole(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="space"):
        files.append(Path("/dev/full"), b"line\n", durably=False)
