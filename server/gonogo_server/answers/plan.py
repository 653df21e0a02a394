"""The form of the answer that a chat request asks for: tools and response format together. No I/O."""

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
    """How a model is told what is wanted, kept to it, and understood."""

    instruction: str = ""
    """For the system message; "" if there is nothing to say."""
    tools: tuple[dict[str, Any], ...] = ()
    """For the chat template of a model that was trained on tools."""
    knows_tools: bool = False
    """Whether that template is told about calls and results in the conversation."""
    rules: str | None = None
    """What the answer has to keep to where its reasoning has ended: the rule `said` and those it needs, in Lark."""
    calls: tuple[Markup, Offer] | None = None
    reasoning: ReasoningMode | None = None

    @property
    def named(self) -> bool:
        """Whether the request chose the function that is called."""
        return self.calls is not None and self.calls[1].named

    @property
    def grammar(self) -> str | None:
        """For `Generation.grammar`."""
        return None if self.rules is None else LLMatcher.grammar_from_lark(_lark(self.reasoning, self.rules))

    def opened(self) -> Plan:
        """The same for a prompt that ends inside the reasoning."""
        return replace(self, reasoning=self.reasoning and replace(self.reasoning, opened=True))

    def tool_filter(self) -> ToolFilter | None:
        """What takes the calls out of one answer; None if there are none to be had."""
        return ToolFilter(*self.calls) if self.calls else None

    def reasoning_filter(self) -> ReasoningFilter | None:
        """What takes the reasoning out of one answer; None if the model does not reason."""
        return self.reasoning.filter() if self.reasoning else None


def plan(
    body: CreateChatCompletionRequest, style: ToolStyle | None, mode: ReasoningMode | None = None
) -> Plan:
    """The plan for a request to a model that calls tools in this style, and reasons so before its answer.

    Everything is tried here and now, which is not for schemas of strangers: see `compilation.compiler`. Raises
    `BadRequest` for schemas and choices that cannot be served.
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
    """The plan for an answer of this form, and its whole grammar in Lark, where it has one, which may be too large.

    That has text for special tokens, which only the model's own vocabulary has: it is of the same size and sense.
    """
    told = wanted.instruction if wanted and not (offered and offered.forced) else ""
    if offered is None:
        rules = f"said: {wanted.rule}" if wanted else None
        return _spelled(Plan(told, knows_tools=style is not None, rules=rules, reasoning=mode), rules)
    marks = markup(style, offered, wanted)
    rules = call_rules(marks, offered, wanted)
    if _is_told_by_template(style, marks, offered):
        made = Plan(
            told, offered.tools, knows_tools=True, rules=rules, calls=(marks, offered), reasoning=mode
        )
    else:
        spoken = "\n\n".join(part for part in (instruction(offered), told) if part)
        made = Plan(spoken, rules=rules, calls=(marks, offered), reasoning=mode)
    return _spelled(made, call_rules(marks.spelled(), offered, wanted))


def _spelled(made: Plan, rules: str | None) -> tuple[Plan, str | None]:
    return made, None if rules is None else _lark(made.reasoning and made.reasoning.spelled(), rules)


def _lark(mode: ReasoningMode | None, rules: str) -> str:
    return f"%llguidance {{}}\n{start_rule(mode)}\n{rules}"


def _is_told_by_template(style: ToolStyle | None, marks: Markup, offered: Offer) -> bool:
    """Whether the model is told of the tools in the way it was trained on.

    So it is where a call is forced, too, whatever its form: the grammar writes all of the form. Where it may
    choose to call, it has to be told the form that is read.
    """
    return style is not None and (offered.forced or marks.start == style.start)
