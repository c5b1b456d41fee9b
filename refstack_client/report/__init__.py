"""A verdict for people: text, HTML, JSON, JUnit, tables."""
