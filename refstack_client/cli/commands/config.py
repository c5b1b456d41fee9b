"""``config show``: the tempest.conf that would be used, and where each value comes from."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.cli.command import Command
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.options import formats
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.running import certify
from refstack_client.tempest import conf as tempest_conf


class Show(Command):
    """Show the tempest.conf that would be used for a cloud, without its secrets."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        parser.add_argument(
            "--origin", action="store_true", help="say above each value where it comes from"
        )
        formats.add_format(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        conf = certify.configure(cloud_options.request(args, args.os_cloud, Path()))
        if args.format == "json":
            entries = [
                {"section": section, "option": option, "value": value.text, "origin": value.origin}
                for (section, option), value in conf.items()
            ]
            print(json.dumps(entries, indent=2, ensure_ascii=False))
        else:
            print(tempest_conf.render(conf, origins=args.origin), end="")
        return EXIT_OK
