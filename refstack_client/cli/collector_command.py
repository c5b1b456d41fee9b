"""Define what the commands about the collector of the login have in common."""

from argparse import ArgumentParser

import cliff.command

from refstack_client.cli.options import collector as collector_options


class OnCollector(cliff.command.Command):
    """Adds the options of such a command, before those of ``add_options``.

    ``noun`` is the object that the command works on, such as ``result``, "" for none.
    """

    noun = ""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        if self.noun:
            collector_options.add_id(parser, self.noun)
        self.add_options(parser)
        collector_options.add_insecure(parser)
        return parser

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the options that only this command has."""
