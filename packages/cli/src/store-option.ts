// What --store takes: where vCenter keeps its state. Checked here, so that a mistake is said at once and by us, not by a daemon.
import { resolve } from 'node:path';
import { parseStoreUrl } from '@vivarium/store';
import { UserError } from './state.ts';

/** Parameters that name files; daemons run in another folder than whoever types. */
const FILES = ['ca', 'cert', 'key', 'passwordFile'];

/** The address as daemons take it: with absolute files. Throws UserError. */
export function parseStoreOption(text: string): string {
  const address = parse(text);
  if (address.engine === 'memory') {
    throw new UserError('a vCenter in memory is gone when it stops', 'use viv sim, or leave --store out');
  }
  if (address.engine === 'etcd' && address.password !== undefined) {
    const mend = 'put it into a file that only you can read, and say etcd://USER@…?passwordFile=FILE';
    throw new UserError('a password in --store would be seen by every user of this machine', mend);
  }
  const [base = '', query] = text.split('?', 2);
  return query === undefined ? base : `${base}?${query.split('&').map(withAbsoluteFile).join('&')}`;
}

function parse(text: string) {
  try {
    return parseStoreUrl(text);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    const mend =
      'for instance --store etcd://10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379?ca=ca.pem&cert=viv.pem&key=viv.key';
    throw new UserError(what, mend, { cause });
  }
}

function withAbsoluteFile(parameter: string): string {
  const [name = '', value = ''] = parameter.split('=', 2);
  if (!FILES.includes(name)) return parameter;
  const [file = ''] = new URLSearchParams(`x=${value}`).values();
  return `${name}=${encodeURIComponent(resolve(file)).replaceAll('%2F', '/')}`;
}
