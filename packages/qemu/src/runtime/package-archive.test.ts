import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSources, parseInstallPlan, parsePackageFile } from './package-archive.ts';

void test("apt's simulated plan gives names, versions and file names in unpacking order", () => {
  const plan = `Reading package lists...
Inst libc6 (2.41-12+deb13u4 Debian:13.2/stable [amd64])
Inst qemu-utils (1:11.1.3+ds-1~bpo13+1 Debian Backports:stable-backports [amd64]) []
Inst ovmf [1.0] (2025.02-8+deb13u1 Debian:13.2/stable, Debian:13/stable [all])
Conf libc6 (2.41-12+deb13u4 Debian:13.2/stable [amd64])
`;
  assert.deepEqual(parseInstallPlan(plan, '/a'), [
    { name: 'libc6', version: '2.41-12+deb13u4', file: '/a/libc6_2.41-12+deb13u4_amd64.deb' },
    { name: 'qemu-utils', version: '1:11.1.3+ds-1~bpo13+1', file: '/a/qemu-utils_1%3a11.1.3+ds-1~bpo13+1_amd64.deb' },
    { name: 'ovmf', version: '2025.02-8+deb13u1', file: '/a/ovmf_2025.02-8+deb13u1_all.deb' },
  ]);
});

void test('a package file name gives back its name and version', () => {
  const file = '/x/syslinux_3%3a6.04~git2019+dfsg1-3.1_amd64.deb';
  assert.deepEqual(parsePackageFile(file), { name: 'syslinux', version: '3:6.04~git2019+dfsg1-3.1', file });
  assert.throws(() => parsePackageFile('/x/readme.txt'), /not a package/);
});

void test('the mirror is named as the machine names it, with its key', () => {
  assert.match(formatSources({ uri: 'https://m.example/debian/' }), /^URIs: https:\/\/m\.example\/debian\/$/m);
  assert.doesNotMatch(formatSources({ uri: 'http://m' }), /Signed-By/);
  assert.match(formatSources({ uri: 'http://m', signedBy: '/k.gpg' }), /^Signed-By: \/k\.gpg$/m);
});
