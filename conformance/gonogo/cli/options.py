"""The options of `gonogo check`, some of which other commands share; those of --fuzz stand in `fuzzing`."""

from pathlib import Path
from typing import Annotated

import typer

BaseUrl = Annotated[
    str | None,
    typer.Argument(metavar="BASE_URL", help="As http://127.0.0.1:8000/v1; else the reference server."),
]
Model = Annotated[
    str | None, typer.Option("--model", metavar="ID", help="The model to ask for; else the first.")
]
EmbeddingModel = Annotated[
    str | None, typer.Option("--embedding-model", metavar="ID", help="The model for embeddings.")
]
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
Concurrency = Annotated[
    int,
    typer.Option(
        "--concurrency",
        metavar="N",
        min=1,
        help="Requests under way at a time; with 1, one that kills is named for sure.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="S", min=0.001, help="Seconds that one answer may take."),
]
EvidenceFile = Annotated[
    Path | None,
    typer.Option("--evidence", metavar="FILE", help="Keep what was recorded, for gonogo judge."),
]
ShowPlan = Annotated[bool, typer.Option("--plan", help="Say what would be sent, and send nothing.")]
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
