"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="ID", help="Judge this rule, or those under this id; repeatable."),
]
Skip = Annotated[
    list[str] | None,
    typer.Option("--skip", metavar="ID", help="Leave out this rule, or those under this id; repeatable."),
]
Require = Annotated[
    list[str] | None,
    typer.Option("--require", metavar="GROUP", help="No-go where this group is unsupported; repeatable."),
]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings are a no-go too.")]
ExtraBody = Annotated[
    str | None,
    typer.Option(
        "--extra-body",
        metavar="JSON",
        help="Add the fields of this object to every generation; what a rule asks for stays as it is.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on with the evidence file: send what never reached the target."),
]
BaselineFile = Annotated[
    Path | None,
    typer.Option("--baseline", metavar="FILE", help="Waive the broken rules that this TOML file lists."),
]
UpdateBaseline = Annotated[
    bool,
    typer.Option("--update-baseline", help="Write the baseline anew; this run is judged by it as it was."),
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the report as JSON; - is stdout.")
]
JunitFile = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write the report as JUnit XML; - is stdout.")
]
SarifFile = Annotated[
    Path | None, typer.Option("--sarif", metavar="FILE", help="Write the report as SARIF; - is stdout.")
]
MarkdownFile = Annotated[
    Path | None, typer.Option("--markdown", metavar="FILE", help="Write the report as Markdown; - is stdout.")
]
