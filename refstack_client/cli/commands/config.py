"""``config show``: show the tempest.conf for a cloud, and the origin of each value."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.options import formats
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.running import effective_conf
from refstack_client.running.effective_conf import EffectiveConf


class Show(Command):
    """Show the tempest.conf that a certification of a cloud would use, without secrets."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        parser.add_argument(
            "--origin",
            action="store_true",
            help="add a comment with the origin of each value",
        )
        cloud_options.add_provision(parser)
        formats.add_format(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        conf = configure(args)
        if args.format == "json":
            print(json.dumps(_entries(conf), indent=2, ensure_ascii=False))
        else:
            print(conf.render(origins=args.origin), end="")
        return EXIT_OK


def configure(args: Namespace) -> EffectiveConf:
    """Return the tempest.conf that a run would use; ``--provision`` creates tenants for it."""
    request = cloud_options.request(args, args.os_cloud, Path())
    if not args.provision:
        return effective_conf.preview(request)
    conf = effective_conf.provisioned(request)
    for sentence in conf.leaked:
        say(f"not removed: {sentence}")
    return conf


def _entries(conf: EffectiveConf) -> list[dict[str, str | None]]:
    """Return an entry for each option; None stands for an unknown value."""
    entries: list[dict[str, str | None]] = [
        {"section": section, "option": option, "value": value.text, "origin": value.origin}
        for (section, option), value in conf.values.items()
    ]
    entries += [
        {"section": section, "option": option, "value": None, "origin": effective_conf.UNKNOWN}
        for section, option in conf.unknown
    ]
    return entries
