"""Addresses of servers, as files and sentences may hold them."""

from urllib.parse import urlsplit


def without_password(url: str) -> str:
    """The same address without a user's name and password, which no file and no terminal is to show."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else url
