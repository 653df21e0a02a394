"""The engine on MLX: the only package that imports mlx and mlx_lm.

Importing it, or any module in it, loads a BLAS first: that cannot be done any more once mlx is imported.

Who owns what:

* The thread `gonogo-mlx` (`worker.Worker`) owns all that mlx made: models, caches, streams. They are loaded, used and
  released there, in `residents`, `batch`, `packed`, `sequence`, `score` and `embedder`; no array leaves it. It runs
  what is put into its inbox, between two steps.
* The thread `gonogo-text` owns the tokenizers for what takes long: chat templates, prompts to tokens, grammars to
  matchers. The thread above turns tokens into text, each sequence with a stream of its own (`text.Text.stream`), and
  advances a matcher once its sequence was handed over.
* The event loop owns the pool (which model is in memory, who waits for it) and the tickets. It calls the threads and
  awaits their futures; pieces come back by `ticket.Deliveries`, one wake-up a loop and step.
* Shared without a lock is one flag: `Ticket.cancelled`, written on the loop, read on the thread.
"""

from gonogo_server.engine.mlx.blas import load_blas

BLAS = load_blas()
"""The BLAS that mlx computes with; None if it needs none (macOS, a GPU)."""
