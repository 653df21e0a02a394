"""The checks, one module a concern; importing this package registers their phrases."""

import gonogo.judge.checks.acceptance
import gonogo.judge.checks.arrival
import gonogo.judge.checks.beside
import gonogo.judge.checks.bodies
import gonogo.judge.checks.choices
import gonogo.judge.checks.chunks
import gonogo.judge.checks.clients
import gonogo.judge.checks.conversations
import gonogo.judge.checks.counts
import gonogo.judge.checks.embeddings
import gonogo.judge.checks.framing
import gonogo.judge.checks.fuzz
import gonogo.judge.checks.gateway
import gonogo.judge.checks.heads
import gonogo.judge.checks.ids
import gonogo.judge.checks.keys
import gonogo.judge.checks.life
import gonogo.judge.checks.limits
import gonogo.judge.checks.logprobs
import gonogo.judge.checks.models
import gonogo.judge.checks.named_events
import gonogo.judge.checks.prompts
import gonogo.judge.checks.refusals
import gonogo.judge.checks.robustness
import gonogo.judge.checks.sampling
import gonogo.judge.checks.schema
import gonogo.judge.checks.several
import gonogo.judge.checks.stops
import gonogo.judge.checks.structured
import gonogo.judge.checks.surfaces
import gonogo.judge.checks.text
import gonogo.judge.checks.tool_calls
import gonogo.judge.checks.tool_streams
import gonogo.judge.checks.variations
import gonogo.judge.checks.writing  # noqa: F401 - imported for their phrases, this one and those above
