"""A folder of a company's own rules, which Winback uses."""

import pytest


@pytest.fixture
def company(tmp_path, monkeypatch):
    """Return a function that writes a company's file and gives back its path."""
    monkeypatch.setenv("WINBACK_COMPANY_RULES", str(tmp_path))

    def write(name, content, encoding="utf-8"):
        file = tmp_path / name
        file.write_bytes(content.encode(encoding))
        return file

    return write
