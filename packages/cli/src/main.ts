// viv: parses the command line, runs one command, and turns errors into one sentence with its mend.
import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { defaultStateDir, UserError } from './state.ts';
import { parseStoreOption } from './store-option.ts';
import { parseUplink, type UplinkWish } from './uplink-option.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('viv')
  .description(
    'Turns this Linux machine into a vSphere: ESXi-like hosts on QEMU/KVM and a vCenter over them, behind VMware’s own API.',
  )
  .version(version, '-V, --version')
  .showHelpAfterError('(add --help for what is possible)')
  .addHelpText('after', '\nStart here:  ./viv up\nThen:        eval "$(./viv env)" && govc ls\n');

const stateDir = () =>
  new Option('--state-dir <folder>', 'where everything is kept').default(defaultStateDir()).env('VIVARIUM_STATE_DIR');

program
  .command('up')
  .description('start hosts, a vCenter over them and a demo VM; builds what is missing; run again it finds what runs')
  .addOption(stateDir())
  .addOption(
    new Option(
      '--port <number>',
      'HTTPS port of vCenter, or of the host alone; 0 = as it is, at first a free one (default: as it is, at first 8443)',
    ).argParser(parsePort),
  )
  .addOption(
    new Option(
      '--hosts <number>',
      'number of hosts; 1 = a host alone, without vCenter; 0 = a vCenter alone (default: 3)',
    ).argParser(parseNumber),
  )
  .addOption(
    new Option(
      '--store <url>',
      'where vCenter keeps its state: sqlite:///FILE, or etcd://HOST:PORT,…[/PREFIX][?ca=FILE&…], which several vCenters can share (default: beside it)',
    ).argParser(parseStoreOption),
  )
  .addOption(
    new Option('--address <ip>', 'what vCenter, or the host alone, listens on (default: 127.0.0.1)').argParser(
      parseAddress,
    ),
  )
  .addOption(
    new Option(
      '--uplink <[host=]device>',
      'a network device of this machine that is a host’s to use as physical NIC, again for each (esx2=eth1); none = no more',
    ).argParser((text: string, former?: readonly UplinkWish[]) => [...(former ?? []), ...parseUplink(text)]),
  )
  .option('--detach', 'return when the demo guest has booted; everything goes on running')
  .option('--json', 'print one JSON object: url, username, password, stateDir, hosts, vms')
  .action(async (options) => (await import('./commands/up.ts')).up(options));
program
  .command('down')
  .description('shut the VMs down and stop hosts and vCenter; everything that is kept stays')
  .addOption(stateDir())
  .action(async (options) => (await import('./commands/down.ts')).down(options));
program
  .command('status')
  .description('what runs')
  .addOption(stateDir())
  .option('--json', 'as JSON')
  .action(async (options) => (await import('./commands/status.ts')).status(options));
program
  .command('env')
  .description('print the variables that govc and others read: eval "$(./viv env)"')
  .addOption(stateDir())
  .action(async (options) => (await import('./commands/env.ts')).env(options));
program
  .command('backup')
  .description('vCenter’s state in one file, while it runs; statistics are not in it')
  .argument('<file>', 'is written anew, readable by you alone')
  .addOption(stateDir())
  .addOption(new Option('--store <url>', 'another store than the one of viv up').argParser(parseStoreOption))
  .action(async (file: string, options) => (await import('./commands/backup.ts')).backup(file, options));
program
  .command('restore')
  .description('put a backup in the place of vCenter’s state; no vCenter may run with it')
  .argument('<file>', 'that viv backup has made')
  .addOption(stateDir())
  .addOption(
    new Option('--store <url>', 'where vCenter keeps its state from now on (default: where it is)').argParser(
      parseStoreOption,
    ),
  )
  .action(async (file: string, options) => (await import('./commands/restore.ts')).restore(file, options));
program
  .command('doctor')
  .description('what this machine can do, and the mend for what it cannot')
  .addOption(stateDir())
  .option('--json', 'as JSON')
  .action(async (options) => (await import('./commands/doctor.ts')).doctor(options));
program
  .command('logs')
  .description('the log of vCenter, or of a host')
  .addOption(stateDir())
  .option('--of <name>', 'whose: vcenter, esx1, esx2 …')
  .option('-f, --follow', 'go on as it grows')
  .addOption(new Option('-n, --lines <number>', 'last lines to show').default(100).argParser(parseCount))
  .action(async (options) => (await import('./commands/logs.ts')).logs(options));
program
  .command('sim')
  .description('a vCenter over simulated hosts, with vcsim’s flags: viv sim -h')
  .allowUnknownOption()
  .helpOption(false)
  .argument('[flags...]')
  .action(async (flags: string[]) => (await import('./commands/sim.ts')).sim(flags));
program
  .command('test')
  .description('everything that CI runs: checks, unit tests, and the lab with real guests and clients')
  .action(async () => (await import('./commands/run-tool.ts')).runTool('test', []));
program
  .command('bench')
  .description('measure, side by side with the bare thing')
  .argument('[names...]', 'benchmarks to run; all without')
  .option('--json', 'a JSON object a figure: name, value, unit, baseline, ratio, aim, met, runs')
  .option('--plots <folder>', 'draw what grows as SVG into this folder')
  .option('--vms <count>', 'smaller simulators, for a quick look')
  .action(async (names: string[], { json, plots, vms }: { json?: boolean; plots?: string; vms?: string }) =>
    (await import('./commands/run-tool.ts')).runTool('bench', [
      ...names,
      ...(json ? ['--json'] : []),
      ...(plots ? ['--plots', resolve(plots)] : []),
      ...(vms ? ['--vms', vms] : []),
    ]),
  );
program
  .command('version')
  .description('print the version')
  .action(() => void process.stdout.write(`${version}\n`));

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new UserError(`'${text}' is no port`, 'give a number from 0 to 65535');
  }
  return port;
}

function parseAddress(text: string): string {
  if (!isIPv4(text))
    throw new UserError(`'${text}' is no IPv4 address`, 'give one of this machine, or 0.0.0.0 for all');
  return text;
}

function parseNumber(text: string): number {
  return text === '0' ? 0 : parseCount(text);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new UserError(`'${text}' is no count`, 'give a whole number from 1 up');
  return count;
}

// Whoever reads our output may have enough of it: `viv env | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof UserError) {
    process.stderr.write(`viv: ${error.message}\n     ${error.mend}\n`);
  } else {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`viv: ${message}\n     more is in the log: ./viv logs\n`);
    if (process.env['VIVARIUM_DEBUG']) process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
  }
  process.exitCode = 1;
}
