"""What a cloud must do: interoperability guidelines, their capabilities and tests.

published file -> reader -> Guideline -> Programme -> wanted tests -> matching against a Tempest
"""
