"""How the contract differs from another OpenAPI document of the same operations, as a rule the official one.

`python -m gonogo_contract.drift FILE` lists every difference in fields, types, required, enums, limits and
nullability as intended, with its reason from intended.yaml, or not. Exit status: 0 where every difference is
intended and every entry of intended.yaml still matches one, 1 otherwise, 2 where the file cannot be compared.
"""
