"""Base URLs with a query, and their redacted form."""

from __future__ import annotations

import pytest
from gonogo.addresses import secrets_of, shown, tidy, url_of


@pytest.mark.parametrize(
    ("base_url", "path", "whole"),
    [
        ("http://h/v1", "/models", "http://h/v1/models"),
        ("http://h/v1/", "/models", "http://h/v1/models"),
        ("http://h/v1/?a=1&b=%20", "/models", "http://h/v1/models?a=1&b=%20"),
        ("http://h/v1?a=1", "/x?b=2", "http://h/v1/x?b=2&a=1"),
        ("http://h/v1?", "/x", "http://h/v1/x"),
    ],
)
def test_a_path_goes_before_the_query_of_its_base(base_url: str, path: str, whole: str) -> None:
    assert url_of(base_url, path) == whole
    assert url_of(tidy(base_url), path) == whole


def test_query_values_that_look_like_credentials_are_hidden() -> None:
    base_url = "https://h/v1?api-version=2026-01&api_key=a%2Bb&sig=c&code=&flag"
    assert shown(base_url) == "https://h/v1?api-version=2026-01&api_key=[redacted]&sig=[redacted]&code=&flag"
    assert secrets_of(base_url) == ("a+b", "c")


def test_a_base_url_without_a_query_is_shown_as_it_is() -> None:
    assert shown("http://127.0.0.1:8000/v1") == "http://127.0.0.1:8000/v1"
    assert secrets_of("http://127.0.0.1:8000/v1") == ()
