"""Write the reference: `python -m docs.generate`."""

from docs.generate import REFERENCE, pages


def main() -> None:
    """Write every page, and take away those that nobody writes any more."""
    REFERENCE.mkdir(exist_ok=True)
    written = pages()
    for name, content in written.items():
        (REFERENCE / name).write_text(content, encoding="utf-8")
    for path in REFERENCE.glob("*.md"):
        if path.name not in written:
            path.unlink()


if __name__ == "__main__":
    main()
