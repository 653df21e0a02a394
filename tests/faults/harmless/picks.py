"""The exchanges to which a harmless change is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.faults.picks import asked, but, either, holding, streamed, whole

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

CHATS = whole("/chat/completions")
CHAT_STREAMS = streamed("/chat/completions")
COMPLETIONS = but(whole("/completions"), holding('"echo":true'))
WHOLE = either(CHATS, COMPLETIONS)
COMPARED = holding('"max_tokens":24')  # greedy texts, whose forms must agree
UNPADDED = holding('"include_obfuscation":false')
LISTS = asked("GET /models", "GET /models #2")
SERVED = asked("GET /models/{model} served")
MODELS = either(LISTS, SERVED)
COUNTED = asked('POST /chat/completions {"stream":true,"stream_options":{"include_usage":true}}')
LIMITED_STREAM = asked(
    'POST /chat/completions {"max_tokens":2,"stream":true,"stream_options":{"include_usage":true},"temperature":0}'
)
LIMITED = asked('POST /chat/completions {"max_tokens":2,"temperature":0}')
PARTS = asked(
    'POST /chat/completions {"messages":[{"content":[{"text":"Count from one to ten.","type":"text"}],"role":"user"}]}'
)
UNKNOWN_MODEL = asked('POST /chat/completions {"model":"gonogo-no-such-model"}')
OTHER_ROUTES = either(asked("GET /gonogo-no-such-route"), asked("PUT /chat/completions"))


def REFUSALS(exchange: Exchange) -> bool:  # noqa: N802 - a pick like the others
    return exchange.status is not None and exchange.status >= 400


def EVERY(_: Exchange) -> bool:  # noqa: N802 - as above
    return True


def JSON_ANSWERS(exchange: Exchange) -> bool:  # noqa: N802 - as above
    return exchange.media_type == "application/json"
