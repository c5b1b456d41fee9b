"""``sandbox up|down|status``: a real, small OpenStack on loopback."""

import shlex
from argparse import ArgumentParser, Namespace

from refstack_client.cli.command import Command, Lister, say
from refstack_client.cli.exit_codes import EXIT_OK, EXIT_UNUSABLE
from refstack_client.cli.options.sandbox import add_sandbox
from refstack_client.sandbox import faults, lifecycle, services, state
from refstack_client.sandbox.faults import DEFAULT_MODE, MODES
from refstack_client.sandbox.profiles import PROFILES


class _Sandbox:
    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)  # type: ignore[misc]
        add_sandbox(parser)
        parser.add_argument(
            "--profile",
            help=f"what it is made of: {', '.join(PROFILES)} (default: storage, or as it was made)",
        )
        return parser

    @staticmethod
    def find(args: Namespace) -> state.Sandbox:
        return state.find(args.root, args.name, args.profile)


class Up(_Sandbox, Command):
    """Start a real, small OpenStack on loopback; safe to repeat."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--port-base",
            type=int,
            metavar="PORT",
            help="the first of the consecutive ports to use (default: free ones are chosen)",
        )
        parser.add_argument(
            "--latency",
            metavar="TIME",
            help="add this to each answer (100ms, 0.1s), as of a cloud that is far away",
        )
        parser.add_argument(
            "--break",
            metavar="SERVICE[:HOW]",
            dest="broken",
            action="append",
            default=[],
            help=f"break a service (may be repeated): {'; '.join(map(': '.join, MODES.items()))}. "
            f"Default: {DEFAULT_MODE}. Without it everything is mended",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        sandbox = self.find(args)
        names = [service.name for service in sandbox.profile.services]
        injected = faults.parse(args.latency, args.broken, names)
        lifecycle.up(sandbox, args.port_base, say, injected)
        say("to use it:")
        print(f"export OS_CLIENT_CONFIG_FILE={shlex.quote(str(sandbox.clouds_yaml))}")
        print("export OS_CLOUD=sandbox")
        return EXIT_OK


class Down(_Sandbox, Command):
    """Stop a sandbox; nothing of it is left running."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--wipe", action="store_true", help="also remove all it holds")
        return parser

    def take_action(self, args: Namespace) -> int:
        sandbox = self.find(args)
        count = lifecycle.wipe(sandbox) if args.wipe else lifecycle.down(sandbox)
        say(f"{count} processes stopped" if count else "it was not running")
        return EXIT_OK


class Status(_Sandbox, Lister):
    """Show each process of a sandbox; exit code 5 unless all are well."""

    def run(self, parsed_args: Namespace) -> int:
        printed = super().run(parsed_args)
        return printed or (EXIT_OK if services.is_up(self.find(parsed_args)) else EXIT_UNUSABLE)

    def take_action(self, args: Namespace):
        rows = services.status(self.find(args))
        return (
            ("Process", "PID", "URL", "Health"),
            ((row.name, row.pid or "", row.url, row.health) for row in rows),
        )
