from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from gonogo import __version__
from gonogo.errors import EvidenceError
from gonogo.evidence import EvidenceWriter, Record, Target, read, write
from gonogo.exchange import Chunk, Exchange, Failure, FailureKind, Request
from gonogo.reasons import Reason
from gonogo.redaction import redact
from gonogo.verdict import Because
from hypothesis import given, settings
from hypothesis import strategies as st

KEY = "sk-0123456789abcdef"
TARGET = Target("http://127.0.0.1:8000/v1", "m", None)
STARTED = "2026-11-14T00:00:00Z"
EXCHANGE = Exchange(
    id="x1",
    stimulus="chat",
    request=Request("POST", "/chat/completions", (("content-type", "application/json"),), b'{"a": 1}'),
    status=200,
    headers=(("Content-Type", "text/event-stream"), ("X-A", "1"), ("x-a", "2")),
    chunks=(Chunk(0.25, b"data: \xc3"), Chunk(0.5, b"\xa4\n\n")),
    failure=None,
    seconds=0.75,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "evidence.jsonl"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def written(path: Path, *exchanges: Exchange, key: str | None = None) -> Path:
    write(path, Record(TARGET, STARTED, exchanges), key=key)
    return path


SECONDS = st.floats(0, 1e6)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
HEADERS = st.lists(st.tuples(TEXT, TEXT).filter(lambda pair: pair[0].lower() not in SECRET_FIELDS)).map(tuple)
SECRET_FIELDS = {"authorization", "proxy-authorization", "api-key", "x-api-key", "cookie", "set-cookie"}
EXCHANGES = st.builds(
    Exchange,
    id=TEXT,
    stimulus=TEXT,
    request=st.builds(Request, TEXT, TEXT, HEADERS, st.binary()),
    status=st.none() | st.integers(100, 999),
    headers=HEADERS,
    chunks=st.lists(st.builds(Chunk, SECONDS, st.binary() | TEXT.map(str.encode))).map(tuple),
    failure=st.none() | st.builds(Failure, st.sampled_from(FailureKind), SECONDS, TEXT),
    seconds=SECONDS,
)
SCALARS = TEXT | st.integers(-(2**53), 2**53) | st.booleans() | st.none()
BECAUSE = st.sampled_from(Reason).flatmap(
    lambda reason: st.builds(
        Because,
        st.just(reason),
        st.fixed_dictionaries(dict.fromkeys(reason.names, SCALARS)),
        st.lists(TEXT, max_size=3).map(tuple),
    )
)
RECORDS = st.builds(
    Record,
    st.builds(Target, TEXT, st.none() | TEXT, st.none() | TEXT),
    TEXT,
    st.lists(EXCHANGES, max_size=3, unique_by=lambda exchange: exchange.id).map(tuple),
    st.dictionaries(TEXT, BECAUSE, max_size=3),
    extra_body=st.dictionaries(TEXT, TEXT | st.lists(st.booleans()), max_size=2),
)


class TestARecord:
    @pytest.mark.unmeasured  # a hundred records run the same lines as one
    @settings(deadline=None)  # a busy machine is not a failure
    @given(RECORDS)
    def test_is_read_as_it_was_written(
        self, tmp_path_factory: pytest.TempPathFactory, record: Record
    ) -> None:
        path = tmp_path_factory.mktemp("evidence") / "evidence.jsonl"
        write(path, record)
        assert asdict(read(path)) == asdict(record)

    def test_is_readable_text_where_its_bytes_are(self, path: Path) -> None:
        header, exchange = lines(written(path, EXCHANGE))
        assert header == {
            "gonogo": __version__,
            "evidence_version": 1,
            "target": {"base_url": "http://127.0.0.1:8000/v1", "model": "m", "embedding_model": None},
            "started": STARTED,
            "extra_body": {},
        }
        assert exchange["chunks"] == [[0.25, {"base64": "ZGF0YTogww=="}], [0.5, {"base64": "pAoK"}]]
        assert exchange["request"]["body"] == '{"a": 1}'

    def test_is_in_the_file_after_each_exchange(self, path: Path) -> None:
        with EvidenceWriter(path, TARGET, STARTED) as writer:
            assert read(path).exchanges == ()
            writer.exchange(EXCHANGE)
            assert [exchange.id for exchange in read(path).exchanges] == ["x1"]
            writer.unsent("embeddings", Because(Reason.TARGET_LOST, about=("x1",)))
            assert read(path).unsent == {"embeddings": Because(Reason.TARGET_LOST, about=("x1",))}

    def test_says_why_a_request_was_not_sent_by_a_code_with_values_and_exchanges(self, path: Path) -> None:
        with EvidenceWriter(path, TARGET, STARTED) as writer:
            writer.unsent("long", Because(Reason.CONTEXT_TOO_LONG, {"length": 9000, "most": 8192}, ("x1",)))
        assert lines(path)[1] == {
            "unsent": "long",
            "reason": "context-too-long",
            "about": ["x1"],
            "values": {"length": 9000, "most": 8192},
        }

    @pytest.mark.parametrize(
        ("told", "because"),
        [
            ("the target is gone", Because(Reason.NOT_SENT, {"told": "the target is gone"})),
            ("target-lost", Because(Reason.NOT_SENT, {"told": "target-lost"})),
            (
                "no embedding model is known; give one with --embedding-model",
                Because(Reason.NO_EMBEDDING_MODEL),
            ),
        ],
    )
    def test_of_an_older_gonogo_has_sentences_for_reasons(
        self, path: Path, told: str, because: Because
    ) -> None:
        with written(path).open("a") as file:
            file.write(json.dumps({"unsent": "a", "reason": told}) + "\n")
        assert read(path).unsent == {"a": because}

    def test_replaces_what_the_file_held(self, path: Path) -> None:
        path.write_text("something else\n" * 100)
        assert len(read(written(path, EXCHANGE)).exchanges) == 1

    def test_that_is_gone_on_with_loses_nothing_of_it_but_a_line_that_was_cut_short(self, path: Path) -> None:
        written(path, EXCHANGE, replace(EXCHANGE, id="x2"))
        path.write_bytes(path.read_bytes()[:-20])
        with EvidenceWriter.go_on(path, read(path)) as writer:
            writer.exchange(replace(EXCHANGE, id="x3"))
        record = read(path)
        assert ([exchange.id for exchange in record.exchanges], record.truncated) == (["x1", "x3"], False)
        assert list(path.parent.iterdir()) == [path]

    def test_of_an_older_gonogo_has_no_extra_body(self, path: Path) -> None:
        written(path)
        path.write_text(path.read_text().replace(',"extra_body":{}', ""))
        assert read(path).extra_body == {}

    def test_says_which_version_wrote_it(self, path: Path) -> None:
        written(path)
        path.write_text(path.read_text().replace(f'"{__version__}"', '"0.0.9"'))
        assert read(path).gonogo == "0.0.9"

    def test_with_a_truncated_last_line_keeps_the_rest_and_reports_it(self, path: Path) -> None:
        written(path, EXCHANGE, replace(EXCHANGE, id="x2"))
        whole = path.read_bytes()
        path.write_bytes(whole[:-20])
        record = read(path)
        assert record.truncated
        assert [exchange.id for exchange in record.exchanges] == ["x1"]

    def test_without_a_final_line_break_is_complete(self, path: Path) -> None:
        path.write_bytes(written(path, EXCHANGE).read_bytes().rstrip())
        record = read(path)
        assert not record.truncated
        assert len(record.exchanges) == 1

    def test_may_have_members_that_a_later_minor_version_adds(self, path: Path) -> None:
        written(path, EXCHANGE)
        path.write_text(path.read_text().replace('"stimulus"', '"new":1,"stimulus"'))
        assert len(read(path).exchanges) == 1


class TestASecret:
    @pytest.mark.parametrize(
        "name", ["Authorization", "proxy-authorization", "api-key", "X-API-Key", "Cookie", "set-cookie"]
    )
    def test_in_a_header_made_for_it_is_never_written(self, path: Path, name: str) -> None:
        request = replace(EXCHANGE.request, headers=((name, "Bearer s3cret"),))
        exchange = replace(EXCHANGE, request=request, headers=((name, "s3cret"),))
        assert "s3cret" not in written(path, exchange).read_text()
        assert read(path).exchanges[0].request.headers == ((name, "[redacted]"),)
        assert read(path).exchanges[0].headers == ((name, "[redacted]"),)

    def test_in_any_other_header_of_a_request_is_taken_out_of_its_value(self, path: Path) -> None:
        request = replace(EXCHANGE.request, headers=(("x-portkey", "pk=abc;v=1"),))
        written(path, replace(EXCHANGE, request=request), key="abc")
        assert read(path).exchanges[0].request.headers == (("x-portkey", "pk=[redacted];v=1"),)

    def test_that_the_target_echoes_is_masked_and_every_byte_keeps_its_place(self, path: Path) -> None:
        body = b'{"error": "bad key %s"}' % KEY.encode()
        chunks = (Chunk(0.1, body[:24]), Chunk(0.2, body[24:]))
        exchange = replace(
            EXCHANGE,
            request=replace(EXCHANGE.request, path=f"/x?key={KEY}", body=KEY.encode()),
            headers=(("x-echo", KEY),),
            chunks=chunks,
        )
        assert KEY not in written(path, exchange, key=KEY).read_text()
        [stored] = read(path).exchanges
        assert stored.body == body.replace(KEY.encode(), b"*" * len(KEY))
        assert [len(chunk.data) for chunk in stored.chunks] == [24, len(body) - 24]
        assert stored.request.path == "/x?key=" + "*" * len(KEY)

    def test_in_the_extra_body_is_masked(self, path: Path) -> None:
        with EvidenceWriter(path, TARGET, STARTED, key=KEY, extra_body={"vendor": {"key": KEY}}):
            assert KEY not in path.read_text()
            assert read(path).extra_body == {"vendor": {"key": "*" * len(KEY)}}

    def test_leave_no_trace_in_what_was_not_sent(self, path: Path) -> None:
        with EvidenceWriter(path, TARGET, STARTED, key=KEY) as writer:
            writer.unsent("cut", Because(Reason.NO_FIT_STOP, {"text": f"Your key is {KEY}."}, ("x1",)))
        assert KEY not in path.read_text()
        masked = f"Your key is {'*' * len(KEY)}."
        assert read(path).unsent == {"cut": Because(Reason.NO_FIT_STOP, {"text": masked}, ("x1",))}

    def test_of_a_few_letters_is_no_reason_to_change_an_answer(self) -> None:
        exchange = replace(EXCHANGE, chunks=(Chunk(0.1, b"none of the data"),))
        assert redact(exchange, "none").body == b"none of the data"

    def test_that_occurs_nowhere_leaves_the_bytes_alone(self) -> None:
        assert redact(EXCHANGE, KEY).chunks is EXCHANGE.chunks


class TestABadFile:
    def error(self, path: Path) -> str:
        with pytest.raises(EvidenceError) as error:
            read(path)
        assert str(error.value).endswith(".")
        return str(error.value)

    def test_that_is_missing_is_named(self, path: Path) -> None:
        assert self.error(path) == f"Cannot read the evidence file {path}: No such file or directory."

    @pytest.mark.parametrize(
        "text", ["", "hello\n", "[]\n", '{"a": 1}\n', "\xff\n", '{"evidence', "[" * 10**5]
    )
    def test_that_is_something_else_is_reported_as_not_a_gonogo_file(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="latin-1")
        assert "is not an evidence file" in self.error(path)

    def test_of_another_version_says_which_gonogo_reads_it(self, path: Path) -> None:
        written(path)
        path.write_text(path.read_text().replace('"evidence_version":1', '"evidence_version":3'))
        assert "has evidence version 3" in self.error(path)
        assert "reads versions 1 and 2" in self.error(path)

    def test_with_a_header_of_another_shape_names_the_member(self, path: Path) -> None:
        written(path)
        path.write_text(path.read_text().replace('"model":"m"', '"model":1'))
        assert "Line 1" in self.error(path)
        assert "target/model" in self.error(path)

    def test_with_a_broken_line_in_the_middle_names_it(self, path: Path) -> None:
        written(path, EXCHANGE)
        with path.open("a") as file:
            file.write("oops\n")
        assert f"Line 3 of the evidence file {path} is not JSON" in self.error(path)

    def test_with_an_id_twice_names_line_and_id(self, path: Path) -> None:
        assert "Line 3 of the evidence file" in self.error(written(path, EXCHANGE, EXCHANGE))
        assert 'repeats the exchange id "x1"' in self.error(path)

    @pytest.mark.parametrize(
        ("old", "new", "where"),
        [
            ('"status":200', '"status":"200"', "status"),
            ('"id":"x1",', "", "the line"),
            ("0.25", '"soon"', "chunks/0/0"),
            ('{"base64":"pAoK"}', '{"base64":"p!"}', "chunks/1/1"),
            ('{"base64":"pAoK"}', "7", "chunks/1/1"),
            ('"failure":null', '"failure":{"kind":"bad luck","at":1,"message":""}', "failure"),
            ('["x-a","2"]', '["x-a"]', "headers/2"),
        ],
    )
    def test_with_a_line_of_another_shape_names_the_member(
        self, path: Path, old: str, new: str, where: str
    ) -> None:
        text = written(path, EXCHANGE).read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        assert f"Line 2 of the evidence file {path} is not valid gonogo evidence: {where}:" in self.error(
            path
        )

    @pytest.mark.parametrize(
        "line",
        [
            "[]",
            "1",
            '{"unsent": 1, "reason": ""}',
            '{"unsent": "a"}',
            '{"unsent": "a", "reason": "no-such-reason", "about": [], "values": {}}',
            '{"unsent": "a", "reason": "target-lost", "about": [1], "values": {}}',
            '{"unsent": "a", "reason": "target-lost", "values": {}}',
            '{"unsent": "a", "reason": "not-sent", "about": [], "values": {"told": {}}}',
        ],
    )
    def test_with_an_invalid_line_is_refused(self, path: Path, line: str) -> None:
        with written(path).open("a") as file:
            file.write(line + "\n")
        assert "Line 2" in self.error(path)

    def test_with_a_reason_that_lacks_a_value_names_the_value(self, path: Path) -> None:
        with written(path).open("a") as file:
            file.write('{"unsent": "a", "reason": "context-too-long", "about": [], "values": {"most": 1}}\n')
        assert "values: length is missing" in self.error(path)

    @pytest.mark.parametrize(
        ("old", "new", "what"),
        [
            ("0.25", "NaN", "NaN is not a JSON number"),
            ('"{\\"a\\": 1}"', '"\\uD800"', "surrogates not allowed"),
        ],
    )
    def test_with_what_json_or_text_cannot_hold_is_refused(
        self, path: Path, old: str, new: str, what: str
    ) -> None:
        written(path, EXCHANGE)
        path.write_text(path.read_text().replace(old, new))
        assert what in self.error(path)

    def test_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(EvidenceError, match=r"^Cannot write the evidence file .*: Is a directory\."):
            EvidenceWriter(tmp_path, TARGET, STARTED)

    def test_while_one_writes_a_file_no_other_does(self, tmp_path: Path) -> None:
        path = tmp_path / "e.jsonl"
        with EvidenceWriter(path, TARGET, STARTED):
            held = path.read_bytes()
            with pytest.raises(EvidenceError, match="is in use by another run"):
                EvidenceWriter(path, TARGET, STARTED)
            with pytest.raises(EvidenceError, match="is in use by another run"):
                EvidenceWriter.go_on(path, Record(TARGET, STARTED, ()))
            assert path.read_bytes() == held
        EvidenceWriter(path, TARGET, STARTED).close()

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
    def test_on_a_full_disk_is_named(self) -> None:
        with pytest.raises(EvidenceError, match="No space left"):
            EvidenceWriter("/dev/full", TARGET, STARTED)
