"""Client schemas: measured, checked, and turned into grammar rules; `compilation` compiles them. No I/O."""
