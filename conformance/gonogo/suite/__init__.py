"""The rules as pytest-bdd scenarios, for pytest users.

`pytest -p gonogo.suite.options --pyargs gonogo.suite --gonogo-url URL` runs the scenarios, phrases and checks of
`gonogo check` with pytest. A broken must rule fails its test, a broken should rule is a warning, and a rule that was
refused or could not be decided is skipped with its reason.
"""
