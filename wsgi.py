"""The WSGI application, `wsgi:app`, for any server; settings come from the environment and `.env`."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent
if str(_ROOT / "src") not in sys.path:
    # Servers start where this file is, whether the project is installed or not.
    sys.path.insert(0, str(_ROOT / "src"))

from app import create_app  # noqa: E402
from config.settings import load_settings  # noqa: E402

app = create_app(load_settings(root=_ROOT))
