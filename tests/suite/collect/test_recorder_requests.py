"""The recorder's requests, and their form in the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo import __version__
from gonogo.exchange import Request, header
from gonogo.redaction import REDACTED, WRONG_KEY, OwnHeader
from suite.collect.raw_answers import OK, sends

if TYPE_CHECKING:
    import asyncio

    from tests.suite.collect.conftest import Wire


class TestWhatIsSent:
    def test_is_the_request_line_as_given_after_the_base_url(self, wire: Wire) -> None:
        wire.record(sends(OK), Request("get", "/models/a%2Fb/../c%zz?q=%20"))
        assert wire.heads[0].startswith(b"get /models/a%2Fb/../c%zz?q=%20 HTTP/1.1\r\n")

    @pytest.mark.parametrize(
        ("path", "target"), [("", b"/x"), ("/", b"/x"), ("/v1/", b"/v1/x"), ("/a/v1", b"/a/v1/x")]
    )
    def test_has_one_slash_between_base_url_and_path(self, wire: Wire, path: str, target: bytes) -> None:
        wire.record_all(sends(OK), Request("GET", "/x"), path=path)
        assert wire.heads[0].split()[1] == target

    def test_is_the_body_as_given(self, wire: Wire) -> None:
        bodies = []

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            bodies.append(await reader.readexactly(9))
            writer.write(OK)

        body = b'{"a": \xff}\n'[:9]
        wire.record(behave, Request("POST", "/x", (("Content-Type", "application/json"),), body))
        assert bodies == [body]
        assert b"Content-Type: application/json\r\n" in wire.heads[0]
        assert b"Content-Length: 9\r\n" in wire.heads[0]

    def test_names_gonogo_and_asks_for_no_content_coding(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK))
        for name, value in (
            ("user-agent", f"gonogo/{__version__}"),
            ("accept", "*/*"),
            ("accept-encoding", "identity"),
        ):
            assert f"{name}: {value}\r\n".encode() in wire.heads[0]
            assert (name, value) in exchange.request.headers

    def test_adds_no_header_that_the_request_brings(self, wire: Wire) -> None:
        wire.record(sends(OK), Request("GET", "/x", (("Accept", "text/plain"), ("USER-AGENT", "curl"))))
        assert b"*/*" not in wire.heads[0]
        assert b"gonogo/" not in wire.heads[0]

    def test_carries_the_key_and_the_exchange_does_not(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK), api_key="s3cret")
        assert b"authorization: Bearer s3cret\r\n" in wire.heads[0]
        assert ("authorization", "[redacted]") in exchange.request.headers

    def test_carries_the_key_in_the_header_that_it_names(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK), Request("GET", "/x", key_in="x-api-key"), api_key="s3cret")
        assert b"x-api-key: s3cret\r\n" in wire.heads[0]
        assert b"authorization" not in wire.heads[0].lower()
        assert ("x-api-key", "[redacted]") in exchange.request.headers

    def test_keeps_an_authorization_of_its_own(self, wire: Wire) -> None:
        wrong = Request("GET", "/x", (("Authorization", "Bearer wrong"),))
        exchange = wire.record(sends(OK), wrong, api_key="s3cret")
        assert b"Bearer wrong" in wire.heads[0]
        assert b"s3cret" not in wire.heads[0]
        assert exchange.request.headers[0] == ("Authorization", "[redacted]")

    def test_leaves_the_key_out_where_the_request_is_anonymous(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK), Request("GET", "/x", anonymous=True), api_key="s3cret")
        assert b"authorization" not in wire.heads[0].lower()
        assert header(exchange.request.headers, "authorization") is None

    def test_is_shown_whole_where_its_key_is_wrong_on_purpose(self, wire: Wire) -> None:
        request = Request("GET", "/x", (("authorization", WRONG_KEY),))
        exchange = wire.record(sends(OK), request, api_key="s3cret")
        assert f"authorization: {WRONG_KEY}\r\n".encode() in wire.heads[0]
        assert exchange.request.headers[0] == ("authorization", WRONG_KEY)

    def test_masks_a_key_that_the_answer_echoes(self, wire: Wire) -> None:
        key = "sk-0123456789abcdef"
        answer = b"HTTP/1.0 401 No\r\n\r\nIncorrect API key: " + key.encode()
        assert wire.record(sends(answer), api_key=key).body == b"Incorrect API key: " + b"*" * len(key)

    def test_holds_no_cookie_that_an_earlier_answer_set(self, wire: Wire) -> None:
        answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
        wire.record_all(sends(answer), Request("GET", "/1"), Request("GET", "/2"))
        assert b"cookie" not in wire.heads[1].lower()

    def test_raises_value_error_if_it_is_not_http(self, wire: Wire) -> None:
        for request in (Request("GET", "/a b"), Request("GET", "/x", (("a b", "c"),))):
            with pytest.raises(ValueError, match="cannot send"):
                wire.record(sends(OK), request)


class TestTheQueryOfABaseUrl:
    @pytest.mark.parametrize(
        ("path", "target"),
        [("/x", b"/v1/x?api-version=2026-01&a=%20"), ("/x?b=1", b"/v1/x?b=1&api-version=2026-01&a=%20")],
    )
    def test_follows_every_path_and_stands_in_no_exchange(self, wire: Wire, path: str, target: bytes) -> None:
        exchange = wire.record(sends(OK), Request("GET", path), path="/v1/?api-version=2026-01&a=%20")
        assert wire.heads[0].split()[1] == target
        assert exchange.request.path == path

    def test_is_masked_in_answers_where_it_holds_a_key(self, wire: Wire) -> None:
        key = "0123456789abcdef/%2B"
        head = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 18\r\n\r\n"
        exchange = wire.record(sends(head, b"0123456789abcdef/+"), path=f"/v1?sig={key}")
        assert exchange.body == b"*" * 18


class TestHeadersOfTheRun:
    SECRET = OwnHeader("api-key", "0123456789abcdef", secret=True)
    PLAIN = OwnHeader("OpenAI-Organization", "org-1", secret=False)

    def test_go_with_the_request_and_secret_ones_are_taken_out_of_the_exchange(self, wire: Wire) -> None:
        echo = b"HTTP/1.1 200 OK\r\nX-Echo: 0123456789abcdef\r\nContent-Length: 16\r\n\r\n0123456789abcdef"
        exchange = wire.record(sends(echo), headers=(self.SECRET, self.PLAIN))
        assert b"api-key: 0123456789abcdef\r\n" in wire.heads[0]
        assert b"openai-organization: org-1\r\n" in wire.heads[0]
        assert header(exchange.request.headers, "api-key") == REDACTED
        assert header(exchange.request.headers, "openai-organization") == "org-1"
        assert (exchange.header("x-echo"), exchange.body) == (REDACTED, b"*" * 16)

    def test_mask_what_follows_a_scheme_too(self, wire: Wire) -> None:
        own = OwnHeader("Authorization", "Token 0123456789abcdef", secret=True)
        head = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 16\r\n\r\n"
        exchange = wire.record(sends(head, b"0123456789abcdef"), headers=(own,), api_key="of-the-run")
        assert b"authorization: Token 0123456789abcdef\r\n" in wire.heads[0]
        assert b"of-the-run" not in wire.heads[0]
        assert exchange.body == b"*" * 16

    def test_stand_in_place_of_our_own_and_behind_those_of_the_request(self, wire: Wire) -> None:
        own = (OwnHeader("User-Agent", "mine", secret=False), OwnHeader("accept", "text/x", secret=False))
        wire.record(sends(OK), Request("GET", "/x", (("Accept", "text/plain"),)), headers=own)
        assert b"user-agent: mine\r\n" in wire.heads[0]
        assert b"gonogo/" not in wire.heads[0]
        assert b"text/x" not in wire.heads[0]

    @pytest.mark.parametrize(
        "request_",
        [Request("GET", "/x", anonymous=True), Request("GET", "/x", (("authorization", WRONG_KEY),))],
        ids=["anonymous", "wrong key"],
    )
    def test_that_are_credentials_stay_away_where_the_request_is_to_have_no_right_key(
        self, wire: Wire, request_: Request
    ) -> None:
        wire.record(sends(OK), request_, headers=(self.SECRET, self.PLAIN))
        assert b"api-key" not in wire.heads[0]
        assert b"openai-organization" in wire.heads[0]
