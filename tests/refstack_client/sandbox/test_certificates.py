"""The private certificate authority of a sandbox."""

import ipaddress

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from refstack_client.sandbox import certificates, shapes


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("certificates")
    certificates.create(path, shapes.hosts())
    return path


def verify(directory, host: str) -> None:
    authority = x509.load_pem_x509_certificate((directory / certificates.AUTHORITY).read_bytes())
    server = x509.load_pem_x509_certificate((directory / certificates.SERVER).read_bytes())
    try:
        name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        name = x509.DNSName(host)
    PolicyBuilder().store(Store([authority])).build_server_verifier(name).verify(server, [])


@pytest.mark.parametrize("host", shapes.hosts())
def test_the_certificate_is_valid_for_every_host_of_a_shape(directory, host):
    verify(directory, host)


def test_it_is_not_valid_for_another_host(directory):
    with pytest.raises(VerificationError):
        verify(directory, "other.invalid")


def test_only_the_owner_can_read_the_files(directory):
    assert {path.stat().st_mode & 0o077 for path in directory.iterdir()} == {0}
