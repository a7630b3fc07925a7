"""The headers that every answer of the web door has, whatever it is and whoever gives it (OWASP ASVS 5.0, 3.4).

The content security policy allows no script at all and styles only from our own file, so nothing in a record can run
even where an escape is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
EVERYWHERE: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "tianlu",  # and not which release of what
}
YEAR = 365 * 24 * 3600  # seconds


def of(base_url: str) -> Mapping[str, str]:
    """Those of a door that visitors know by this address: over TLS they are to come no other way (RFC 6797)."""
    if not base_url.startswith("https:"):
        return EVERYWHERE
    return {**EVERYWHERE, "Strict-Transport-Security": f"max-age={YEAR}; includeSubDomains"}
