"""Names of makes and models as people write them, brought to one form."""

from __future__ import annotations

import unicodedata


def key(name: str) -> str:
    """The form in which names are compared: letters and digits alone, small, without accents.

    ``Mercedes-Benz``, ``mercedes_benz`` and ``MERCEDES BENZ`` are one, and so are ``Citroën`` and ``citroen``.
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in plain if c.isalnum())
