"""The sentences for machines that this one is not: what their sysctls say is faked here, the rest is in tests/real."""

from __future__ import annotations

import errno

import pytest

from tcpladder.hosts import private_network


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The small files that the explanation reads."""
    files: dict[str, str] = {}
    monkeypatch.setattr(private_network, "_read", files.get)
    return files


WITH_SUDO = "run with sudo, or allow it"
RECORDED = "or open a recorded capture, which needs no privilege"


def test_debian_switched_user_namespaces_off(machine: dict[str, str]) -> None:
    machine["/proc/sys/kernel/unprivileged_userns_clone"] = "0"
    assert private_network._explain("unshare(CLONE_NEWUSER)", errno.EPERM) == (
        "cannot make a private network, unshare(CLONE_NEWUSER) failed: Operation not permitted "
        f"(kernel.unprivileged_userns_clone = 0): {WITH_SUDO} "
        f"(`sudo sysctl -w kernel.unprivileged_userns_clone=1`), {RECORDED}"
    )


@pytest.mark.parametrize(("step", "number"), [("uid_map", errno.EPERM), ("bringing lo up", errno.EACCES)])
def test_ubuntu_lets_the_namespace_be_made_and_denies_what_is_done_in_it(
    machine: dict[str, str], step: str, number: int
) -> None:
    machine["/proc/sys/kernel/apparmor_restrict_unprivileged_userns"] = "1"
    sentence = private_network._explain(step, number)
    assert f"{step} failed" in sentence
    assert "AppArmor denies every capability in it" in sentence
    assert "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" in sentence
    assert sentence.endswith(RECORDED)


def test_a_limit_that_is_reached_names_the_one_that_is_zero(machine: dict[str, str]) -> None:
    machine["/proc/sys/user/max_user_namespaces"] = "1000"
    machine["/proc/sys/user/max_net_namespaces"] = "0"
    sentence = private_network._explain("unshare(CLONE_NEWUSER)", errno.ENOSPC)
    assert "sudo sysctl -w user.max_net_namespaces=10000" in sentence


def test_a_container_forbids_it_with_seccomp(machine: dict[str, str]) -> None:
    machine["/proc/self/status"] = "Name:\tpython\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1"
    sentence = private_network._explain("unshare(CLONE_NEWUSER)", errno.EPERM)
    assert "(seccomp filter of a container, or a chroot)" in sentence
    assert "run outside of it, or with sudo" in sentence


def test_a_kernel_without_user_namespaces(machine: dict[str, str]) -> None:
    assert "CONFIG_USER_NS" in private_network._explain("unshare(CLONE_NEWUSER)", errno.EINVAL)


def test_whatever_else_still_names_the_step_and_the_ways_out(machine: dict[str, str]) -> None:
    sentence = private_network._explain("nftables in it", errno.EPROTONOSUPPORT)
    assert sentence == (
        "cannot make a private network, nftables in it failed: Protocol not supported: "
        f"run with sudo, {RECORDED}"
    )
