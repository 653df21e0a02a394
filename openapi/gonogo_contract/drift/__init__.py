"""Compares the contract with another OpenAPI document of the same operations, usually the official one.

`python -m gonogo_contract.drift FILE` lists every difference in fields, types, required, enums, limits and
nullability, and whether it is intended, with the reason from intended.yaml. Exit status: 0 if every difference is
intended and every entry of intended.yaml still matches one, 1 otherwise, 2 if the file cannot be compared.
"""
