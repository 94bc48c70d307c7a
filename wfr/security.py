"""What the site allows a browser, and whom it believes about where a request comes from."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from werkzeug.datastructures import Headers
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from wfr import paths
from wfr.config import ConfigError, Settings

ONE_YEAR_SECONDS = 365 * 24 * 60 * 60
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FROM_ANYWHERE = "wfr_from_anywhere"

AnyView = TypeVar("AnyView", bound=Callable[..., Any])


def init_app(app: Flask, settings: Settings) -> None:
    """Set every answer's headers, refuse forms from other sites, serve static files, believe the known proxies."""
    policy = content_policy(settings)
    app.extensions["wfr.address_key"] = AddressKeys(settings.key("addresses"))

    @app.before_request
    def refuse_other_sites() -> None:
        view = app.view_functions.get(request.endpoint or "")
        if request.method not in SAFE_METHODS and not (from_our_pages() or hasattr(view, _FROM_ANYWHERE)):
            abort(HTTPStatus.FORBIDDEN)

    @app.after_request
    def set_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        refuse_frames(headers)
        # flask-wtf will refuse a stricter policy, and printed forms of other sites learn nothing from this one.
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), browsing-topics=()")
        if settings.base_url.startswith("https:"):
            headers.setdefault("Strict-Transport-Security", f"max-age={ONE_YEAR_SECONDS}; includeSubDomains")
        return response

    files = WhiteNoise(app.wsgi_app, max_age=ONE_YEAR_SECONDS, autorefresh=app.debug)
    files.add_files(str(paths.STATIC), prefix="static/")
    if settings.logo:
        logo = settings.uploads / settings.logo
        if not logo.is_file():
            raise ConfigError(f"WFR_LOGO: there is no file {logo}; put it there, or take WFR_LOGO away.")
        files.add_file_to_dictionary(f"/uploads/{settings.logo}", str(logo))
    app.wsgi_app = files  # type: ignore[method-assign]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def content_policy(settings: Settings, *, framed_by: str = "'none'") -> str:
    """Return the Content-Security-Policy: our own files, no inline code, no host but our stream's.

    `framed_by` are the sites that may show the page in a frame, as the policy writes them.
    """
    stream = f" {settings.stream_url}" if settings.stream_url else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self'{stream}",
            "worker-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {framed_by}",
        )
    )


def refuse_frames(headers: Headers) -> None:
    """Tell old browsers too that no site may frame this, unless its policy lets some: the old word can name none."""
    policy = headers["Content-Security-Policy"]
    if "frame-ancestors " not in policy or "frame-ancestors 'none'" in policy:
        headers.setdefault("X-Frame-Options", "DENY")


def from_anywhere(view: AnyView) -> AnyView:
    """Mark a view that other sites and programs may post to: what its address says is all that it asks for."""
    setattr(view, _FROM_ANYWHERE, True)
    return view


def from_our_pages() -> bool:
    """Say whether a form comes from a page of ours, as far as the browser tells; one that tells nothing is let through.

    `Sec-Fetch-Site` and `Origin` are set by the browser and cannot be forged by another site's page.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


class AddressKeys:
    """Turns an address into the key it is counted under: another one each day, and not to be undone."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self) -> str:
        """Return the key of the present request's address."""
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        message = f"{day} {network_of(request.remote_addr or '')}".encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:32]


def network_of(address: str) -> str:
    """Return what one household or server has of an address: all of an IPv4 one, the first 64 bits of an IPv6 one."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv4Address):
        return address
    return str(known.ipv4_mapped or ip_network((known, 64), strict=False))
