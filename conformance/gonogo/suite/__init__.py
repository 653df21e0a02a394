"""The rules as pytest-bdd scenarios, for people who live in pytest.

`pytest -p gonogo.suite.options --pyargs gonogo.suite --gonogo-url URL` runs the scenarios, phrases and checks of
`gonogo check` with another runner. A broken must fails its test, a broken should is a warning, what was refused or
could not be decided is skipped with its reason.
"""
