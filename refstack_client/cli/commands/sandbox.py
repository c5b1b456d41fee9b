"""``sandbox up|down|status``: a small but real OpenStack on loopback."""

import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from refstack_client.cli.command import Command, Lister, say
from refstack_client.cli.exit_codes import EXIT_OK, EXIT_UNUSABLE
from refstack_client.cli.options.sandbox import add_profile, add_sandbox
from refstack_client.errors import UsageError
from refstack_client.sandbox import faults, lifecycle, services, state
from refstack_client.sandbox.faults import DEFAULT_MODE, MODES
from refstack_client.sandbox.shapes import SHAPES

Row = tuple[str, int | str, str, str]


class Up(Command):
    """Start a sandbox: a small but real OpenStack on loopback.

    Safe to repeat: it starts the services that do not run.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        add_sandbox(parser)
        add_profile(parser)
        parser.add_argument(
            "--port-base",
            type=int,
            metavar="PORT",
            help="first of the consecutive ports to use (default: free ports)",
        )
        parser.add_argument(
            "--guests",
            action="store_true",
            help="give servers guests, which tests log in to by SSH. It takes QEMU and is decided "
            "at the first start (default: servers without guests)",
        )
        parser.add_argument(
            "--latency",
            metavar="TIME",
            help="latency to add to each response, such as 100ms or 0.1s (default: none)",
        )
        parser.add_argument(
            "--break",
            metavar="SERVICE[:MODE]",
            dest="broken",
            action="append",
            default=[],
            help="service to break, and how (may be repeated); without it no service is broken. "
            f"Modes: {'; '.join(map(': '.join, MODES.items()))} (default mode: {DEFAULT_MODE})",
        )
        parser.add_argument(
            "--shape",
            metavar="SHAPE",
            dest="shapes",
            action="append",
            default=[],
            help="make it look like a cloud of another kind (may be repeated); without it the "
            f"sandbox is plain. Shapes: {', '.join(SHAPES)}",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Start the sandbox; print the environment to use it with."""
        sandbox = state.find(args.root, args.name, args.profile, guests=args.guests)
        names = [service.name for service in sandbox.profile.services]
        injected = faults.parse(args.latency, args.broken, names)
        try:
            environ = lifecycle.up(sandbox, args.port_base, say, injected, args.shapes)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note("some services may run; to stop them:")
            interrupt.add_note(f"  {sandbox.command('down')}")
            raise
        say("to use it:")
        for name, value in environ.items():
            print(f"export {name}={shlex.quote(value)}")
        return EXIT_OK


class Down(Command):
    """Stop a sandbox: the one that runs, or the one that --name or --profile selects."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        add_sandbox(parser, default="the sandbox that runs")
        add_profile(parser, default="that of the sandbox that runs")
        parser.add_argument(
            "--wipe", action="store_true", help="also remove the data of the sandbox"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Stop the sandbox."""
        sandbox = _selected(args)
        count = lifecycle.wipe(sandbox) if args.wipe else lifecycle.down(sandbox)
        say(f"sandbox {sandbox.name}: " + ("stopped" if count else "was not running"))
        return EXIT_OK


def _selected(args: Namespace) -> state.Sandbox:
    """Return the sandbox that the options select; without any, the only one that runs.

    :raises UsageError: several run
    """
    running = () if args.name or args.profile else state.running(args.root)
    if len(running) > 1:
        action = "down --wipe" if args.wipe else "down"
        commands = "".join(f"\n  {sandbox.command(action)}" for sandbox in running)
        names = ", ".join(sandbox.name for sandbox in running)
        raise UsageError(
            f"{len(running)} sandboxes are running: {names}", hint=f"select one:{commands}"
        )
    return running[0] if running else state.find(args.root, args.name, args.profile)


class Status(Lister):
    """Show the processes of a sandbox; exit code 5 unless all are healthy."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        add_sandbox(parser)
        add_profile(parser)
        return parser

    def take_action(self, args: Namespace) -> tuple[tuple[str, ...], Iterable[Row]]:
        """List the processes."""
        sandbox = state.find(args.root, args.name, args.profile)
        if not services.is_up(sandbox):
            self.exit_code = EXIT_UNUSABLE
        settings = state.load(sandbox)
        if settings and settings.shapes:
            say(f"shape: {', '.join(settings.shapes)}")
        return (
            ("Process", "PID", "URL", "Health"),
            (
                (process.name, process.pid or "", process.url, process.health)
                for process in services.status(sandbox)
            ),
        )
