from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry.errors import Refused

Store = Callable[..., Path]
Refusal = Callable[..., Refused]


@pytest.fixture
def stored(tmp_path: Path) -> Store:
    """Write bytes to a file and give its path."""

    def write(content: bytes, name: str = "upload.bin") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def refused(stored: Store) -> Refusal:
    """Expect the reader to refuse the bytes, and give the refusal."""

    def attempt(reader: Callable[[Path], Any], content: bytes, code: str = "") -> Refused:
        with pytest.raises(Refused) as caught:
            reader(stored(content))
        assert not code or caught.value.code == code, f"{caught.value.code}: {caught.value.message}"
        assert set(caught.value.details) == {"entry", "rule"}
        assert all(len(said) == 1 and said[0] for said in caught.value.details.values())
        assert len(caught.value.message) < 600
        return caught.value

    return attempt
