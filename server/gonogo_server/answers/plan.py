"""The form of the answer to a chat request: tools and response format combined. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llguidance import LLMatcher

from gonogo_server.filters.calls import ToolFilter
from gonogo_server.filters.markup import Markup, call_rules, markup
from gonogo_server.filters.reasoning_mode import start_rule
from gonogo_server.schemas.structured import grammar, structure
from gonogo_server.tools.offer import Offer, offer
from gonogo_server.tools.text import instruction

if TYPE_CHECKING:
    from gonogo_wire import CreateChatCompletionRequest

    from gonogo_server.engine.base import ToolStyle
    from gonogo_server.filters.reasoning import ReasoningFilter
    from gonogo_server.filters.reasoning_mode import ReasoningMode
    from gonogo_server.schemas.structured import Structure


@dataclass(frozen=True, slots=True)
class Plan:
    """How to tell the model the wanted form, constrain its answer to it, and parse the answer."""

    instruction: str = ""
    """For the system message; "" if none is needed."""
    tools: tuple[dict[str, Any], ...] = ()
    """For the chat template of a model that was trained with tools."""
    knows_tools: bool = False
    """Whether that template renders the calls and results of the conversation."""
    rules: str | None = None
    """The grammar of the answer after its reasoning, in Lark: the rule `said` and the rules that it uses."""
    calls: tuple[Markup, Offer] | None = None
    reasoning: ReasoningMode | None = None

    @property
    def named(self) -> bool:
        """Whether the request chose the function to call."""
        return self.calls is not None and self.calls[1].named

    @property
    def grammar(self) -> str | None:
        """For `Generation.grammar`."""
        return None if self.rules is None else LLMatcher.grammar_from_lark(_lark(self.reasoning, self.rules))

    def opened(self) -> Plan:
        """The plan for a prompt that ends inside the reasoning."""
        return replace(self, reasoning=self.reasoning and replace(self.reasoning, opened=True))

    def tool_filter(self) -> ToolFilter | None:
        """The filter that separates calls from the text of one answer; None without calls."""
        return ToolFilter(*self.calls) if self.calls else None

    def reasoning_filter(self) -> ReasoningFilter | None:
        """The filter that separates reasoning from the text of one answer; None if the model does not reason."""
        return self.reasoning.filter() if self.reasoning else None


def plan(
    body: CreateChatCompletionRequest, style: ToolStyle | None, mode: ReasoningMode | None = None
) -> Plan:
    """The plan for a request to a model with this tool call style and this reasoning mode.

    The grammar is compiled in this process, which is unsafe for schemas from clients: see `compilation.compiler`.
    Raises `BadRequest` for schemas and choices that cannot be served.
    """
    made, spelled = assembled(structure(body.response_format), offer(body), style, mode)
    if spelled is not None:
        grammar(spelled)
    return made


def assembled(
    wanted: Structure | None,
    offered: Offer | None,
    style: ToolStyle | None,
    mode: ReasoningMode | None = None,
) -> tuple[Plan, str | None]:
    """The plan for an answer of this form, and its whole grammar in Lark if it has one; that may be too large.

    This grammar spells special tokens as text, because only the model's vocabulary has them; size and meaning are the
    same.
    """
    instructions = wanted.instruction if wanted and not (offered and offered.forced) else ""
    if offered is None:
        rules = f"said: {wanted.rule}" if wanted else None
        return _spelled(Plan(instructions, knows_tools=style is not None, rules=rules, reasoning=mode), rules)
    marks = markup(style, offered, wanted)
    rules = call_rules(marks, offered, wanted)
    if _is_told_by_template(style, marks, offered):
        made = Plan(
            instructions, offered.tools, knows_tools=True, rules=rules, calls=(marks, offered), reasoning=mode
        )
    else:
        prompt = "\n\n".join(part for part in (instruction(offered), instructions) if part)
        made = Plan(prompt, rules=rules, calls=(marks, offered), reasoning=mode)
    return _spelled(made, call_rules(marks.spelled(), offered, wanted))


def _spelled(made: Plan, rules: str | None) -> tuple[Plan, str | None]:
    return made, None if rules is None else _lark(made.reasoning and made.reasoning.spelled(), rules)


def _lark(mode: ReasoningMode | None, rules: str) -> str:
    return f"%llguidance {{}}\n{start_rule(mode)}\n{rules}"


def _is_told_by_template(style: ToolStyle | None, marks: Markup, offered: Offer) -> bool:
    """Whether the chat template can describe the tools, in the form that the model was trained on.

    It can if a call is forced, whatever its form, because the grammar then dictates the form. If the model may choose,
    it has to be told the form that is parsed.
    """
    return style is not None and (offered.forced or marks.start == style.start)
