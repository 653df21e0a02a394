#!/usr/bin/env bash
# What: the command under "Reproduce with" in Schemathesis's report does not reproduce: max_tokens stands there as "[Filtered]".
# Versions: schemathesis 4.32.5, jsonschema-rs 0.60.3 as the second opinion.
# Expected: a command that sends the request that failed.
# Seen: a server answers {"max_tokens": 8, "model": "m"} with 500. The printed curl sends {"max_tokens": "[Filtered]",
#   "model": "m"}, which the document's own schema refuses, so that a server that validates answers it with 400.
#   What hides secrets takes every name with "token" in it for one; output.sanitization.enabled=false brings the number back.
# Matters: in this field every request and every usage has such names. Who pastes the command chases a validation error
#   instead of the failure; reports kept as evidence have lost the number that mattered.
# Valid because: the document is OpenAPI 3.1 with one operation, and max_tokens is a plain integer of OpenAI's reference.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python schemathesis==4.32.5 jsonschema-rs==0.60.3

cat >api.json <<'JSON'
{
  "openapi": "3.1.0",
  "info": {"title": "One operation", "version": "1"},
  "paths": {
    "/chat/completions": {
      "post": {
        "requestBody": {
          "required": true,
          "content": {
            "application/json": {
              "schema": {
                "type": "object",
                "required": ["max_tokens", "model"],
                "properties": {"max_tokens": {"type": "integer", "enum": [8]}, "model": {"enum": ["m"]}},
                "additionalProperties": false
              }
            }
          }
        },
        "responses": {"200": {"description": "An answer"}}
      }
    }
  }
}
JSON

cat >finding.py <<'PY'
import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jsonschema_rs

DOCUMENT = json.load(open("api.json"))
CONTENT = DOCUMENT["paths"]["/chat/completions"]["post"]["requestBody"]["content"]
FITS = jsonschema_rs.validator_for(CONTENT["application/json"]["schema"]).is_valid
RECEIVED = []


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        RECEIVED.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(500 if FITS(RECEIVED[-1]) else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
report = subprocess.run(
    [
        "venv/bin/schemathesis", "run", "api.json", "--url", f"http://127.0.0.1:{server.server_port}",
        "--checks", "not_a_server_error", "--phases", "fuzzing", "--mode", "positive", "--max-examples", "1",
        "--no-color",
    ],
    capture_output=True, text=True, timeout=60,
).stdout  # fmt: skip
failed = [body for body in RECEIVED if FITS(body)][0]
(printed,) = re.findall(r"curl .*-d '(\{.*\})'", report)
print(f"failed {json.dumps(failed, sort_keys=True)}; printed {printed}, which fits the schema: {FITS(json.loads(printed))}")
server.shutdown()
PY

stated='failed {"max_tokens": 8, "model": "m"}; printed {"max_tokens": "[Filtered]", "model": "m"}, which fits the schema: False'
seen=$(timeout 90 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
