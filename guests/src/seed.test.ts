import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSeed } from './seed.ts';

void test('a seed names the host, its keys, its commands and its network', () => {
  const files = formatSeed({
    instanceId: 'vm-1',
    hostname: 'web',
    sshAuthorizedKeys: ['ssh-ed25519 AAAA me@here'],
    commands: ["echo 'it is' > /data/x"],
    network: [
      {
        macAddress: '00:50:56:AA:00:01',
        addresses: ['192.0.2.10/24'],
        gateway: '192.0.2.1',
        nameservers: ['192.0.2.2'],
      },
      { macAddress: '00:50:56:aa:00:02' },
    ],
  });
  assert.deepEqual(files, {
    'meta-data': "instance-id: 'vm-1'\nlocal-hostname: 'web'\n",
    'user-data': `#cloud-config
hostname: 'web'
ssh_authorized_keys:
  - 'ssh-ed25519 AAAA me@here'
runcmd:
  - 'echo ''it is'' > /data/x'
`,
    'network-config': `version: 2
ethernets:
  nic0:
    match:
      macaddress: '00:50:56:aa:00:01'
    addresses:
      - '192.0.2.10/24'
    routes:
      - to: default
        via: '192.0.2.1'
    nameservers:
      addresses:
        - '192.0.2.2'
  nic1:
    match:
      macaddress: '00:50:56:aa:00:02'
    dhcp4: true
`,
  });
});

void test('a text that would break out of its line is refused', () => {
  assert.throws(() => formatSeed({ instanceId: 'x', hostname: 'a\nruncmd: [reboot]' }), RangeError);
});
