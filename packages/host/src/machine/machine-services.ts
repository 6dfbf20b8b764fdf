// Which of the services that vSphere names run on this machine, under whatever program, and where the time comes from.
import type { MachineFiles } from './machine-files.ts';

export interface MachineService {
  readonly key: 'ntpd' | 'TSM-SSH';
  readonly label: string;
  /** Of its firewall rules, as ESXi names them. */
  readonly ruleset: string;
  readonly isRunning: boolean;
  /** Starts with the machine. */
  readonly isEnabled: boolean;
}

const SERVICES = [
  {
    key: 'ntpd',
    label: 'NTP Daemon',
    ruleset: 'ntpClient',
    programs: ['chronyd', 'ntpd', 'systemd-timesyn'], // the kernel cuts names at 15 characters
    units: ['chrony', 'chronyd', 'ntp', 'ntpd', 'ntpsec', 'systemd-timesyncd'],
  },
  { key: 'TSM-SSH', label: 'SSH', ruleset: 'sshServer', programs: ['sshd'], units: ['ssh', 'sshd'] },
] as const;

const STARTED_WITH = ['/etc/systemd/system/multi-user.target.wants', '/etc/systemd/system/sysinit.target.wants'];
const SYSV = '/etc/rc2.d';

export function readMachineServices(files: MachineFiles): MachineService[] {
  const running = new Set(
    files
      .list('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => files.text(`/proc/${pid}/comm`) ?? []),
  );
  const enabled = new Set([
    ...STARTED_WITH.flatMap((folder) => files.list(folder)).map((name) => name.replace(/\.service$/, '')),
    ...files.list(SYSV).flatMap((name) => /^S\d\d(.+)$/.exec(name)?.[1] ?? []),
  ]);
  return SERVICES.map(({ key, label, ruleset, programs, units }) => ({
    key,
    label,
    ruleset,
    isRunning: programs.some((program) => running.has(program)),
    isEnabled: units.some((unit) => enabled.has(unit)),
  }));
}

const TIME_FILES = ['/etc/chrony/chrony.conf', '/etc/chrony.conf', '/etc/ntpsec/ntp.conf', '/etc/ntp.conf'];
const TIMESYNCD = '/etc/systemd/timesyncd.conf';

/** The time servers that the machine is configured with. */
export function readTimeServers(files: MachineFiles): string[] {
  const text = TIME_FILES.map((path) => files.text(path)).find((found) => found !== undefined);
  if (text !== undefined)
    return [...text.matchAll(/^\s*(?:server|pool|peer)\s+(\S+)/gm)].flatMap(([, name]) => name ?? []);
  const line = /^\s*NTP=(.*)$/m.exec(files.text(TIMESYNCD) ?? '')?.[1] ?? '';
  return line.split(/\s+/).filter(Boolean);
}
