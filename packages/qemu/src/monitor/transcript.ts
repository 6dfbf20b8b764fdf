// What was said on a VM's monitor, for whoever has to find out later what happened to the VM. Commands that are asked all the time
// are left out, secrets never get in, and two files of bounded size are all it ever takes.

import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import type { Clock } from '@vivarium/base';
import type { QmpEvent, QmpReply } from './wire.ts';

export interface Transcript {
  sent(id: number, command: string, args: object | undefined): void;
  received(reply: QmpReply, command: string): void;
  event(event: QmpEvent): void;
  close(): void;
}

/** Asked for statistics or progress, over and over. Their refusals are still written. */
const noisyCommands = new Set([
  ...[
    'query-status',
    'query-block',
    'query-blockstats',
    'query-balloon',
    'query-migrate',
    'query-cpus-fast',
    'qom-get',
  ],
  ...['query-memory-size-summary', 'qom-list', 'screendump', 'query-named-block-nodes', 'query-stats'],
]);

/** Commands whose arguments are secrets as a whole: passwords, and keys that somebody typed. */
const secretCommands = new Set(['set_password', 'send-key', 'input-send-event', 'object-add', 'ringbuf-write']);

const noisyEvents = new Set(['RTC_CHANGE', 'BALLOON_CHANGE', 'VNC_CONNECTED', 'VNC_INITIALIZED', 'VNC_DISCONNECTED']);

const LONGEST_ENTRY = 4000;

/** `undefined` = not to be written. */
export function describeCommand(command: string, args: object | undefined): string | undefined {
  if (noisyCommands.has(command)) return undefined;
  if (args === undefined) return command;
  return secretCommands.has(command)
    ? `${command} (arguments not logged)`
    : shorten(`${command} ${JSON.stringify(args)}`);
}

export function describeReply(reply: QmpReply, command: string): string | undefined {
  if (reply.error) return shorten(`${command}: ${reply.error.class}: ${reply.error.desc}`);
  if (noisyCommands.has(command)) return undefined;
  return shorten(JSON.stringify(reply.value ?? {}));
}

export function describeEvent(event: QmpEvent): string | undefined {
  return noisyEvents.has(event.event) ? undefined : shorten(`${event.event} ${JSON.stringify(event.data)}`);
}

// Control characters of a hostile peer must not forge lines or talk to a terminal.
function shorten(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const printable = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?');
  return printable.length > LONGEST_ENTRY ? `${printable.slice(0, LONGEST_ENTRY)}…` : printable;
}

/**
 * A transcript in the file `path`; when it is longer than `maxBytes` it becomes `path`.1 and a new one begins. Writing never fails a
 * command: a full or vanished file system only ends the record. Symbolic links in the last part of the path are refused.
 */
export function openTranscript(
  path: string,
  { clock, maxBytes = 1024 * 1024 }: { clock: Clock; maxBytes?: number },
): Transcript {
  const flags = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW;
  let fd: number | undefined = openSync(path, flags, 0o600);
  let size = fstatSync(fd).size;

  const write = (direction: string, text: string | undefined, timeMs = clock.now()): void => {
    if (text === undefined || fd === undefined) return;
    try {
      if (size > maxBytes) {
        closeSync(fd);
        fd = undefined;
        renameSync(path, `${path}.1`);
        fd = openSync(path, flags, 0o600);
        size = 0;
      }
      size += writeSync(fd, `${new Date(timeMs).toISOString()} ${direction} ${text}\n`);
    } catch {
      // The record is not worth the VM.
    }
  };
  return {
    sent: (id, command, args) => {
      const text = describeCommand(command, args);
      write('>', text === undefined ? undefined : `${id} ${text}`);
    },
    received: (reply, command) => {
      const text = describeReply(reply, command);
      write('<', text === undefined ? undefined : `${reply.id} ${text}`);
    },
    // When it happened, by QEMU's word: not when it was heard of.
    event: (event) => write('!', describeEvent(event), event.timestampMs || clock.now()),
    close: () => {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}
