"""What a key or a secret may be made of, wherever it comes from."""


def secret_problem(text: str) -> str | None:
    """Say what is wrong with a secret that is to travel in a header, or None; never what it is."""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        return "must hold only printable ASCII characters, without spaces"
    return None
