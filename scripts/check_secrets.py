"""Looks for secrets in every file that git knows: `scripts/check_secrets.py`, with `--accept` to take what is found.

What is no secret stands in `.secrets.baseline`, by file, kind and digest; lines may move. A password in a test is made
up there, so those are not asked about; keys that have a shape of their own are looked for everywhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from multiprocessing import Pool
from pathlib import Path

from detect_secrets.core import scan
from detect_secrets.settings import transient_settings

BASELINE = Path(".secrets.baseline")
# Others only know hosts and providers that are not ours, and each is asked about every line.
PLUGINS = (
    "AWSKeyDetector",
    "BasicAuthDetector",
    "GitHubTokenDetector",
    "JwtTokenDetector",
    "KeywordDetector",
    "PrivateKeyDetector",
    "StripeDetector",
    "TwilioKeyDetector",
)
ENTROPY = {"Base64HighEntropyString": 4.5, "HexHighEntropyString": 3.0}
SETTINGS = {
    "plugins_used": [
        *({"name": name} for name in PLUGINS),
        *({"name": name, "limit": limit} for name, limit in ENTROPY.items()),
    ],
    "filters_used": [
        {"path": "detect_secrets.filters.heuristic.is_potential_uuid"},
        {"path": "detect_secrets.filters.heuristic.is_sequential_string"},
        {"path": "detect_secrets.filters.heuristic.is_templated_secret"},
        {"path": "detect_secrets.filters.heuristic.is_indirect_reference"},
        {"path": "detect_secrets.filters.heuristic.is_prefixed_with_dollar_sign"},
        {"path": "detect_secrets.filters.heuristic.is_non_text_file"},
    ],
}
Found = tuple[str, str, str]


def main(arguments: list[str]) -> int:
    found = dict(look(_files()))
    if arguments == ["--accept"]:
        BASELINE.write_text(json.dumps(sorted(found), indent=1) + "\n", "utf-8")
        return 0
    accepted = {tuple(one) for one in json.loads(BASELINE.read_text("utf-8"))}
    for file, kind, digest in sorted(found.keys() - accepted):
        print(f"{file}:{found[file, kind, digest]}: {kind}; if it is none: scripts/check_secrets.py --accept")
    return 1 if found.keys() - accepted else 0


def look(files: list[str]) -> list[tuple[Found, int]]:
    """What may be a secret, with its line."""
    with transient_settings(SETTINGS), Pool(os.cpu_count()) as pool:
        return [one for found in pool.imap_unordered(_look_at, files, chunksize=20) for one in found]


def _look_at(file: str) -> list[tuple[Found, int]]:
    return [
        ((file, secret.type, secret.secret_hash), secret.line_number)
        for secret in scan.scan_file(file)
        if not (secret.type == "Secret Keyword" and file.startswith("tests/"))
    ]


def _files() -> list[str]:
    """Locks are digests from end to end."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ":!*.lock", f":!{BASELINE}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [file for file in listed.stdout.split("\0") if file and Path(file).is_file()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
