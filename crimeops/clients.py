"""Whose request it is: the address that counts for the audit trail and for the lock-out."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest | None) -> str:
    """The client's address, or nothing where it cannot be known.

    A header is anybody's to write, so it counts only behind our own proxy (BEHIND_TLS), and then
    only its last entry, which that proxy itself has appended.
    """
    if request is None:
        return ""
    if settings.ENVIRONMENT.behind_tls:  # REMOTE_ADDR is the proxy, and so everybody
        given = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    else:
        given = str(request.META.get("REMOTE_ADDR", ""))
    try:
        address = ip_address(given.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def network_of(address: str) -> str:
    """What one attacker surely holds: an IPv4 address, or the /64 of an IPv6 address."""
    if ":" not in address:
        return address
    groups = ip_address(address).exploded.split(":")
    return ":".join(groups[:4]) + "::/64"
