// The version of the documents in vCenter's store, and how older ones become it. A change of a document that an earlier version
// could not read, or would not write, is a migration here.
import type { Migration } from '@vivarium/store';
import { shortenMembers } from './distributed-switch/shorten-members.ts';

export const migrations: readonly Migration[] = [
  { version: 1, about: 'members of distributed switches are kept in few words', migrate: shortenMembers },
];

/** The document that every vCenter's store has. */
export const INSTANCE_UUID = 'vcenter/instance-uuid';
