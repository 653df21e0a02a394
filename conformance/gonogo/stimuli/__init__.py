"""The requests that rules need; importing this package registers their phrases."""

import gonogo.stimuli.conversations
import gonogo.stimuli.embedding
import gonogo.stimuli.greedy
import gonogo.stimuli.heads
import gonogo.stimuli.keys
import gonogo.stimuli.limits
import gonogo.stimuli.listed
import gonogo.stimuli.message_requests
import gonogo.stimuli.response_requests
import gonogo.stimuli.sampling
import gonogo.stimuli.stopping
import gonogo.stimuli.structured
import gonogo.stimuli.tools  # noqa: F401 - imported for their phrases
