#!/usr/bin/env bash
# What: datamodel-code-generator drops what a map says of its values and of its size as soon as the map may also be null.
# Versions: datamodel-code-generator 0.89.0 (Pydantic v2 models), pydantic 2.14.4.
# Expected: the same constraints with type [object, "null"] as with type object. With [array, "null"] they are kept.
# Seen: object gives dict[str, constr(max_length=4)] with max_length=2; [object, "null"] gives dict[str, Any] | None without
#   any limit, and the generator says nothing. Three entries of wrong values pass the nullable model and fail the plain one.
# Matters: metadata of a request is such a field. A server whose models are generated accepts what its published document
#   forbids. Name the map as a schema of its own, write it with anyOf and null for the values, and test the size oneself
#   (there is an option for the values, --use-typed-nullable-map-values).
# Valid because: OpenAPI 3.1 takes JSON Schema 2020-12, where type may be a list, and where additionalProperties and
#   maxProperties bind whenever the value is an object.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python datamodel-code-generator==0.89.0 pydantic==2.14.4

cat >api.yaml <<'YAML'
openapi: 3.1.0
info: {title: Maps, version: "1"}
paths: {}
components:
  schemas:
    Plain:
      type: object
      required: [map]
      properties:
        map: {type: object, maxProperties: 2, additionalProperties: {type: string, maxLength: 4}}
    Nullable:
      type: object
      required: [map]
      properties:
        map: {type: [object, "null"], maxProperties: 2, additionalProperties: {type: string, maxLength: 4}}
    NullableList:
      type: object
      required: [list]
      properties:
        list: {type: [array, "null"], maxItems: 2, items: {type: string, maxLength: 4}}
YAML
venv/bin/datamodel-codegen --input api.yaml --input-file-type openapi --output made.py \
  --output-model-type pydantic_v2.BaseModel --formatters builtin --disable-timestamp

cat >finding.py <<'PY'
import made
import pydantic


def accepts(model, value):
    try:
        model.model_validate(value)
    except pydantic.ValidationError:
        return False
    return True


wrong = {"a": 1, "b": "too long", "c": []}
print(
    f"a wrong map passes Plain: {accepts(made.Plain, {'map': wrong})},"
    f" Nullable: {accepts(made.Nullable, {'map': wrong})},"
    f" a wrong list passes NullableList: {accepts(made.NullableList, {'list': list(wrong)})}"
)
PY

stated="a wrong map passes Plain: False, Nullable: True, a wrong list passes NullableList: False"
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
