"""The engine on MLX: the only package that imports mlx and mlx_lm.

Importing it, or any module in it, loads a BLAS first, because that is impossible once mlx is imported.

Ownership:

* The thread `gonogo-mlx` (`worker.Worker`) owns all objects of mlx: models, caches, streams. They are loaded, used and
  released there, in `residents`, `batch`, `packed`, `sequence`, `score` and `embedder`; no array leaves it. Between two
  steps the thread runs the calls in its inbox.
* The thread `gonogo-text` does the slow work of the tokenizers: it renders chat templates and encodes prompts. Grammars
  are compiled on threads of their own (`matchers`). Decoding is done on `gonogo-mlx`, with a stream for each sequence
  (`text.Text.stream`); it also advances the matcher of a sequence.
* The event loop owns the pool (the models in memory and the requests that wait for them) and the tickets. It calls the
  threads and awaits their futures; pieces come back by `ticket.Deliveries`, with one wake-up per loop and step.
* One flag is shared without a lock: `Ticket.cancelled`, written on the loop, read on the thread.
"""

from gonogo_server.engine.mlx.blas import load_blas

BLAS = load_blas()
"""The BLAS that mlx uses; None if it needs none (macOS, a GPU)."""
