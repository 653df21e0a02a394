"""One model computed by several processes, mostly on several machines, that `mlx.launch` started.

Process 0 speaks HTTP, samples, and keeps everything that any engine keeps; of the model it has a part, as each of
the others has. What it does with its part it orders the others to do with theirs, in the same order: sums over the
processes are part of the computation, so all of them have to take part in each step of it.
"""
