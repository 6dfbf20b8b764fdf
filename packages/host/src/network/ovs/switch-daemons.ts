// How ovsdb-server and ovs-vswitchd of one host are started: with every file of theirs in the host's own folder, so that a
// distribution's Open vSwitch is not touched.
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { DaemonSpec } from '../linux/daemon.ts';
import { runTool, type Tools } from '../tools.ts';
import type { OvsDatabase } from './ovs-database.ts';

export const DATABASE_SERVER = '/usr/sbin/ovsdb-server';
export const SWITCH_DAEMON = '/usr/sbin/ovs-vswitchd';
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
/** sockaddr_un holds 108 bytes with the final zero; the longest name made here is `/vSwitch-of-15-ch.snoop`. */
const LONGEST_FOLDER = 107 - 24;

export interface SwitchFiles {
  /** Folder of everything below. */
  readonly folder: string;
  readonly database: string;
  readonly databaseSocket: string;
}

export function switchFiles(folder: string): SwitchFiles {
  if (Buffer.byteLength(folder) > LONGEST_FOLDER) {
    throw new RangeError(`the state folder's path is too long for sockets in it: ${folder}`);
  }
  return { folder, database: join(folder, 'conf.db'), databaseSocket: join(folder, 'db.sock') };
}

export async function ensureDatabaseFile(tools: Tools, files: SwitchFiles): Promise<void> {
  if (existsSync(files.database)) return;
  // Made beside and renamed, so that there is never half of one.
  const made = `${files.database}.${process.pid}.new`;
  await rm(made, { force: true });
  await runTool(tools, {
    program: '/usr/bin/ovsdb-tool',
    args: ['create', made, SCHEMA],
    folders: [files.folder],
  });
  await rename(made, files.database);
}

export function databaseServer(files: SwitchFiles): DaemonSpec {
  const control = `--unixctl=${join(files.folder, 'ovsdb.ctl')}`;
  return {
    ...surroundings(files),
    name: 'ovsdb-server',
    program: DATABASE_SERVER,
    args: [files.database, `--remote=punix:${files.databaseSocket}`, control, ...LOGGING],
    marker: control,
    logFile: join(files.folder, 'ovsdb-server.log'),
    isReady: () => accepts(files.databaseSocket),
  };
}

export function switchDaemon(files: SwitchFiles, database: OvsDatabase): DaemonSpec {
  const control = `--unixctl=${join(files.folder, 'vswitchd.ctl')}`;
  return {
    ...surroundings(files),
    name: 'ovs-vswitchd',
    program: SWITCH_DAEMON,
    args: [`unix:${files.databaseSocket}`, control, ...LOGGING],
    marker: control,
    logFile: join(files.folder, 'ovs-vswitchd.log'),
    devices: ['/dev/net/tun'],
    isReady: async () => {
      if (!(await accepts(join(files.folder, 'vswitchd.ctl')))) return false;
      await database.settle();
      return true;
    },
  };
}

const LOGGING = ['-vsyslog:off', '-vconsole:warn', '-vfile:off'];

function surroundings(files: SwitchFiles) {
  return { folders: [files.folder], environment: { OVS_RUNDIR: files.folder, OVS_LOGDIR: files.folder } };
}

function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
