"""SHA-1 and SHA-256 as Python itself computes them, where what is hashed is short.

Through OpenSSL the first digest after a wait for the database costs three times as much: all of its way there has to be
fetched into the processor's caches. Both compute the same.
"""

try:
    from _sha1 import sha1  # type: ignore[import-not-found]
    from _sha256 import sha256  # type: ignore[import-not-found]
except ImportError:  # built without them, or a later Python that keeps them elsewhere
    from hashlib import sha1, sha256

__all__ = ["sha1", "sha256"]
