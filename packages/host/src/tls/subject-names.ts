// The names and addresses that a certificate of this machine carries. For the certificate tools alone.
import { hostname, networkInterfaces } from 'node:os';
import type { JsonGeneralNames } from '@peculiar/x509';

export function subjectNames(): JsonGeneralNames {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address));
  const plain = addresses.filter((address) => !address.includes('%') && !address.startsWith('fe80'));
  return [
    ...[...new Set([hostname(), 'localhost'])].map((value) => ({ type: 'dns' as const, value })),
    ...[...new Set(['127.0.0.1', '::1', ...plain])].map((value) => ({ type: 'ip' as const, value })),
  ];
}
