# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Start llama.cpp's own HTTP server from the xllamacpp package.

    python start_llama_cpp.py GGUF PORT ALIAS

xllamacpp has the server as a class but no command, so this file only sets what llama-server takes as flags.
"""

import sys
import time

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.port = int(sys.argv[2])
params.model_alias = {sys.argv[3]}
params.n_ctx = 8192
params.n_parallel = 4
params.cpuparams.n_threads = 1  # several wait for each other in a busy loop: slow beside other work
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
while True:
    time.sleep(10)
